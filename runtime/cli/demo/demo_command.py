"""`entrepot demo`."""

from typing import Annotated

import typer

from runtime.cli.help_text import examples, prose
from runtime.cli.options import DEFAULT_DIR, AsJson, DataDir, Orders, Port, Products, Seed
from runtime.later import later

_EPILOG = examples(
    "entrepot demo  # keeps serving until Ctrl-C",
    "entrepot demo --products 20000 --orders 20000  # a larger shop",
    "entrepot demo --once --json > demo.json  # ends by itself; exit code 0: all records are right",
)


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command(rich_help_panel="Run", help=prose(demo), epilog=_EPILOG)(demo)


def demo(  # noqa: PLR0913 - each is an option of the command
    *,
    data_dir: DataDir = DEFAULT_DIR,
    products: Products = None,
    orders: Orders = None,
    seed: Seed = None,
    port: Port = None,
    once: Annotated[
        bool,
        typer.Option(
            "--once", metavar="", help="End when the import is compared, not with Ctrl-C."
        ),
    ] = False,
    json: AsJson = False,
) -> None:
    """See it work: start everything here, connect a sandbox shop, import it, compare.

    Every record in the hub is compared field by field with the shop's own. A second run goes on
    with what the first one left, and finds everything unchanged.
    """
    run = later("runtime.cli.demo.command:main")
    code = run(
        data_dir=data_dir,
        port=port,
        products=products,
        orders=orders,
        seed=seed,
        once=once,
        is_json=json,
    )
    raise typer.Exit(code)
