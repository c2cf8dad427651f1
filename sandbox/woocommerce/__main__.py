"""`python -m sandbox.woocommerce`: serve a shop until Ctrl-C, after one ready line of JSON."""

import argparse
import json
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from sandbox.woocommerce.seed import ShopSeed
from sandbox.woocommerce.serving import Address, Options, Ready, serve


def parser() -> argparse.ArgumentParser:
    """The command line."""
    made = argparse.ArgumentParser(prog="python -m sandbox.woocommerce", description=__doc__)
    made.add_argument("--host", default="127.0.0.1")
    made.add_argument("--port", type=int, default=8090, help="0 takes a free one")
    made.add_argument("--https-port", type=int, help="0 takes a free one; without it no https")
    made.add_argument("--ca-dir", type=Path, help="where the test authority's files go")
    made.add_argument("--products", type=int, default=300)
    made.add_argument("--orders", type=int, default=100)
    made.add_argument("--customers", type=int, help="default: one for every five orders, and ten")
    made.add_argument("--categories", type=int, default=12)
    made.add_argument("--seed", type=int, default=1)
    made.add_argument("--currency", default="EUR")
    made.add_argument("--bad-records", type=int, default=0, help="that many no client can take")
    made.add_argument("--key", default="", help="consumer key; default: made from the seed")
    made.add_argument("--secret", default="", help="consumer secret; default: made from the seed")
    made.add_argument("--token", default="", help="of the control API; default: random")
    made.add_argument(
        "--flat-variations",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="whether GET /variations exists (since WooCommerce 10.3)",
    )
    made.add_argument(
        "--prerender",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="render records before the ready line rather than when first asked for",
    )
    return made


def _announce(ready: Ready) -> None:
    sys.stdout.write(json.dumps(ready.as_dict()) + "\n")
    sys.stdout.flush()


def main(argv: Sequence[str] | None = None) -> None:
    """Parse the command line and serve."""
    args = parser().parse_args(argv)
    seed = ShopSeed(
        products=args.products,
        orders=args.orders,
        customers=args.customers,
        categories=args.categories,
        seed=args.seed,
        currency=args.currency,
        bad_records=args.bad_records,
    )
    options = Options(
        flat_variations=args.flat_variations,
        consumer_key=args.key,
        consumer_secret=args.secret,
        token=args.token,
        prerender=args.prerender,
    )
    with tempfile.TemporaryDirectory(prefix="sandbox-ca-") as fallback:
        address = Address(
            host=args.host,
            port=args.port,
            https_port=args.https_port,
            ca_dir=args.ca_dir or Path(fallback),
        )
        serve(seed, address, options, _announce)


if __name__ == "__main__":
    main()
