"""The commands that run the hub or a part of it."""

from collections.abc import Callable, Sequence
from typing import Annotated

import typer

from runtime.cli.help_text import examples, prose
from runtime.cli.options import DEFAULT_DIR, DataDir, HubDir, Port
from runtime.later import later

_PANEL = "Run"
_UI_PORT_HELP = "Where Temporal's web UI listens. Default: where it was last, else 8233."
_SANDBOX_HELP = "Run a sandbox shop beside it; its address and keys are put in DIR/sandbox.json."


def add_to(app: typer.Typer) -> None:
    """Add the commands."""
    for function, lines in _EXAMPLES:
        app.command(rich_help_panel=_PANEL, help=prose(function), epilog=examples(*lines))(function)


def up(
    *,
    data_dir: DataDir = DEFAULT_DIR,
    port: Port = None,
    temporal_ui_port: Annotated[
        int | None,
        typer.Option(min=0, max=65_535, help=_UI_PORT_HELP, show_default=False, metavar="N"),
    ] = None,
    sandbox: Annotated[bool, typer.Option(help=_SANDBOX_HELP)] = False,
) -> None:
    """Run a whole hub on this machine: database, Temporal, worker and API in one directory.

    When it is ready it writes DIR/connection.json (mode 0600: addresses and the first API key) and
    prints one line. Parts that die are started again. Ctrl-C stops all of it; the data stays.
    """
    raise typer.Exit(
        later("runtime.cli.up:main")(
            data_dir=data_dir, port=port, temporal_ui_port=temporal_ui_port, sandbox=sandbox
        )
    )


def api() -> None:
    """Serve the HTTP API, for a database and a Temporal of your own.

    It is told by ENTREPOT_… and TEMPORAL_… variables or a file .env; .env.example lists them. It
    serves at once; GET /api/health says what is missing.
    """
    raise typer.Exit(later("runtime.api_process:main")())


def worker() -> None:
    """Do the work: run as many of these as you like.

    It waits for the database and Temporal, and SIGTERM ends it in order.
    """
    raise typer.Exit(later("runtime.worker_process:main")())


def migrate() -> None:
    """Bring the database to the schema of this release; does nothing when it is there.

    Runs as the owner of the tables (ENTREPOT_MIGRATION_DATABASE_URL).
    """
    raise typer.Exit(later("runtime.cli.migrate:main")())


def doctor(*, data_dir: HubDir = None) -> None:
    """Look at everything a hub needs and say what to do about what is wrong.

    Exit code 1 when something is.
    """
    raise typer.Exit(later("runtime.cli.doctor:main")(data_dir))


_EXAMPLES: Sequence[tuple[Callable[..., None], Sequence[str]]] = (
    (
        up,
        (
            "entrepot up",
            "entrepot up --data-dir /srv/entrepot --port 4000",
            "entrepot up --sandbox  # with a shop to play with",
        ),
    ),
    (api, ("ENTREPOT_DATABASE_URL=postgresql://… entrepot api",)),
    (worker, ("ENTREPOT_DATABASE_URL=postgresql://… entrepot worker",)),
    (migrate, ("ENTREPOT_MIGRATION_DATABASE_URL=postgresql://… entrepot migrate",)),
    (doctor, ("entrepot doctor", "entrepot doctor --data-dir .entrepot")),
)
