"""What is told of an event beforehand is what the inbox then makes of it."""

import json
from collections.abc import Mapping
from typing import Any

from activities.stores import StoreOpener
from activities.webhook_trial import Verdict, WebhookTrial
from db.staging import Origin
from db.trial_events import ROUTE, add_trial_event
from domain.deliveries import Delivery
from tests.activities.inbox_room import Inbox
from tests.db.dumps import tenant_dump

PRICED = "select p.title, price from products p join product_variants v on v.product_id = p.id"


def sent(topic: str, data: Mapping[str, Any]) -> Delivery:
    return Delivery(ROUTE, {}, json.dumps(data).encode(), topic)


async def judge(inbox: Inbox, delivery: Delivery) -> Verdict:
    """What it would do; nothing is written, and the shop is not asked."""
    scene = inbox.scene
    hub = scene.hub
    opener = StoreOpener(hub.database, hub.box, hub.registry, hub.session)
    opened = await opener.open_config(scene.tenant_id, scene.store_id)
    trial = WebhookTrial(hub.database, opened, Origin(scene.tenant_id, scene.store_id))
    before, asked = await dump(inbox), len(scene.requests())
    verdict = await trial.judge(delivery)
    assert await dump(inbox) == before
    assert len(scene.requests()) == asked
    return verdict


async def dump(inbox: Inbox) -> Any:
    async with inbox.scene.hub.database.tenant(inbox.scene.tenant_id) as connection:
        return await tenant_dump(connection)


async def work_off(inbox: Inbox, delivery: Delivery) -> tuple[str, str | None]:
    scene = inbox.scene
    webhooks = scene.hub.registry.get("woocommerce").webhooks
    assert webhooks is not None
    async with scene.hub.database.tenant(scene.tenant_id) as connection:
        notice = webhooks.describe(delivery)
        await add_trial_event(connection, scene.tenant_id, scene.store_id, notice, delivery.body)
    await inbox.take()
    status, outcome = (await inbox.results())[-1]
    return status, outcome


async def test_each_event_is_told_as_it_is_then_worked_off(inbox: Inbox) -> None:
    order = inbox.order(customer_note="Ring twice")
    steps: list[tuple[str, Mapping[str, Any], str, str]] = [
        ("order.created", order, "created", "applied"),
        ("order.updated", order, "unchanged", "unchanged"),
        (
            "order.updated",
            {**order, "status": "completed", "date_modified_gmt": "2040-01-01T00:00:00"},
            "updated",
            "applied",
        ),
        (
            "order.updated",
            {**order, "status": "failed", "date_modified_gmt": "2001-01-01T00:00:00"},
            "ignored",
            "stale",
        ),
        ("order.updated", {"id": order["id"], "status": "completed"}, "reread", "reread"),
        ("order.updated", {"code": "rest_forbidden"}, "ignored", "ignored"),
        (
            "order.updated",
            {**order, "status": "trash", "date_modified_gmt": "2041-01-01T00:00:00"},
            "deleted",
            "deleted",
        ),
        ("order.updated", order, "reread", "reread"),
    ]
    for topic, data, would_do, outcome in steps:
        delivery = sent(topic, data)
        assert (topic, (await judge(inbox, delivery)).would_do) == (topic, would_do)
        assert await work_off(inbox, delivery) == ("processed", outcome)


async def test_the_diff_of_an_order_tells_its_fields_and_its_guest(inbox: Inbox) -> None:
    order = inbox.order(customer_note="Ring twice")
    verdict = await judge(inbox, sent("order.created", order))
    assert verdict.fields["customer_note"] == {"from": None, "to": "Ring twice"}
    [guest] = [one for one in verdict.related if one.entity == "customers"]
    assert guest.fields["email"] == {"from": None, "to": "ann@example.test"}
    await work_off(inbox, sent("order.created", order))
    changed = {**order, "customer_note": "", "date_modified_gmt": "2040-01-01T00:00:00"}
    verdict = await judge(inbox, sent("order.updated", changed))
    assert verdict.fields == {"customer_note": {"from": "Ring twice", "to": ""}}


async def test_a_part_that_is_applied_blanks_nothing_for_the_record_is_read_again(
    inbox: Inbox,
) -> None:
    product_id = inbox.product_id()
    changes = {"name": "As the shop has it", "regular_price": "12"}
    inbox.scene.shop.shop.edit("products", product_id, changes)
    row = inbox.told("products", product_id)
    await work_off(inbox, sent("product.updated", row))
    [(title, price)] = await inbox.scene.rows(PRICED)
    assert title == "As the shop has it"
    part = sent("product.updated", {"id": product_id, "name": "Test Product"})
    verdict = await judge(inbox, part)
    assert verdict.would_do == "reread"
    assert verdict.fields == {"title": {"from": title, "to": "Test Product"}}
    assert await work_off(inbox, part) == ("processed", "reread")
    assert await inbox.scene.rows(PRICED) == [(title, price)]
