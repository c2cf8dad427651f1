"""A shop's own rules: what is read, what a webhook tells and what a push answers agree."""

import json
from typing import Any

from domain.deliveries import Delivery, Told
from domain.entities import Entity
from domain.field_mapping import FieldMapping, MappingRule
from domain.pushing import Outgoing
from domain.records import Customer, Product
from providers.woocommerce.client import WooCommerceClient
from tests.providers.fake_store import json_answer
from tests.providers.woocommerce.received import WEBHOOKS
from tests.providers.woocommerce.shops import client, config, facts, golden, route
from tests.providers.woocommerce.visits import Visit, product_of, visit

RULES = FieldMapping(
    (
        MappingRule(
            entity=Entity.PRODUCTS, target="title", expression="join(' ', [name, '(', sku, ')'])"
        ),
        MappingRule(entity=Entity.VARIANTS, target="extra.tax", expression="tax_class"),
        MappingRule(entity=Entity.PRODUCTS, target="extra.kind", expression="type"),
        MappingRule(entity=Entity.CUSTOMERS, target="lastName", expression="username"),
        MappingRule(entity=Entity.ORDERS, target="extra.agent", expression="customer_user_agent"),
    )
)


def with_rules(shop: Visit) -> WooCommerceClient:
    known = facts(url=shop.ready.url, auth="oauth", signing_url=shop.ready.url)
    known = known.model_copy(
        update={
            "details": {**known.details, "flat_variations": True},
            "field_mapping": RULES,
        }
    )
    return WooCommerceClient(shop.client._config, known, shop.session)


def mapped_title(document: dict[str, Any]) -> str:
    return f"{document['name']} ( {document['sku']} )"


async def test_a_push_leaves_a_mapped_field_alone_and_answers_as_a_read_does() -> None:
    async with visit() as shop:
        reader = with_rules(shop)
        number = shop.first("simple")
        before = shop.document("products", number)
        [pulled] = (await reader.fetch_by_ids(Entity.PRODUCTS, [str(number)])).records
        assert isinstance(pulled.record, Product)
        changed = pulled.record.model_copy(update={"short_description": "<p>New</p>\n"})
        item = Outgoing(
            "products-1", str(number), changed, base=pulled.record, held=frozenset(("title",))
        )
        shop.box.journal.clear()
        [pushed] = await reader.push(Entity.PRODUCTS, [item])
        forced = Outgoing(
            "products-1",
            str(number),
            product_of(pushed),
            base=product_of(pushed),
            held=frozenset(("title",)),
            is_forced=True,
        )
        await reader.push(Entity.PRODUCTS, [forced])
        after = shop.document("products", number)
        [read] = (await reader.fetch_by_ids(Entity.PRODUCTS, [str(number)])).records
        body = json.dumps(after).encode()
        told = WEBHOOKS.read(
            config(),
            facts().model_copy(update={"field_mapping": RULES, "currency": "EUR"}),
            Delivery("generic", {"x-wc-webhook-topic": "product.updated"}, body),
        )

    assert pulled.record.title == mapped_title(before)
    assert (after["name"], after["short_description"]) == (before["name"], "<p>New</p>\n")
    assert product_of(pushed).title == mapped_title(after)
    assert isinstance(told, Told)
    assert read.record == told.pulled.record
    assert read.record == product_of(pushed)
    assert product_of(pushed).variants[0].extra["tax"] == after["tax_class"]


async def test_variations_are_mapped_from_their_own_rows() -> None:
    parent = golden("products_variable")[0]
    parts = [one for one in golden("variations") if one["id"] in parent["variations"]]
    for place, one in enumerate(parts):
        one["tax_class"] = f"class-{place}"
    store, _ = client(
        lambda request: json_answer(
            parts if "variations" in route(request) else [parent], total=1, pages=1
        ),
        flat_variations=True,
    )
    plain = await store.fetch_page(Entity.PRODUCTS, 1)
    known = facts(flat_variations=True).model_copy(update={"field_mapping": RULES})
    mapped = await WooCommerceClient(config(), known, store.known.session).fetch_page(
        Entity.PRODUCTS, 1
    )
    [before], [after] = plain.records, mapped.records
    assert isinstance(before.record, Product)
    assert isinstance(after.record, Product)
    found = {one.external_id: one.extra["tax"] for one in after.record.variants}
    assert found == {str(one["id"]): one["tax_class"] for one in parts}
    assert len(found) > 1
    assert after.record.extra["kind"] == "variable"


async def test_a_record_whose_rule_fails_is_set_aside_and_the_page_goes_on() -> None:
    rows = golden("customers")[:1] * 2
    broken = {**rows[0], "id": 99, "username": {"a": "person's own words"}}
    known = facts().model_copy(update={"field_mapping": RULES})
    store, _ = client(lambda _: json_answer([rows[0], broken], total=2, pages=1))
    reader = WooCommerceClient(config(), known, store.known.session)
    page = await reader.fetch_page(Entity.CUSTOMERS, 1)
    [kept], [aside] = page.records, page.rejected
    assert isinstance(kept.record, Customer)
    assert kept.record.last_name == rows[0]["username"]
    assert (aside.external_id, aside.position) == ("99", 1)
    assert "customers.lastName" in aside.reason
    assert "person" not in aside.reason


def test_rules_are_no_part_of_the_facts_that_are_kept() -> None:
    known = facts().model_copy(update={"field_mapping": RULES})
    assert "field_mapping" not in known.model_dump(mode="json")
    assert known.model_dump(mode="json") == facts().model_dump(mode="json")
