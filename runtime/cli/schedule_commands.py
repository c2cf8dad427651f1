"""`entrepot schedules`: when a store is synced by itself, and syncing it now."""

from enum import StrEnum
from typing import Annotated

import typer

from runtime.cli.asking import asks_api
from runtime.cli.help_text import examples, prose
from runtime.cli.options import AsJson, Asked, OneStore
from runtime.later import later


class Kind(StrEnum):
    """What is done by the clock."""

    PULL = "pull"
    RECONCILE = "reconcile"
    STOCK_SWEEP = "stockSweep"


def add_to(app: typer.Typer) -> None:
    """Add the group."""
    group = typer.Typer(no_args_is_help=True, rich_markup_mode="rich")
    group.command(help=prose(show), epilog=examples("entrepot schedules show main"))(show)
    group.command(
        "set",
        help=prose(set_),
        epilog=examples(
            "entrepot schedules set main --pull PT15M --reconcile '0 3 * * *'",
            "entrepot schedules set main --pull 900 --time-zone Asia/Colombo",
        ),
    )(set_)
    group.command(help=prose(pause), epilog=examples("entrepot schedules pause main"))(pause)
    group.command(help=prose(resume), epilog=examples("entrepot schedules resume main"))(resume)
    group.command(help=prose(run), epilog=examples("entrepot schedules run main"))(run)
    app.add_typer(
        group, name="schedules", rich_help_panel="Use", help="When stores are synced by themselves."
    )


@asks_api
def show(store: OneStore = None, *, asked: Asked, json: AsJson = False) -> None:
    """Show when a store is synced."""
    later("runtime.cli.schedules:show")(asked, store, is_json=json)


@asks_api
def set_(
    store: OneStore = None,
    *,
    asked: Asked,
    pull: Annotated[
        str | None, typer.Option(help="Pull what changed: PT15M, seconds or cron.", metavar="WHEN")
    ] = None,
    reconcile: Annotated[
        str | None, typer.Option(help="Compare both ways and repair.", metavar="WHEN")
    ] = None,
    stock_sweep: Annotated[
        str | None, typer.Option(help="Read all levels again.", metavar="WHEN")
    ] = None,
    time_zone: Annotated[str, typer.Option(help="Of cron times.", metavar="ZONE")] = "UTC",
) -> None:
    """Set all of a store's schedules; what is left out is not scheduled."""
    later("runtime.cli.schedules:replace")(
        asked,
        store,
        {"pull": pull, "reconcile": reconcile, "stockSweep": stock_sweep},
        time_zone=time_zone,
    )


@asks_api
def pause(store: OneStore = None, *, asked: Asked) -> None:
    """Stop a store's schedules; nothing is forgotten."""
    later("runtime.cli.schedules:act")(asked, store, "pause")


@asks_api
def resume(store: OneStore = None, *, asked: Asked) -> None:
    """Let a store's schedules go on."""
    later("runtime.cli.schedules:act")(asked, store, "resume")


@asks_api
def run(
    store: OneStore = None,
    *,
    asked: Asked,
    kind: Annotated[Kind, typer.Option(help="What to do.")] = Kind.PULL,
) -> None:
    """Sync a store now, whether it has a schedule or not."""
    later("runtime.cli.schedules:run")(asked, store, kind.value)
