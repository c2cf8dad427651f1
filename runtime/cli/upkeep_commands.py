"""`entrepot alerts`, `entrepot retry`, `entrepot conflicts`: what a person sees to."""

from enum import StrEnum
from typing import Annotated

import typer

from runtime.cli.asking import asks_api
from runtime.cli.help_text import examples, prose
from runtime.cli.options import AsJson, Asked, OneStore
from runtime.later import later

_Conflict = Annotated[int, typer.Argument(min=1, help="The conflict's id.", metavar="ID")]


class Resolution(StrEnum):
    """How a conflict is decided."""

    LOCAL = "local"
    REMOTE = "remote"
    MERGE = "merge"


def add_to(app: typer.Typer) -> None:
    """Add the commands."""
    app.command(
        help=prose(alerts),
        epilog=examples("entrepot alerts", "entrepot alerts --all"),
        rich_help_panel="Use",
    )(alerts)
    app.command(
        help=prose(retry),
        epilog=examples(
            "entrepot retry main  # everything of the store that failed",
            "entrepot retry main --push 7 --push 8",
        ),
        rich_help_panel="Use",
    )(retry)
    group = typer.Typer(no_args_is_help=True, rich_markup_mode="rich")
    group.command("list", help=prose(list_), epilog=examples("entrepot conflicts list"))(list_)
    group.command(help=prose(show), epilog=examples("entrepot conflicts show 4"))(show)
    group.command(
        help=prose(resolve), epilog=examples("entrepot conflicts resolve 4 --take remote")
    )(resolve)
    app.add_typer(group, name="conflicts", rich_help_panel="Use", help="Fields both sides changed.")


@asks_api
def alerts(
    *,
    everything: Annotated[
        bool, typer.Option("--all", metavar="", help="Closed ones too, not the open ones alone.")
    ] = False,
    asked: Asked,
    json: AsJson = False,
) -> None:
    """What a person has to see to, the newest first, with the command that tries again."""
    later("runtime.cli.upkeep:show_alerts")(asked, everything=everything, is_json=json)


@asks_api
def retry(
    store: OneStore = None,
    *,
    push: Annotated[
        list[int] | None, typer.Option(help="Only this push (repeatable).", metavar="ID")
    ] = None,
    event: Annotated[
        list[int] | None, typer.Option(help="Only this webhook event (repeatable).", metavar="ID")
    ] = None,
    asked: Asked,
    json: AsJson = False,
) -> None:
    """Try again what was given up: pushes, webhook events, paused lanes, a failed import.

    Doing it twice is the same as once. Ids of which none has failed are an error.
    """
    later("runtime.cli.upkeep:retry")(
        asked,
        store,
        push_ids=push,
        event_ids=event,
        is_json=json,
    )


@asks_api
def list_(
    *,
    asked: Asked,
    json: AsJson = False,
) -> None:
    """List open conflicts: records of which the hub and a store changed the same field."""
    later("runtime.cli.upkeep:show_conflicts")(asked, is_json=json)


@asks_api
def show(
    conflict: _Conflict,
    *,
    asked: Asked,
    json: AsJson = False,
) -> None:
    """Show both sides of a conflict, field by field, with what both had before."""
    later("runtime.cli.upkeep:show_conflict")(asked, conflict, is_json=json)


@asks_api
def resolve(
    conflict: _Conflict,
    *,
    take: Annotated[Resolution, typer.Option(help="Whose values stand.")],
    asked: Asked,
) -> None:
    """Decide a conflict: the hub's values (local), the store's (remote), or what was suggested.

    Values of your own are sent with POST /api/conflicts/ID/resolve.
    """
    later("runtime.cli.upkeep:resolve")(asked, conflict, take=take.value)
