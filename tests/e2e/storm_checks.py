"""What has to be true once a storm is over."""

import asyncio
import time
from collections import Counter
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from tests.e2e.storm import Storm
from tests.e2e.storm_expected import ALL, FIRST, SECOND
from tests.e2e.two_way import SECRET, Connected, World, delivery_name

_COUNTED_WITHIN_S = 10.0
_LOOK_AGAIN_S = 0.1

_FAILED = """
select 'event', topic, error_message from webhook_events where status = 'failed'
union all
select 'push', concat(entity, ' ', record_id), last_error from pushes where status <> 'pending'
union all
select 'conflict', entity, fields::text from conflicts where status = 'open'
"""
_AVAILABLE = """
select v.sku, sum(i.on_hand - i.reserved) from inventory_levels i
join product_variants v on v.id = i.variant_id where v.deleted_at is null group by v.sku
"""
_ORDERS = """
select l.external_id, o.status from links l
join orders o on o.id = l.record_id and o.tenant_id = l.tenant_id
where l.store_id = %(store)s and l.entity = 'orders'
  and l.deleted_at is null and o.deleted_at is null
"""
_EVENTS = "select topic, body from webhook_events where store_id = %(store)s"
_COUNTED = "select name, count from webhook_counters where store_id = %(store)s"
_NEVER = {
    "what waits for a person": _FAILED,
    "a level below nothing": """
      select v.sku, i.on_hand, i.reserved from inventory_levels i
      join product_variants v on v.id = i.variant_id
      where i.on_hand < 0 or i.reserved < 0 or i.on_hand < i.reserved
    """,
    "a level that its movements do not explain": """
      select i.variant_id, i.on_hand, m.total from inventory_levels i
      left join lateral (
        select sum(quantity) as total from inventory_movements m
        where m.variant_id = i.variant_id and m.warehouse_id = i.warehouse_id) m on true
      where m.total is distinct from i.on_hand
    """,
    "something reserved by no order": """
      select i.variant_id, i.reserved, r.total from inventory_levels i
      left join lateral (
        select coalesce(sum(reserved), 0) as total from reservations r
        where r.variant_id = i.variant_id and r.warehouse_id = i.warehouse_id
          and r.status = 'held') r on true
      where r.total <> i.reserved
    """,
    "an SKU twice": """
      select sku, count(*) from product_variants where deleted_at is null and sku <> ''
      group by sku having count(*) > 1
    """,
    "an order twice": """
      select store_id, number, count(*) from orders group by 1, 2 having count(*) > 1
    """,
    "a record linked twice to a store": """
      select store_id, entity, record_id, count(*) from links where deleted_at is null
      group by 1, 2, 3 having count(*) > 1
    """,
    "a record made twice": """
      select entity, record_id, count(*) from changes where action = 'created'
      group by 1, 2 having count(*) > 1
    """,
    "a gap among the changes": """
      select min(seq), max(seq), count(*) from changes group by tenant_id
      having max(seq) - min(seq) + 1 <> count(*) or count(distinct seq) <> count(*)
    """,
    "a receipt booked twice": """
      select note, count(*) from inventory_movements where kind in ('receipt', 'invoice')
      group by note having count(*) > 1
    """,
}


async def check_after(storm: Storm) -> None:
    """Wait for the end of all work, catch up with what no webhook told, and compare all sides."""
    world = storm.world
    await world.settled()
    for kind in ("pull", "reconcile"):
        await asyncio.gather(*(world.catch_up(store, kind) for store in world.stores))
        await world.settled()
    for what, statement in _NEVER.items():
        found = await world.rows(statement)
        assert not found, f"{what}: {found}"
    await _check_products(storm)
    await _check_stock(storm)
    for side, store in ((FIRST, world.first), (SECOND, world.second)):
        await _check_orders(storm, side, store)
        await _check_webhooks(world, store)


async def _check_products(storm: Storm) -> None:
    expected, world = storm.expected, storm.world
    hub = {
        sku: (one["title"], Decimal(one["variants"][0]["price"]))
        for sku, one in (await world.hub_products()).items()
    }
    due = {*expected.skus, *expected.born}
    assert due <= set(hub) <= due | expected.doubtful, set(hub) ^ due
    for store in world.stores:
        sold = {
            sku: (one["name"], Decimal(one["regular_price"]))
            for sku, one in (await store.for_sale()).items()
            if one["status"] == "publish"
        }
        assert _differences(hub, sold) == {}, (store.shop.url, _differences(hub, sold))
    meant = {sku: (title, Decimal(price)) for sku, (title, price) in expected.content.items()}
    lost = _differences({sku: hub[sku] for sku in meant}, meant)
    assert lost == {}, lost


