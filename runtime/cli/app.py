"""The command line: what there is, without the weight of what it does."""

import typer

from runtime.cli import (
    key_commands,
    run_commands,
    sandbox_commands,
    schedule_commands,
    store_commands,
    sync_commands,
    tenant_commands,
    upkeep_commands,
    user_commands,
)
from runtime.cli.demo import demo_command
from runtime.cli.help_text import examples

_HELP = """
Keeps stores, couriers and partners in step.

New here? [bold cyan]entrepot demo[/bold cyan] starts everything on this machine, connects a
sandbox shop and imports it. [bold cyan]entrepot up[/bold cyan] runs a hub of your own.
"""
_EPILOG = examples(
    "entrepot demo  # see it work",
    "entrepot up  # database, workflows, worker and API, all in one",
    "entrepot stores add  # connect a store, question by question",
    "entrepot doctor  # what is wrong, and what to do about it",
)


def build_app() -> typer.Typer:
    """The commands."""
    app = typer.Typer(
        name="entrepot",
        help=_HELP,
        epilog=_EPILOG,
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode="rich",
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    demo_command.add_to(app)
    run_commands.add_to(app)
    tenant_commands.add_to(app)
    user_commands.add_to(app)
    key_commands.add_to(app)
    store_commands.add_to(app)
    sync_commands.add_to(app)
    schedule_commands.add_to(app)
    upkeep_commands.add_to(app)
    sandbox_commands.add_to(app)
    return app
