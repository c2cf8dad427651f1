"""The shop of an embedded hub, as its people work in it, and one beside it."""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx

from runtime.cli.sandbox_shop import SandboxShop
from tests.e2e.shop import running


def operate(shop: SandboxShop, **operation: Any) -> None:
    """Do something in the shop."""
    answer = httpx.post(
        f"{shop.url}/_sandbox/operations",
        headers={"X-Sandbox-Token": shop.token},
        json=operation,
        trust_env=False,
    )
    assert answer.status_code == 200


def live_orders(shop: SandboxShop) -> list[int]:
    """Orders without a note, by id."""
    answer = httpx.get(
        f"{shop.url}/_sandbox/truth",
        params={"entity": "orders"},
        headers={"X-Sandbox-Token": shop.token},
        trust_env=False,
    )
    orders = [json.loads(line) for line in answer.text.splitlines()]
    return [one["id"] for one in orders if not one["customer_note"]]


@contextmanager
def open_another() -> Iterator[dict[str, str]]:
    """The connection form of a shop beside the hub's own."""
    argv = (sys.executable, "-m", "sandbox.woocommerce", "--port", "0")
    with running((*argv, "--products", "5", "--orders", "5")) as process:
        assert process.stdout is not None
        told = json.loads(process.stdout.readline())
        keys = {"consumerKey": told["consumer_key"], "consumerSecret": told["consumer_secret"]}
        yield {"storeUrl": told["url"], **keys}
