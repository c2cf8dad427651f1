"""Field mappings are heard by every provider, and by the one that the templates make."""

import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

import providers
from domain.deliveries import Told
from domain.entities import Entity
from domain.field_mapping import NO_MAPPING
from providers._kit.protocols import Provider
from providers._kit.registry import Registry
from providers._kit.testing.mapping import check_mapped_page, check_mapped_webhooks
from providers._kit.testing.webhooks import Samples
from scripts.new_provider import write_provider

FOLDER = Path(providers.__path__[0])
NEW = "street_shop"
# A list of each kind, as each store sends it: the golden file, and how the list is wrapped.
LISTS = {
    ("woocommerce", Entity.CATEGORIES): "categories",
    ("woocommerce", Entity.PRODUCTS): "products_simple",
    ("woocommerce", Entity.CUSTOMERS): "customers",
    ("woocommerce", Entity.ORDERS): "orders",
    ("easyorder", Entity.CATEGORIES): "categories",
    ("easyorder", Entity.PRODUCTS): "products",
}
HEARING = [slug for slug in Registry().slugs if Registry().get(slug).webhooks is not None]
TEMPLATE_ROWS = [{"id": "p1", "name": "Tea", "sku": "T", "price": 9.5, "stock": 3}]

Answering = Callable[[httpx.Request], httpx.Response]


def listing(rows: Any) -> Answering:
    return lambda _: httpx.Response(
        200, json=rows, headers={"x-wp-total": "1", "x-wp-totalpages": "1"}
    )


def golden(slug: str, name: str) -> Any:
    return json.loads((FOLDER / slug / "golden" / f"{name}.wire.json").read_text())


@pytest.fixture
def new_provider(tmp_path: Path) -> Iterator[Provider]:
    write_provider(NEW, tmp_path)
    yield Registry(extra_paths=[tmp_path]).get(NEW)
    for name in [one for one in sys.modules if one.startswith(f"providers.{NEW}")]:
        del sys.modules[name]


@pytest.mark.parametrize(("slug", "entity"), list(LISTS))
async def test_a_page_went_through_the_stores_own_rules(slug: str, entity: Entity) -> None:
    await check_mapped_page(
        Registry().get(slug), listing(golden(slug, LISTS[slug, entity])), entity
    )


@pytest.mark.parametrize("slug", HEARING)
def test_a_webhook_went_through_the_stores_own_rules(slug: str) -> None:
    check_mapped_webhooks(Registry().get(slug), Samples.load(FOLDER / slug))


async def test_the_templates_make_a_provider_that_hears_rules(new_provider: Provider) -> None:
    body = {"data": TEMPLATE_ROWS, "total": 1}
    await check_mapped_page(new_provider, listing(body), Entity.PRODUCTS)


class _Deaf:
    """A provider that does not hear rules."""

    def __init__(self, provider: Provider) -> None:
        self._provider = provider

    def __getattr__(self, name: str) -> Any:
        return getattr(self._provider, name)

    def connect(self, config: Any, facts: Any, session: Any) -> Any:
        deaf = facts.model_copy(update={"field_mapping": NO_MAPPING})
        return self._provider.connect(config, deaf, session)


async def test_a_provider_that_hears_no_rules_is_caught() -> None:
    deaf: Any = _Deaf(Registry().get("woocommerce"))
    with pytest.raises(AssertionError, match="went past the rules"):
        await check_mapped_page(deaf, listing(golden("woocommerce", "customers")), Entity.CUSTOMERS)


def test_webhooks_that_hear_no_rules_are_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    shop = Registry().get("woocommerce")
    webhooks: Any = type(shop.webhooks)
    heard = webhooks.read

    def read(self: Any, config: Any, facts: Any, delivery: Any) -> Told:
        deaf = facts.model_copy(update={"field_mapping": NO_MAPPING})
        told: Told = heard(self, config, deaf, delivery)
        return told

    monkeypatch.setattr(webhooks, "read", read)
    with pytest.raises(AssertionError, match="where a row becomes a record"):
        check_mapped_webhooks(shop, Samples.load(FOLDER / "woocommerce"))
