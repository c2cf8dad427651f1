"""One run of schemathesis over the whole OpenAPI, for one caller."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import schemathesis
from schemathesis import BaseSchema, Case, HookContext
from schemathesis.config import SchemathesisConfig
from schemathesis.core.result import Ok
from schemathesis.engine import events, from_schema
from schemathesis.engine.recorder import ScenarioRecorder
from schemathesis.hooks import unregister

from tests.api.fuzzing.checks import NothingOfOthers
from tests.api.fuzzing.reasons import operations

_REFUSALS: Final = ("400", "401", "403", "404", "405", "409", "415", "422", "429", "5xx")
PHASES: Final = ("examples", "coverage", "fuzzing", "stateful")


@dataclass
class Found:
    """What a run came to: answers by status, operations that were called, failures as text."""

    statuses: Counter[int] = field(default_factory=Counter)
    operations: set[str] = field(default_factory=set)
    failures: dict[str, str] = field(default_factory=dict)

    @property
    def told(self) -> str:
        """The failures, each once."""
        return "\n\n".join(f"{name}\n{what}" for name, what in sorted(self.failures.items()))


def follow(schema: BaseSchema, fill_in: Callable[[Case[Any]], None] | None = None) -> Found:
    """Send everything. `fill_in` changes requests before they are sent."""
    found = Found()

    # A function of this name: schemathesis knows hooks by it, and puts attributes on them.
    @schemathesis.hook
    def before_call(_context: HookContext, case: Case[Any], _kwargs: dict[str, Any]) -> None:
        if fill_in is not None:
            fill_in(case)

    try:
        _take_in(from_schema(schema).execute(), found)
    finally:
        unregister(before_call)
    return found


def load(app: Any, config: Mapping[str, Any]) -> BaseSchema:
    """What the application says of itself."""
    return schemathesis.openapi.from_asgi(
        "/openapi.json", app, config=SchemathesisConfig.from_dict(dict(config))
    )


def load_from(url: str, config: Mapping[str, Any]) -> BaseSchema:
    """What a hub that runs there says of itself."""
    return schemathesis.openapi.from_url(url, config=SchemathesisConfig.from_dict(dict(config)))


def labels(schema: BaseSchema) -> set[str]:
    """The operations that a run calls."""
    return {one.ok().label for one in schema.get_all_operations() if isinstance(one, Ok)}


def configuration(
    headers: Mapping[str, str],
    *,
    phases: Iterable[str],
    examples: int,
    markers: Iterable[str] = (),
    secrets: Iterable[str] = (),
    leave_out: str | None = None,
) -> dict[str, Any]:
    """Every check, derandomised, with nothing kept on disk. See `reasons` for what is expected.

    Args:
        leave_out: a pattern of `METHOD path` that is not called.
    """
    left_out = [{"include-name-regex": leave_out, "enabled": False}] if leave_out else []
    wanted = set(phases)
    return {
        "seed": 20_261_121,
        "continue-on-failure": True,
        # A store is waited for up to ten seconds.
        "request-timeout": 30,
        "headers": dict(headers),
        "generation": {
            "deterministic": True,
            "database": "none",
            "no-shrink": True,
            "max-examples": examples,
            # A key beside a token is refused; `ignored_auth` sends wrong ones by itself.
            "with-security-parameters": False,
        },
        "phases": {phase: {"enabled": phase in wanted} for phase in PHASES},
        "operations": [*left_out, *operations()],
        "checks": {
            # What is too long is refused before anybody looks at what it says.
            "negative_data_rejection": {"expected-statuses": [*_REFUSALS, "413"]},
            NothingOfOthers.__name__: {"markers": list(markers), "secrets": list(secrets)},
        },
    }


def _take_in(stream: Iterable[events.EngineEvent], found: Found) -> None:
    for event in stream:
        if isinstance(event, events.ScenarioFinished):
            _note(found, event.recorder)
        elif isinstance(event, events.NonFatalError):
            found.failures[f"{event.label}: {event.info.title}"] = str(event.value)
        elif isinstance(event, events.FatalError):
            raise event.exception


def _note(found: Found, recorder: ScenarioRecorder) -> None:
    for case_id, sent in recorder.interactions.items():
        if sent.response is not None:
            found.statuses[sent.response.status_code] += 1
            found.operations.add(recorder.cases[case_id].value.operation.label)
    for case_id, nodes in recorder.checks.items():
        for node in nodes:
            if (info := node.failure_info) is not None:
                answer = recorder.interactions[info.failure.case_id or case_id].response
                said = f"{answer.status_code} {answer.text[:500]}" if answer is not None else ""
                name = f"{recorder.label}: {node.name}: {info.failure.title}"
                what = f"{info.failure.message}\n{info.code_sample}\n{said}"
                found.failures.setdefault(name, what)
