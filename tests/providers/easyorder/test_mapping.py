"""A store's own rules: lists, single reads, webhooks and the answers to pushes agree."""

import json
from typing import Any

from domain.deliveries import Delivery, Told
from domain.entities import Entity
from domain.field_mapping import FieldMapping, MappingRule
from domain.pushing import Outgoing
from domain.records import Order, Product
from providers.easyorder.client import EasyOrderClient
from sandbox.easyorder.seed import StoreSeed
from tests.providers.easyorder.stores import Visit, config, facts, visiting
from tests.providers.easyorder.test_webhooks import HOOKS

RULES = FieldMapping(
    (
        MappingRule(entity=Entity.PRODUCTS, target="title", expression="join(' / ', [name, slug])"),
        MappingRule(entity=Entity.PRODUCTS, target="extra.price", expression="price"),
        # Only a single read tells it: in lists and by themselves the record is the same.
        MappingRule(entity=Entity.PRODUCTS, target="extra.seo", expression="page_description"),
        MappingRule(entity=Entity.VARIANTS, target="extra.code", expression="taager_code"),
        MappingRule(entity=Entity.ORDERS, target="number", expression="id"),
    )
)


def mapped(visit: Visit) -> EasyOrderClient:
    return EasyOrderClient(config(), visit.session, RULES)


async def test_a_push_leaves_a_mapped_field_alone_and_answers_as_lists_do() -> None:
    async with visiting() as visit:
        row: dict[str, Any] = visit.simple()
        name = row["name"]
        client = mapped(visit)
        listed = await client.fetch_page(Entity.PRODUCTS, 1)
        before = next(one for one in listed.records if one.external_id == row["id"])
        assert isinstance(before.record, Product)
        changed = before.record.model_copy(update={"description": "New words"})
        item = Outgoing(
            "products-1", row["id"], changed, base=before.record, held=frozenset(("title",))
        )
        [pushed] = await client.push(Entity.PRODUCTS, [item])
        [single] = (await client.fetch_by_ids(Entity.PRODUCTS, [row["id"]])).records
        after = visit.store.tables["products"][row["id"]]

    assert before.record.title == f"{name} / {row['slug']}"
    assert float(before.record.extra["price"]) == float(row["price"])
    assert (after["name"], after["description"]) == (name, "New words")
    assert pushed.pulled is not None
    assert pushed.pulled.record == single.record
    assert pushed.pulled.record == changed


async def test_variants_are_mapped_from_their_own_rows() -> None:
    async with visiting() as visit:
        row: dict[str, Any] = visit.with_variants()
        [pulled] = (await mapped(visit).fetch_by_ids(Entity.PRODUCTS, [row["id"]])).records
    assert isinstance(pulled.record, Product)
    found = {one.external_id: one.extra.get("code") for one in pulled.record.variants}
    assert found == {one["id"]: one.get("taager_code") for one in row["variants"]}
    assert len(found) > 1


async def test_an_order_of_a_webhook_is_the_one_that_is_read() -> None:
    async with visiting(StoreSeed(products=4, categories=1, orders=2)) as visit:
        row: dict[str, Any] = visit.rows("orders")[0]
        [read] = (await mapped(visit).fetch_by_ids(Entity.ORDERS, [row["id"]])).records
        told = HOOKS.read(
            config(),
            facts().model_copy(update={"field_mapping": RULES}),
            Delivery("newOrder", {}, json.dumps(row, default=str).encode()),
        )
    assert isinstance(told, Told)
    assert isinstance(read.record, Order)
    assert isinstance(told.pulled.record, Order)
    assert read.record.number == told.pulled.record.number == row["id"]
