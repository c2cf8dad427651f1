"""What has to be true once a storm is over."""

import json

from tests.e2e.two_way import Connected, Storm, World

_FAILED = """
select (select count(*) from webhook_events where status = 'failed')
     + (select count(*) from pushes where status <> 'pending')
"""
_ACCEPTED = """
select count(*) from webhook_events where store_id = %(store)s
"""


async def check_after(storm: Storm) -> None:
    """Wait for the end of all work, catch up with what no webhook told, and compare all sides."""
    world = storm.world
    await world.settled()
    for store in (world.first, world.second):
        await world.catch_up(store)
    await world.settled()
    await _check_webhooks(world)
    await _check_products(storm)
    await _check_orders(storm)
    assert await world.hub.query(_FAILED) == [(0,)]


async def _check_products(storm: Storm) -> None:
    hub = await storm.world.hub_products()
    first = await storm.world.products(storm.world.first)
    second = await storm.world.products(storm.world.second)
    assert set(first) == set(hub) == set(second)
    differing = {
        sku: (hub[sku]["title"], first[sku]["name"], second[sku]["name"])
        for sku in hub
        if len({hub[sku]["title"], first[sku]["name"], second[sku]["name"]}) > 1
    }
    assert differing == {}, differing
    lost = {
        sku: (hub[sku]["title"], possible)
        for sku, possible in storm.expected.items()
        if hub[sku]["title"] not in possible
    }
    assert lost == {}, lost


async def _check_orders(storm: Storm) -> None:
    """Every order of the shop is in the hub, once."""
    store = storm.world.first
    rows = await storm.world.hub.query(
        "select l.external_id from links l join orders o on o.id = l.record_id"
        " and o.tenant_id = l.tenant_id where l.store_id = %(store)s and l.entity = 'orders'"
        " and l.deleted_at is null and o.deleted_at is null",
        store=store.store_id,
    )
    assert rows is not None
    held = [row[0] for row in rows]
    assert len(held) == len(set(held))
    assert set(held) == await _live_orders(store)


async def _live_orders(store: Connected) -> set[str]:
    answer = await store.shop.control.get("truth", params={"entity": "orders"})
    lines = [json.loads(line) for line in answer.raise_for_status().text.splitlines()]
    drafts = ("checkout-draft", "auto-draft", "trash")
    return {str(one["id"]) for one in lines if one["status"] not in drafts}


async def _check_webhooks(world: World) -> None:
    """What was answered 200 is there, and worked off."""
    for store in (world.first, world.second):
        sent = (await store.shop.control.get("deliveries")).raise_for_status().json()
        accepted = sum(1 for one in sent if one["status"] == 200 and one["record_id"])
        kept = await world.hub.query(_ACCEPTED, store=store.store_id)
        assert kept is not None
        assert kept[0][0] >= accepted, (kept, accepted)
