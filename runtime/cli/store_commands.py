"""`entrepot stores`."""

from typing import Annotated

import typer

from runtime.cli.asking import asks_api
from runtime.cli.help_text import examples, prose
from runtime.cli.options import AsJson, Asked, OneStore
from runtime.later import later

_CONFIG_HELP = "A field of the connection form; `@file` reads its value from a file. Repeat it."
_LIST_EXAMPLES = ("entrepot stores list", "entrepot stores list --json")
_ADD_EXAMPLES = (
    "entrepot stores add  # asks for what it needs",
    "entrepot stores add --name Shop --code shop -c storeUrl=https://shop.example.com -c …=…",
    "entrepot stores add --name Shop --code shop -c consumerSecret=@secret.txt  # from a file",
)

Store = Annotated[str, typer.Argument(help="Its id or its code.", metavar="STORE")]


def add_to(app: typer.Typer) -> None:
    """Add the group."""
    group = typer.Typer(no_args_is_help=True, rich_markup_mode="rich")
    group.command(help=prose(add), epilog=examples(*_ADD_EXAMPLES))(add)
    group.command("list", help=prose(list_), epilog=examples(*_LIST_EXAMPLES))(list_)
    group.command(help=prose(show), epilog=examples("entrepot stores show main"))(show)
    group.command("test", help=prose(try_), epilog=examples("entrepot stores test main"))(try_)
    group.command(
        "import", help=prose(import_), epilog=examples("entrepot stores import main --watch")
    )(import_)
    app.add_typer(
        group, name="stores", rich_help_panel="Use", help="Connected stores, through the API."
    )


@asks_api
def add(  # noqa: PLR0913 - each is an option of the command
    *,
    name: Annotated[
        str | None, typer.Option(help="What people call the store.", metavar="NAME")
    ] = None,
    code: Annotated[
        str | None, typer.Option(help="Short and unique among your stores.", metavar="CODE")
    ] = None,
    provider: Annotated[
        str | None,
        typer.Option(help="What kind of store; not needed if there is one.", metavar="SLUG"),
    ] = None,
    config: Annotated[
        list[str] | None, typer.Option("--config", "-c", help=_CONFIG_HELP, metavar="FIELD=VALUE")
    ] = None,
    sync: Annotated[bool, typer.Option(help="Import everything at once.")] = True,
    asked: Asked,
    json: AsJson = False,
) -> None:
    """Connect a store: its credentials are tried first, and kept encrypted if they are right.

    At a terminal it asks for whatever is missing, and shows no secret while you type it.
    """
    later("runtime.cli.stores:add")(
        asked,
        {"name": name, "code": code, "provider": provider, "sync": sync},
        config or [],
        is_json=json,
    )


@asks_api
def list_(
    *,
    asked: Asked,
    json: AsJson = False,
) -> None:
    """List the stores and how their syncs are."""
    later("runtime.cli.stores:show_all")(asked, is_json=json)


@asks_api
def show(
    store: Store,
    *,
    asked: Asked,
    json: AsJson = False,
) -> None:
    """Show a store: its state, its webhook addresses, what is left to do in the shop."""
    later("runtime.cli.stores:show")(asked, store, is_json=json)


@asks_api
def try_(
    store: Store,
    *,
    asked: Asked,
) -> None:
    """Try a store's credentials now. Exit code 1 when it refuses them."""
    run = later("runtime.cli.stores:test")
    raise typer.Exit(run(asked, store))


@asks_api
def import_(
    store: OneStore = None,
    *,
    watch: Annotated[
        bool, typer.Option("--watch", "-w", metavar="", help="Show its progress to the end.")
    ] = False,
    asked: Asked,
) -> None:
    """Import everything in a store; what is here and unchanged is left alone."""
    run = later("runtime.cli.stores:start_import")
    raise typer.Exit(run(asked, store, watch=watch))