def _differences(one: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    return {
        sku: (one.get(sku), other.get(sku))
        for sku in sorted({*one, *other})
        if one.get(sku) != other.get(sku)
    }


async def _check_stock(storm: Storm) -> None:
    expected, world = storm.expected, storm.world
    for note, (sku, quantity) in expected.receipts.items():
        made = await world.rows(
            "select count(*) from inventory_movements where note = %(note)s", note=note
        )
        expected.moved[sku] += quantity * made[0][0]
    expected.receipts.clear()
    hub = {sku: int(number) for sku, number in await world.rows(_AVAILABLE)}
    for store in world.stores:
        shown = {
            sku: one["stock_quantity"]
            for sku, one in (await store.for_sale()).items()
            if one["status"] == "publish"
        }
        assert _differences(hub, shown) == {}, (store.shop.url, _differences(hub, shown))
    # What all sides move at once may be off by a sale that a push has overwritten in its shop.
    shared = expected.moved_by(ALL)
    storm.off = {sku: off for sku in shared if (off := hub[sku] - expected.stock(sku))}
    meant = {sku: expected.stock(sku) for sku in expected.skus if sku not in shared}
    wrong = _differences({sku: hub[sku] for sku in meant}, meant)
    assert wrong == {}, wrong


async def _check_orders(storm: Storm, side: int, store: Connected) -> None:
    """Every order of the shop is in the hub once, and both say what was said last."""
    rows = await storm.world.rows(_ORDERS, store=store.store_id)
    hub = {row[0]: row[1].replace("_", "-") for row in rows}
    assert len(hub) == len(rows)
    shop = {str(one["id"]): one["status"] for one in await store.truth("orders")}
    meant = {str(sale.id): sale.status for sale in storm.expected.sales[side]}
    assert _differences(hub, shop) == {}, _differences(hub, shop)
    assert _differences(hub, meant) == {}, _differences(hub, meant)


async def _check_webhooks(world: World, store: Connected) -> None:
    """What was answered 200 is there once; what was refused is not; nothing else is."""
    await world.collect_deliveries(store)
    taken: Counter[str] = Counter()
    doubtful: Counter[str] = Counter()
    statuses: Counter[int] = Counter()
    for one in world.posted:
        if one.store_id == store.store_id:
            statuses[one.status or 0] += 1
            if one.status == 200:
                taken[one.name] += 1
            elif one.status is None or one.status >= 500:
                doubtful[one.name] += 1
    rows = await world.rows(_EVENTS, store=store.store_id)
    kept = Counter(delivery_name(topic, bytes(body)) for topic, body in rows)
    lost = taken - kept
    doubled = kept - taken - doubtful
    assert not lost, f"{lost.total()} of {taken.total()} lost: {statuses}"
    assert not doubled, f"{doubled.total()} more than the {taken.total()} taken: {statuses}"
    if not doubtful:
        assert kept == taken
    # Counts are gathered for half a second: those of a killed process are lost.
    counted: dict[str, int] = dict(await world.rows(_COUNTED, store=store.store_id))
    assert counted.get("accepted", 0) <= len(rows)
    assert counted.get("forged", 0) <= statuses[401]


async def check_counters(world: World) -> None:
    """In quiet times every delivery is counted for what it is."""
    store = world.first
    some = next(iter((await store.for_sale()).values()))
    path = f"/api/stores/{store.store_id}/webhook-events/counters"
    before = Counter((await world.insist("GET", path)).json()["counters"])
    for secret, status, times in ((SECRET, 200, 15), ("whs-of-somebody-else", 401, 3)):
        for _ in range(times):
            told = await world.post_webhook(store, "product.updated", some, secret=secret)
            assert told == status
    await world.settled()
    deadline, risen = time.monotonic() + _COUNTED_WITHIN_S, Counter[str]()
    # The API writes its counters every half second.
    while (risen["accepted"], risen["forged"]) != (15, 3):
        assert time.monotonic() < deadline, risen
        await asyncio.sleep(_LOOK_AGAIN_S)
        risen = Counter((await world.insist("GET", path)).json()["counters"]) - before
    assert risen["duplicate"] + risen["unchanged"] + risen["stale"] == 15, risen
