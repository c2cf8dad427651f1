"""`entrepot keys`."""

from typing import Annotated

import typer

from runtime.cli.help_text import examples, prose
from runtime.cli.options import AsJson, HubDir, OnlyTenant, Tenant
from runtime.later import later

_PERMISSIONS = "Separated by commas; `*` is all: stores:read, stores:write, syncs:read, …"

PublicHalf = Annotated[str, typer.Argument(help="The public half, `ek_…`.", metavar="KEY")]


def add_to(app: typer.Typer) -> None:
    """Add the group."""
    group = typer.Typer(no_args_is_help=True, rich_markup_mode="rich")
    group.command(
        help=prose(create),
        epilog=examples(
            'entrepot keys create --tenant Acme --name "Shop floor"',
            "entrepot keys create --tenant Acme --name reports --permissions records:read",
            "entrepot keys create --tenant Acme --name office --ip 203.0.113.0/24 --per-minute 120",
        ),
    )(create)
    group.command(
        "list",
        help=prose(list_),
        epilog=examples("entrepot keys list", "entrepot keys list --json"),
    )(list_)
    group.command(help=prose(revoke), epilog=examples("entrepot keys revoke ek_…"))(revoke)
    group.command(
        help=prose(rotate), epilog=examples("entrepot keys rotate ek_… --overlap-hours 24")
    )(rotate)
    group.command(help=prose(usage), epilog=examples("entrepot keys usage ek_… --days 7"))(usage)
    group.command(
        "rotate-master",
        help=prose(rotate_master),
        epilog=examples("entrepot keys rotate-master", "entrepot keys rotate-master --drop-old"),
    )(rotate_master)
    group.command(
        "renew-signing",
        help=prose(renew_signing),
        epilog=examples(
            "entrepot keys renew-signing --tenant Acme",
            "entrepot keys renew-signing --all --sessions  # when the database was copied, too",
        ),
    )(renew_signing)
    app.add_typer(
        group,
        name="keys",
        rich_help_panel="Administer",
        help="API keys: who may call the API, and for what.",
    )


def create(  # noqa: PLR0913 - each is an option of the command
    *,
    tenant: Tenant,
    name: Annotated[str, typer.Option(help="What it is for.", metavar="NAME")],
    type_: Annotated[
        str, typer.Option("--type", help="A word of your own, such as external.", metavar="TYPE")
    ] = "external",
    permissions: Annotated[str, typer.Option(help=_PERMISSIONS, metavar="LIST")] = "*",
    expires: Annotated[
        str | None,
        typer.Option(help="A day or moment in UTC, or days from now: 90d.", metavar="WHEN"),
    ] = None,
    ip: Annotated[
        list[str] | None,
        typer.Option(
            help="An address or network it may be used from; may be given again.", metavar="NETWORK"
        ),
    ] = None,
    per_minute: Annotated[
        int | None, typer.Option(help="Its own limit of requests per minute.", min=1)
    ] = None,
    data_dir: HubDir = None,
    json: AsJson = False,
) -> None:
    """Make an API key.

    The secret is shown once: only a digest of it is kept.
    """
    later("runtime.cli.keys:create")(
        tenant,
        name,
        {
            "type": type_,
            "permissions": permissions,
            "expires": expires,
            "networks": ip or (),
            "per_minute": per_minute,
        },
        data_dir=data_dir,
        is_json=json,
    )


def list_(
    *,
    tenant: OnlyTenant = None,
    data_dir: HubDir = None,
    json: AsJson = False,
) -> None:
    """List the keys, revoked ones among them. Secrets are never shown again."""
    later("runtime.cli.keys:show_all")(tenant, data_dir=data_dir, is_json=json)


def revoke(
    key: PublicHalf,
    *,
    data_dir: HubDir = None,
) -> None:
    """Revoke a key, from the next request on. There is no way back."""
    later("runtime.cli.keys:revoke")(key, data_dir=data_dir)


def rotate(
    key: PublicHalf,
    *,
    overlap_hours: Annotated[
        float,
        typer.Option(help="How long the old key works beside the new one.", min=0, max=720),
    ] = 24,
    data_dir: HubDir = None,
    json: AsJson = False,
) -> None:
    """Make a new key with the rights of an old one, which works on for a while.

    The secret is shown once.
    """
    later("runtime.cli.keys:rotate")(key, overlap_hours, data_dir=data_dir, is_json=json)


def usage(
    key: PublicHalf,
    *,
    days: Annotated[int, typer.Option(help="How many days back.", min=1, max=366)] = 30,
    data_dir: HubDir = None,
    json: AsJson = False,
) -> None:
    """Show how much a key was used, by day (UTC)."""
    later("runtime.cli.keys:show_usage")(key, days, data_dir=data_dir, is_json=json)


def rotate_master(
    *,
    drop_old: Annotated[
        bool,
        typer.Option(
            "--drop-old", help="Take the old keys out of the hub's file, after a minute and a half."
        ),
    ] = False,
    data_dir: HubDir = None,
) -> None:
    """Encrypt every stored secret with the newest master key, while the hub runs.

    A hub of `entrepot up` gets a new key by this. Elsewhere put the new key into
    ENTREPOT_ENCRYPTION_KEY first. It may be stopped at any point and run again.
    """
    later("runtime.cli.master_key:rotate")(data_dir=data_dir, drop_old=drop_old)


def renew_signing(
    *,
    tenant: Annotated[
        str | None,
        typer.Option(help="The tenant: its name, its id or its organization id.", metavar="TENANT"),
    ] = None,
    all_: Annotated[bool, typer.Option("--all", help="Every tenant's.")] = False,
    sessions: Annotated[
        bool,
        typer.Option("--sessions", help="End all logins too: everybody logs in again."),
    ] = False,
    data_dir: HubDir = None,
    json: AsJson = False,
) -> None:
    """Believe no access token that was signed until now: for a signing key that leaked.

    It counts from the next request on, in every process, with no overlap. People stay logged in:
    their next refresh is signed with a new key, which that makes. API keys are not touched.

    It may be run again. What a thief did before is in the audit trail: look for `key.created`.
    """
    later("runtime.cli.signing_keys:renew")(
        tenant, is_all=all_, with_sessions=sessions, data_dir=data_dir, is_json=json
    )
