"""A sandbox shop as a process of its own: `python -m runtime.cli.sandbox_process FILE`.

What it is told stands in a file that only its owner may read, and it prints nothing: keys belong
neither in lists of processes nor in logs.
"""

import json
import sys
from pathlib import Path

from sandbox.woocommerce.seed import ShopSeed
from sandbox.woocommerce.serving import Address, Options, Ready, serve


def main(path: str) -> None:
    """Serve until SIGINT or SIGTERM."""
    told = json.loads(Path(path).read_bytes())
    serve(
        ShopSeed(products=told["products"], orders=told["orders"], seed=told["seed"]),
        Address(port=told["port"]),
        Options(
            consumer_key=told["consumer_key"],
            consumer_secret=told["consumer_secret"],
            token=told["token"],
        ),
        _say_nothing,
    )


def _say_nothing(_ready: Ready) -> None:
    return


if __name__ == "__main__":
    main(sys.argv[1])
