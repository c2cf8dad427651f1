"""`entrepot syncs`."""

from enum import StrEnum
from typing import Annotated

import typer

from runtime.cli.asking import asks_api
from runtime.cli.help_text import examples, prose
from runtime.cli.options import AsJson, Asked
from runtime.later import later

_WATCH_EXAMPLES = (
    "entrepot syncs watch",
    "entrepot syncs watch main  # a store's code",
    "entrepot syncs watch import/12  # or a workflow's id",
)


class Status(StrEnum):
    """The states of a run."""

    PENDING = "pending"
    IN_PROGRESS = "in_progress"
    SUCCESS = "success"
    FAILED = "failed"
    CANCELLED = "cancelled"


def add_to(app: typer.Typer) -> None:
    """Add the group."""
    group = typer.Typer(no_args_is_help=True, rich_markup_mode="rich")
    group.command(
        "list",
        help=prose(list_),
        epilog=examples("entrepot syncs list", "entrepot syncs list --status failed"),
    )(list_)
    group.command(help=prose(watch), epilog=examples(*_WATCH_EXAMPLES))(watch)
    group.command(help=prose(cancel), epilog=examples("entrepot syncs cancel main"))(cancel)
    app.add_typer(group, name="syncs", rich_help_panel="Use", help="Imports and other runs.")


@asks_api
def list_(
    *,
    store: Annotated[
        str | None, typer.Option(help="Only of this store (id or code).", metavar="STORE")
    ] = None,
    status: Annotated[Status | None, typer.Option(help="Only in this state.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=500, help="How many.", metavar="N")] = 20,
    asked: Asked,
    json: AsJson = False,
) -> None:
    """List runs, newest first."""
    later("runtime.cli.syncs:show_all")(
        asked,
        store=store,
        status=status.value if status else None,
        limit=limit,
        is_json=json,
    )


@asks_api
def watch(
    store: Annotated[
        str | None,
        typer.Argument(
            help="A store's id or code, or a workflow's id; not needed if there is one store.",
            metavar="[STORE]",
        ),
    ] = None,
    *,
    asked: Asked,
) -> None:
    """Show an import or another run live until it is over: a bar per entity, its rate.

    Exit code 1 when it fails or is cancelled. Ctrl-C ends the watching, not the import.
    """
    run = later("runtime.cli.syncs:watch")
    raise typer.Exit(run(asked, store))


@asks_api
def cancel(
    sync: Annotated[
        str, typer.Argument(help="A workflow's id, or a store's id or code.", metavar="SYNC")
    ],
    *,
    asked: Asked,
) -> None:
    """Ask an import to stop at the next safe point.

    What it brought in stays, and the next import of the store goes on where it was.
    """
    run = later("runtime.cli.syncs:cancel")
    raise typer.Exit(run(asked, sync))
