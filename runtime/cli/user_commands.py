"""`entrepot users`."""

from typing import Annotated

import typer

from runtime.cli.help_text import examples, prose
from runtime.cli.options import AsJson, AskedPassword, AskedUser, HubDir, OnlyTenant, Tenant
from runtime.later import later

Email = Annotated[str, typer.Argument(help="The person's e-mail address.", metavar="EMAIL")]
PasswordStdin = Annotated[
    bool, typer.Option("--password-stdin", help="Read the password from the first line of stdin.")
]
Generate = Annotated[bool, typer.Option("--generate", help="Make a password and show it, once.")]


def add_to(app: typer.Typer) -> None:
    """Add the group."""
    group = typer.Typer(no_args_is_help=True, rich_markup_mode="rich")
    group.command(
        help=prose(add),
        epilog=examples(
            "entrepot users add --tenant Acme --email ann@example.com --role owner",
            "entrepot users add --tenant Acme --email bob@example.com --role viewer --generate",
        ),
    )(add)
    group.command(
        "list",
        help=prose(list_),
        epilog=examples("entrepot users list", "entrepot users list --tenant Acme --json"),
    )(list_)
    group.command(help=prose(disable), epilog=examples("entrepot users disable ann@example.com"))(
        disable
    )
    group.command(help=prose(enable), epilog=examples("entrepot users enable ann@example.com"))(
        enable
    )
    group.command(
        help=prose(password),
        epilog=examples(
            "entrepot users password ann@example.com",
            "entrepot users password ann@example.com --generate",
        ),
    )(password)
    group.command(help=prose(role), epilog=examples("entrepot users role ann@example.com viewer"))(
        role
    )
    app.add_typer(
        group,
        name="users",
        rich_help_panel="Administer",
        help="The people who log in, and what they may do.",
    )


def add(  # noqa: PLR0913 - each is an option of the command
    *,
    tenant: Tenant,
    email: Annotated[str, typer.Option(help="What they log in with.", metavar="EMAIL")],
    role: Annotated[str, typer.Option(help="owner, operator or viewer.", metavar="ROLE")],
    name: Annotated[str | None, typer.Option(help="What they are called.", metavar="NAME")] = None,
    password_stdin: PasswordStdin = False,
    generate: Generate = False,
    data_dir: HubDir = None,
    json: AsJson = False,
) -> None:
    """Add a person to a tenant.

    Asks for a password, unless --password-stdin or --generate is given. An owner may do everything,
    an operator runs stores and records but makes no keys, a viewer changes nothing.
    """
    later("runtime.cli.users:add")(
        AskedUser(tenant, email, role, name),
        AskedPassword(password_stdin, generate),
        data_dir=data_dir,
        is_json=json,
    )


def list_(
    *,
    tenant: OnlyTenant = None,
    data_dir: HubDir = None,
    json: AsJson = False,
) -> None:
    """List the people, those without access among them."""
    later("runtime.cli.users:show_all")(tenant, data_dir=data_dir, is_json=json)


def disable(email: Email, *, data_dir: HubDir = None) -> None:
    """Take access away, and end every login of the person at once."""
    later("runtime.cli.users:set_access")(email, is_active=False, data_dir=data_dir)


def enable(email: Email, *, data_dir: HubDir = None) -> None:
    """Give access back. The password is what it was."""
    later("runtime.cli.users:set_access")(email, is_active=True, data_dir=data_dir)


def password(
    email: Email,
    *,
    password_stdin: PasswordStdin = False,
    generate: Generate = False,
    data_dir: HubDir = None,
) -> None:
    """Give a new password, and end every login of the person.

    Asks for it, unless --password-stdin or --generate is given.
    """
    later("runtime.cli.users:replace_password")(
        email, AskedPassword(password_stdin, generate), data_dir=data_dir
    )


def role(
    email: Email,
    new_role: Annotated[str, typer.Argument(help="owner, operator or viewer.", metavar="ROLE")],
    *,
    data_dir: HubDir = None,
) -> None:
    """Give another role. It counts from the person's next request on."""
    later("runtime.cli.users:give_role")(email, new_role, data_dir=data_dir)
