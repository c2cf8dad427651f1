"""What `entrepot schedules` does."""

from collections.abc import Mapping
from typing import Any, Final

from runtime.cli.access import pick_store, with_api
from runtime.cli.api_client import ApiClient
from runtime.cli.errors import CliError
from runtime.cli.options import Asked
from runtime.cli.screen import say, show_json, show_table

_KINDS: Final = ("pull", "reconcile", "stockSweep")


def show(asked: Asked, wanted: str | None, *, is_json: bool) -> None:
    """Show a store's schedules. Raises CliError."""

    async def work(api: ApiClient) -> Any:
        return await api.get(f"{await _path(api, wanted)}/schedule")

    told = with_api(asked, work)
    if is_json:
        show_json(told)
    else:
        _show(told)


def replace(
    asked: Asked, wanted: str | None, given: Mapping[str, str | None], *, time_zone: str
) -> None:
    """Set a store's schedules. Raises CliError."""
    specs = {kind: _spec(when, time_zone) for kind, when in given.items() if when is not None}
    if not specs:
        raise CliError("say when with --pull, --reconcile or --stock-sweep")

    async def work(api: ApiClient) -> Any:
        return await api.put(f"{await _path(api, wanted)}/schedule", specs)

    _show(with_api(asked, work))


def act(asked: Asked, wanted: str | None, verb: str) -> None:
    """Pause or resume a store's schedules. Raises CliError."""

    async def work(api: ApiClient) -> Any:
        return await api.post(f"{await _path(api, wanted)}/schedule/{verb}")

    _show(with_api(asked, work))


def run(asked: Asked, wanted: str | None, kind: str) -> None:
    """Start a sync now. Raises CliError."""

    async def work(api: ApiClient) -> Any:
        return await api.post(f"{await _path(api, wanted)}/sync", {"kind": kind})

    started = with_api(asked, work)
    say(f"{started['workflowId']} runs; `entrepot syncs list` shows what became of it.")


async def _path(api: ApiClient, wanted: str | None) -> str:
    return f"/api/stores/{(await pick_store(api, wanted))['id']}"


def _spec(when: str, time_zone: str) -> dict[str, Any]:
    """A cron has five words; anything else is an interval."""
    if len(when.split()) == 5:
        return {"cron": when, "timeZone": time_zone}
    return {"interval": int(when) if when.isdecimal() else when}


def _show(told: Mapping[str, Any]) -> None:
    rows = [
        (kind, spec["interval"] or spec["cron"], spec["timeZone"] if spec["cron"] else "-")
        for kind in _KINDS
        if (spec := told[kind]) is not None
    ]
    if not rows:
        say("This store has no schedule: see `entrepot schedules set --help`.")
        return
    show_table(("what", "when", "time zone"), rows)
    if told["paused"]:
        say("They are paused: `entrepot schedules resume` lets them go on.")
