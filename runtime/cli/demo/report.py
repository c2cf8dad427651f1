"""What the demo says at its end."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from rich.text import Text

from runtime.cli.demo.round_trip import RoundTrip
from runtime.cli.demo.verify import Verdict
from runtime.cli.imports import Status, changed, rejected
from runtime.cli.screen import console, show_table
from runtime.embedded.connection import CONNECTION_FILE, Connection

_DIFFERENCES: Final = 20
_COLUMNS: Final = ("in the shop", "in the hub", "missing", "extra", "doubled", "stale")


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoRun:
    """A finished import, compared."""

    verdict: Verdict
    status: Status
    trip: RoundTrip
    workflow_url: str | None
    ready_s: float
    import_s: float
    verify_s: float

    @property
    def is_right(self) -> bool:
        """Whether the hub holds exactly what the shop does, with nothing set aside."""
        return self.verdict.is_right and not rejected(self.status)

    @property
    def is_unchanged(self) -> bool:
        """Whether the import found everything as it was."""
        return not changed(self.status)


def as_json(run: DemoRun) -> dict[str, Any]:
    """The run for programs."""
    return {
        "entities": {name: one.as_dict() for name, one in run.verdict.tallies.items()},
        "seconds": round(run.ready_s + run.import_s + run.verify_s, 2),
        "secondsToStart": round(run.ready_s, 2),
        "secondsToImport": round(run.import_s, 2),
        "secondsToCompare": round(run.verify_s, 2),
        "secondsToShop": round(run.trip.to_shop_s, 2),
        "secondsFromShop": round(run.trip.to_hub_s, 2),
        "ok": run.is_right,
        "unchanged": run.is_unchanged,
        "import": run.status["entities"],
        "differences": run.verdict.differences[:_DIFFERENCES],
    }


def show_summary(run: DemoRun, *, stderr: bool) -> None:
    """A row per entity, and what it comes to."""
    out = console(stderr=stderr)
    out.print()
    show_table(
        ("entity", *_COLUMNS),
        [(name, *one.as_dict().values()) for name, one in run.verdict.tallies.items()],
        numbers=_COLUMNS,
        stderr=stderr,
    )
    out.print()
    out.print(_trip(run.trip))
    out.print(_sentence(run))
    for line in run.verdict.differences[:_DIFFERENCES]:
        out.print(Text(f"  {line}"))
    if (more := len(run.verdict.differences) - _DIFFERENCES) > 0:
        out.print(Text(f"  … and {more:,} more"))


def show_links(run: DemoRun, connection: Connection, data_dir: Path, *, stderr: bool) -> None:
    """Where to go from here."""
    out = console(stderr=stderr)
    links = {
        "API docs": f"{connection.api_url}/docs",
        "Temporal UI": run.workflow_url or connection.temporal_ui_url or "-",
        "Key": f"api_key and api_secret in {data_dir / CONNECTION_FILE}",
    }
    out.print()
    for name, place in links.items():
        out.print(Text(f"{name:<12}", style="bold") + Text(place, style="not bold"))
    out.print()
    out.print(Text("Serving until Ctrl-C.", style="dim"))


def _trip(trip: RoundTrip) -> Text:
    return Text("✓ ", style="bold green") + Text(
        f"A price changed in the hub was in the shop after {trip.to_shop_s:.1f} s; changed back "
        f"there, it was in the hub after {trip.to_hub_s:.1f} s, by webhook.",
        style="not bold default",
    )


def _sentence(run: DemoRun) -> Text:
    records = sum(one["seen"] for one in run.status["entities"].values())
    what = "unchanged" if run.is_unchanged else f"{changed(run.status):,} records changed"
    took = f"{records:,} records read in {run.import_s:.1f} s: {what}."
    if run.is_right:
        return Text("✓ ", style="bold green") + Text(
            f"{took} Every record compared field by field: all are right.", style="not bold default"
        )
    aside = rejected(run.status)
    trouble = f"{len(run.verdict.differences):,} differences, {aside:,} records set aside."
    return Text("✗ ", style="bold red") + Text(f"{took} {trouble}", style="not bold default")
