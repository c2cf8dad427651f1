"""Shops and clients for the WooCommerce tests."""

import json
from functools import cache
from pathlib import Path
from typing import Any

import httpx

from providers._kit.protocols import StoreFacts
from providers.woocommerce.client import WooCommerceClient
from providers.woocommerce.config import WooCommerceConfig
from tests.providers.fake_store import Answering, FakeStore

GOLDEN = Path(__file__).parents[3] / "providers" / "woocommerce" / "golden"
KEY = "ck_" + "1" * 40
SECRET = "cs_" + "2" * 40
URL = "https://shop.example"


@cache
def _text(name: str) -> str:
    return (GOLDEN / f"{name}.wire.json").read_text()


@cache
def _first(name: str) -> dict[str, Any]:
    row: dict[str, Any] = json.loads(_text(name))[0]
    return row


def golden(name: str) -> Any:
    return json.loads(_text(name))


def config(url: str = URL) -> WooCommerceConfig:
    return WooCommerceConfig.model_validate(
        {"storeUrl": url, "consumerKey": KEY, "consumerSecret": SECRET}
    )


def facts(*, url: str = URL, **details: Any) -> StoreFacts:
    return StoreFacts(
        store_url=url,
        currency="EUR",
        details={"api": "wp-json", "auth": "basic", "home_url": url, **details},
    )


def client(
    answering: Answering, *, url: str = URL, **details: Any
) -> tuple[WooCommerceClient, FakeStore]:
    store = FakeStore(answering)
    return WooCommerceClient(config(url), facts(url=url, **details), store.session()), store


def route(request: httpx.Request) -> str:
    return request.url.path.partition("/wc/v3/")[2]


def product(external_id: int, /, **fields: Any) -> dict[str, Any]:
    return {**_first("products_simple"), "id": external_id, **fields}


def order(external_id: int, /, **fields: Any) -> dict[str, Any]:
    return {**_first("orders"), "id": external_id, "number": str(external_id), **fields}
