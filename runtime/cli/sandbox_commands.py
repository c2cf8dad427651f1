"""`entrepot sandbox`: shops to try things on."""

from typing import Annotated, Literal

import typer

from runtime.cli.help_text import examples, prose
from runtime.later import later


def add_to(app: typer.Typer) -> None:
    """Add the group."""
    group = typer.Typer(no_args_is_help=True, rich_markup_mode="rich")
    group.command(
        help=prose(woocommerce),
        epilog=examples(
            "entrepot sandbox woocommerce",
            "entrepot sandbox woocommerce --port 0 --products 20000 --orders 20000 --seed 7",
        ),
    )(woocommerce)
    group.command(
        help=prose(easyorder),
        epilog=examples(
            "entrepot sandbox easyorder",
            "entrepot sandbox easyorder --port 0 --products 200 --envelope data",
        ),
    )(easyorder)
    app.add_typer(group, name="sandbox", rich_help_panel="Try", help="Shops to try things on.")


def woocommerce(
    *,
    port: Annotated[
        int, typer.Option(min=0, max=65_535, help="0 takes a free one.", metavar="N")
    ] = 8090,
    products: Annotated[
        int, typer.Option(min=0, max=1_000_000, help="Products of the shop.", metavar="N")
    ] = 300,
    orders: Annotated[
        int, typer.Option(min=0, max=1_000_000, help="Orders of the shop.", metavar="N")
    ] = 100,
    seed: Annotated[int, typer.Option(min=0, help="Equal seeds, equal shops.", metavar="N")] = 1,
) -> None:
    """Serve a shop that speaks WooCommerce's REST API v3, until Ctrl-C.

    The first line of stdout is JSON with its address, its keys and the token of its control API.
    Connect it with `entrepot stores add`, to a hub with ENTREPOT_ALLOW_PRIVATE_ADDRESSES=true.
    """
    told = {"--port": port, "--products": products, "--orders": orders, "--seed": seed}
    later("sandbox.woocommerce.__main__:main")([f"{name}={value}" for name, value in told.items()])


def easyorder(
    *,
    port: Annotated[
        int, typer.Option(min=0, max=65_535, help="0 takes a free one.", metavar="N")
    ] = 8091,
    products: Annotated[
        int, typer.Option(min=0, max=100_000, help="Products of the store.", metavar="N")
    ] = 60,
    orders: Annotated[
        int, typer.Option(min=0, max=100_000, help="Orders of the store.", metavar="N")
    ] = 0,
    seed: Annotated[int, typer.Option(min=0, help="Equal seeds, equal stores.", metavar="N")] = 1,
    envelope: Annotated[
        Literal["array", "data"],
        typer.Option(help='How lists come: bare, or as {"data": …}.', metavar="<array|data>"),
    ] = "array",
) -> None:
    """Serve a store that speaks the EasyOrders public API, until Ctrl-C.

    The first line of stdout is JSON with its address, its key and the token of its control API.
    Connect it with `entrepot stores add`, to a hub with ENTREPOT_ALLOW_PRIVATE_ADDRESSES=true.
    """
    told = {"--port": port, "--products": products, "--orders": orders, "--seed": seed}
    later("sandbox.easyorder.__main__:main")(
        [*(f"{name}={value}" for name, value in told.items()), f"--envelope={envelope}"]
    )
