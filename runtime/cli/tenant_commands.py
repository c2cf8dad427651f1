"""`entrepot tenants`."""

from typing import Annotated

import typer

from runtime.cli.help_text import examples, prose
from runtime.cli.options import AsJson, HubDir
from runtime.later import later


def add_to(app: typer.Typer) -> None:
    """Add the group."""
    group = typer.Typer(no_args_is_help=True, rich_markup_mode="rich")
    group.command(
        help=prose(add), epilog=examples('entrepot tenants add "Acme"', "entrepot tenants list")
    )(add)
    group.command("list", help=prose(list_), epilog=examples("entrepot tenants list --json"))(list_)
    app.add_typer(
        group,
        name="tenants",
        rich_help_panel="Administer",
        help="The organisations of this hub. None sees another's records.",
    )


def add(
    name: Annotated[str, typer.Argument(help="What people call it; each name once.")],
    *,
    data_dir: HubDir = None,
    json: AsJson = False,
) -> None:
    """Add a tenant.

    Its records are its own: nothing it does or sees touches another's.
    """
    later("runtime.cli.tenants:add")(name, data_dir=data_dir, is_json=json)


def list_(*, data_dir: HubDir = None, json: AsJson = False) -> None:
    """List the tenants, oldest first."""
    later("runtime.cli.tenants:show_all")(data_dir=data_dir, is_json=json)
