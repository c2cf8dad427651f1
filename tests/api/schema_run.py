"""One run of schemathesis over the whole OpenAPI, for one caller."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import schemathesis
from schemathesis import Case, HookContext
from schemathesis.config import SchemathesisConfig
from schemathesis.engine import Status, events, from_schema
from schemathesis.hooks import unregister

from tests.api import schema_checks, schema_reasons
from tests.api.planted import MARK, SECRET, Planted
from tests.api.schema_ids import RealIds

CHECKS = schema_checks.NothingOfOthers.__name__


@dataclass
class Found:
    """What a run came to: cases sent, by status; failures, each once, as text."""

    statuses: Counter[int] = field(default_factory=Counter)
    operations: set[str] = field(default_factory=set)
    failures: dict[str, str] = field(default_factory=dict)


def run(app: Any, config: dict[str, Any], real: RealIds) -> Found:
    """Send everything, and see what came."""
    schema = schemathesis.openapi.from_asgi(
        "/openapi.json", app, config=SchemathesisConfig.from_dict(config)
    )
    found = Found()

    # Known by this name, and a function: schemathesis puts attributes on it.
    @schemathesis.hook
    def before_call(context: HookContext, case: Case, kwargs: dict[str, Any]) -> None:
        real.fill_in(case)

    try:
        _follow(from_schema(schema).execute(), found)
    finally:
        unregister(before_call)
    return found


def _follow(stream: Iterator[events.EngineEvent], found: Found) -> None:
    for event in stream:
        if isinstance(event, events.ScenarioFinished):
            _note(found, event)
        elif isinstance(event, events.NonFatalError):
            found.failures[f"{event.label}: {event.info.title}"] = str(event.value)
        elif isinstance(event, events.FatalError):
            raise event.exception


def _note(found: Found, event: events.ScenarioFinished) -> None:
    recorder = event.recorder
    for interaction in recorder.interactions.values():
        if interaction.response is not None:
            found.statuses[interaction.response.status_code] += 1
    if recorder.interactions:
        found.operations.add(recorder.label)
    for case_id, nodes in recorder.checks.items():
        for node in nodes:
            if node.failure_info is not None:
                failure = node.failure_info.failure
                name = f"{recorder.label} [{event.phase.value}] {node.name}: {failure.title}"
                response = recorder.interactions[failure.case_id or case_id].response
                answer = response.text[:300] if response is not None else ""
                import json
                try: d = json.loads(response.text); dd = d.get("detail", "")[:60]; answer = str(response.status_code) + " " + d.get("detail","")[:200]
                except Exception: dd = ""
                found.failures.setdefault(
                    name + " " + dd, f"{failure.message}\n{node.failure_info.code_sample}\n -> {answer}"
                )


def configuration(
    headers: Mapping[str, str], own: Planted, strangers: Planted, **more: Any
) -> dict[str, Any]:
    """What a run is told. Ids are mostly ones that are there, sometimes the other tenant's."""
    return {
        "continue-on-failure": True,
        "output": {"sanitization": {"enabled": False}},
        "seed": 20_261_121,
        "headers": dict(headers),
        "generation": {
            "deterministic": True,
            "database": "none",
            "with-security-parameters": False,
            "no-shrink": True,
            "max-examples": int(__import__("os").environ.get("EX", "5")),
        },
        "operations": schema_reasons.operations(),
        "checks": {CHECKS: {"markers": [MARK], "secrets": [SECRET]}},
        **more,
    }

