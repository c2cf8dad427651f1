"""`python -m sandbox.easyorder`: serve a store until Ctrl-C, after one ready line of JSON."""

import argparse
import json
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from sandbox.easyorder.seed import StoreSeed
from sandbox.easyorder.serving import Ready, serving
from sandbox.easyorder.shop import Behaviour
from sandbox.hosting import serve_until_told


def parser() -> argparse.ArgumentParser:
    """The command line."""
    made = argparse.ArgumentParser(prog="python -m sandbox.easyorder", description=__doc__)
    made.add_argument("--host", default="127.0.0.1")
    made.add_argument("--port", type=int, default=8091, help="0 takes a free one")
    made.add_argument("--products", type=int, default=60)
    made.add_argument("--categories", type=int, default=6)
    made.add_argument("--orders", type=int, default=0)
    made.add_argument("--seed", type=int, default=1)
    made.add_argument("--key", default="", help="API key; default: made from the seed")
    made.add_argument("--token", default="", help="of the control API; default: random")
    made.add_argument("--envelope", choices=("array", "data"), default="array")
    made.add_argument("--max-limit", type=int, default=100, help="most rows of a page")
    made.add_argument("--requests-per-minute", type=int, default=40)
    return made


def _announce(ready: Ready) -> None:
    sys.stdout.write(json.dumps(ready.as_dict()) + "\n")
    sys.stdout.flush()


def main(argv: Sequence[str] | None = None) -> None:
    """Parse the command line and serve."""
    args = parser().parse_args(argv)
    seed = StoreSeed(args.products, args.categories, args.orders, args.seed)
    behaviour = Behaviour(
        envelope=args.envelope,
        max_limit=args.max_limit,
        requests_per_minute=args.requests_per_minute,
    )

    @asynccontextmanager
    async def store() -> AsyncIterator[Ready]:
        async with serving(
            seed, behaviour, host=args.host, port=args.port, api_key=args.key, token=args.token
        ) as (ready, _):
            yield ready

    serve_until_told(store, _announce)


if __name__ == "__main__":
    main()
