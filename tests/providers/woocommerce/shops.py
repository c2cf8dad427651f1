"""Shops and clients for the WooCommerce tests."""

import json
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


def golden(name: str) -> Any:
    return json.loads((GOLDEN / f"{name}.wire.json").read_text())


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


def product(number: int, **fields: Any) -> dict[str, Any]:
    row: dict[str, Any] = golden("products_simple")[0]
    return {**row, "id": number, **fields}


def order(number: int, **fields: Any) -> dict[str, Any]:
    row: dict[str, Any] = golden("orders")[0]
    return {**row, "id": number, "number": str(number), **fields}
