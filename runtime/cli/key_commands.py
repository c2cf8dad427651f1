"""`entrepot keys`."""

from typing import Annotated

import typer

from runtime.cli.help_text import examples, prose
from runtime.cli.options import AsJson, HubDir
from runtime.later import later

_PERMISSIONS = "Separated by commas; `*` is all: stores:read, stores:write, syncs:read, …"

Tenant = Annotated[
    str, typer.Option(help="The tenant: its name, its id or its organization id.", metavar="TENANT")
]


def add_to(app: typer.Typer) -> None:
    """Add the group."""
    group = typer.Typer(no_args_is_help=True, rich_markup_mode="rich")
    group.command(
        help=prose(create),
        epilog=examples(
            'entrepot keys create --tenant Acme --name "Shop floor"',
            "entrepot keys create --tenant Acme --name reports --permissions records:read",
        ),
    )(create)
    group.command(
        "list",
        help=prose(list_),
        epilog=examples("entrepot keys list", "entrepot keys list --json"),
    )(list_)
    group.command(help=prose(revoke), epilog=examples("entrepot keys revoke ek_…"))(revoke)
    app.add_typer(
        group,
        name="keys",
        rich_help_panel="Administer",
        help="API keys: who may call the API, and for what.",
    )


def create(
    *,
    tenant: Tenant,
    name: Annotated[str, typer.Option(help="What it is for.", metavar="NAME")],
    type_: Annotated[
        str, typer.Option("--type", help="A word of your own, such as external.", metavar="TYPE")
    ] = "external",
    permissions: Annotated[str, typer.Option(help=_PERMISSIONS, metavar="LIST")] = "*",
    data_dir: HubDir = None,
    json: AsJson = False,
) -> None:
    """Make an API key.

    The secret is shown once: only a digest of it is kept.
    """
    later("runtime.cli.keys:create")(
        tenant, name, type_, permissions, data_dir=data_dir, is_json=json
    )


def list_(
    *,
    tenant: Annotated[
        str | None, typer.Option(help="Only this tenant's.", metavar="TENANT")
    ] = None,
    data_dir: HubDir = None,
    json: AsJson = False,
) -> None:
    """List the keys, revoked ones among them. Secrets are never shown again."""
    later("runtime.cli.keys:show_all")(tenant, data_dir=data_dir, is_json=json)


def revoke(
    key: Annotated[str, typer.Argument(help="The public half, `ek_…`.", metavar="KEY")],
    *,
    data_dir: HubDir = None,
) -> None:
    """Revoke a key, from the next request on. There is no way back."""
    later("runtime.cli.keys:revoke")(key, data_dir=data_dir)
