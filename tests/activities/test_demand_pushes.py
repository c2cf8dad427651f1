"""Pushes that somebody asked for: what is meant, what comes of it, and that nothing is lost."""

from datetime import UTC, datetime, timedelta

from activities.demand_models import PushCounts
from domain.entities import Entity
from domain.lanes import LaneKind
from domain.pushing import Outcome, Pushed
from domain.records import Customer
from domain.statuses import OrderStatus
from domain.sync_settings import ConflictPolicy, Direction, StoreSettings
from tests.activities.demand_desk import Desk
from tests.activities.push_room import EVERYTHING, PushRoom
from tests.db.factories import customer, line, order, product

CUSTOMERS, PRODUCTS = Entity.CUSTOMERS, Entity.PRODUCTS
ORDERS = Entity.ORDERS
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


def emails(room: PushRoom) -> list[str]:
    made = room.shop.table(CUSTOMERS).values()
    return sorted(one.email for one in made if isinstance(one, Customer))


async def test_what_is_named_is_sent_though_the_store_is_only_pulled_from(desk: Desk) -> None:
    ids = (await desk.id_of("1"), await desk.id_of("3"))
    assert await desk.ask(CUSTOMERS, record_ids=ids) == PushCounts(queued=2, waiting=2)
    assert desk.room.lane.woken == [(LaneKind.PUSH, desk.room.away.store_id)]
    await desk.room.drain()
    assert emails(desk.room) == ["c1@example.test", "c3@example.test"]
    assert await desk.watch(CUSTOMERS) == PushCounts(queued=2, sent=2)
    assert await desk.room.rows() == []


async def test_all_are_sent_but_guests_who_are_counted(desk: Desk) -> None:
    counts = await desk.ask(CUSTOMERS, all_records=True)
    assert counts == PushCounts(queued=3, waiting=3, skipped=1)
    await desk.room.drain()
    assert len(emails(desk.room)) == 3


async def test_only_what_changed_since_is_sent(desk: Desk) -> None:
    await desk.room.home.rows("update customers set updated_at = :at", at=LONG_AGO)
    since = datetime.now(UTC) - timedelta(minutes=1)
    await desk.room.come_in(CUSTOMERS, customer("2", "new@example.test", version=1))
    assert (await desk.ask(CUSTOMERS, modified_since=since)).queued == 1
    await desk.room.drain()
    assert emails(desk.room) == ["new@example.test"]


async def test_what_is_known_to_be_alike_needs_no_request_and_counts_as_sent(desk: Desk) -> None:
    await desk.ask(CUSTOMERS, all_records=True)
    await desk.room.drain()
    await desk.ask(CUSTOMERS, all_records=True)
    await desk.room.drain()
    assert len(desk.room.shop.requests) == 1
    assert await desk.watch(CUSTOMERS) == PushCounts(queued=3, sent=3, skipped=1)


async def test_forced_it_is_sent_all_the_same_whole(desk: Desk) -> None:
    await desk.ask(CUSTOMERS, all_records=True)
    await desk.room.drain()
    await desk.ask(CUSTOMERS, all_records=True, force=True)
    await desk.room.drain()
    assert len(desk.room.shop.requests) == 2
    assert all(one.is_forced and one.compared is None for one in desk.room.shop.requests[1])
    assert (await desk.watch(CUSTOMERS)).sent == 3


async def test_forced_the_hub_wins_what_waits_for_a_person(desk: Desk) -> None:
    room = desk.room
    settings = StoreSettings(sync_directions=EVERYTHING, conflict_policy=ConflictPolicy.MANUAL)
    room.opener.settings = settings
    await room.away.rows(
        "update stores set settings = cast(:settings as jsonb) where id = :store",
        settings=settings.model_dump_json(by_alias=True),
    )
    await desk.ask(CUSTOMERS, record_ids=[await desk.id_of("1")])
    await room.drain()
    [key] = room.shop.table(CUSTOMERS)
    await room.come_in(CUSTOMERS, customer("1", "c1@example.test", version=1, first_name="Hub"))
    theirs = room.shop.table(CUSTOMERS)[key].model_copy(update={"first_name": "Shop"})
    room.shop.table(CUSTOMERS)[key] = theirs
    await room.away.take(CUSTOMERS, room.shop.pulled(CUSTOMERS, key))
    assert await room.away.rows("select status from conflicts") == [("open",)]
    await desk.ask(CUSTOMERS, record_ids=[await desk.id_of("1")], force=True)
    await room.drain()
    assert room.shop.table(CUSTOMERS)[key].first_name == "Hub"  # type: ignore[attr-defined]
    assert await room.away.rows("select status from conflicts") == [("resolved",)]


async def test_what_is_switched_off_is_not_sent_and_says_so(desk: Desk) -> None:
    ways = EVERYTHING.model_copy(update={"customers": Direction.OFF})
    desk.room.opener.settings = StoreSettings(sync_directions=ways)
    await desk.ask(CUSTOMERS, all_records=True)
    await desk.room.drain()
    assert (await desk.watch(CUSTOMERS)).failed == 3
    [*_, (reason,)] = await desk.room.rows("last_error")
    assert "syncDirections.customers" in reason
    assert desk.room.shop.requests == []


async def test_what_follows_from_a_change_is_still_dropped_there(desk: Desk) -> None:
    await desk.ask(CUSTOMERS, record_ids=[await desk.id_of("1")])
    await desk.room.away.rows(
        "insert into pushes (tenant_id, store_id, entity, record_id)"
        " select tenant_id, :store, 'customers', id from customers"
        " where email = 'c2@example.test'"
    )
    await desk.room.drain()
    assert emails(desk.room) == ["c1@example.test"]
    assert await desk.room.rows() == []


async def test_a_change_meanwhile_leaves_the_row_to_its_run(desk: Desk) -> None:
    desk.room.opener.settings = StoreSettings(sync_directions=EVERYTHING)
    await desk.ask(CUSTOMERS, record_ids=[await desk.id_of("1")])
    edited = customer("1", "edited@example.test", version=1)

    async def edit() -> None:
        desk.room.shop.meanwhile = None
        await desk.room.come_in(CUSTOMERS, edited)
        assert (await desk.watch(CUSTOMERS)).waiting == 1

    desk.room.shop.meanwhile = edit
    await desk.room.drain()
    assert await desk.watch(CUSTOMERS) == PushCounts(queued=1, sent=1)
    assert emails(desk.room) == ["edited@example.test"]


async def test_what_the_store_refuses_is_failed_until_it_is_retried(desk: Desk) -> None:
    key = await desk.room.key_of("1", CUSTOMERS)
    desk.room.shop.says_no[key] = Pushed(key, Outcome.REFUSED, is_permanent=True, reason="no")
    await desk.ask(CUSTOMERS, all_records=True)
    await desk.room.drain()
    counts = await desk.watch(CUSTOMERS)
    assert (counts.sent, counts.failed) == (2, 1)
    desk.room.shop.says_no.clear()
    await desk.room.home.rows("update pushes set status = 'pending', attempts = 0")
    await desk.room.drain()
    assert (await desk.watch(CUSTOMERS)).sent == 3


async def test_a_guest_and_an_order_of_another_store_are_no_records_of_this_one(
    desk: Desk,
) -> None:
    [(guest,)] = await desk.room.home.rows("select id from customers where is_guest")
    assert (await desk.ask(CUSTOMERS, record_ids=[guest])).skipped == 1
    foreign = await desk.id_of("o1", "orders")
    assert await desk.ask(ORDERS, record_ids=[foreign]) == PushCounts(skipped=1)
    assert (await desk.ask(ORDERS, all_records=True)) == PushCounts()


async def test_who_becomes_a_guest_meanwhile_is_failed_with_a_reason(desk: Desk) -> None:
    await desk.ask(CUSTOMERS, record_ids=[await desk.id_of("1")])
    await desk.room.home.rows("update customers set is_guest = true")
    await desk.room.drain()
    assert await desk.watch(CUSTOMERS) == PushCounts(queued=1, failed=1)
    [(status, reason)] = await desk.room.rows("status, last_error")
    assert (status, "guest" in reason) == ("unsupported", True)


async def test_an_order_of_the_store_is_told_its_status(desk: Desk) -> None:
    room = desk.room
    own = order("a1")
    room.shop.table(ORDERS)["a1"] = own.record
    await room.away.take(ORDERS, own, order("a2"))
    await room.away.rows("update orders set status = 'completed' where number = 'a1'")
    await room.away.rows(
        "update links set differs = true where entity = 'orders' and external_id = 'a1'"
    )
    await desk.unasked()
    assert (await desk.ask(ORDERS, all_records=True)).queued == 1
    await room.drain()
    assert room.shop.table(ORDERS)["a1"].status is OrderStatus.COMPLETED  # type: ignore[attr-defined]


async def test_products_priced_in_another_currency_fail_with_a_reason(desk: Desk) -> None:
    await desk.room.come_in(PRODUCTS, product("1"))
    await desk.unasked()
    await desk.room.away.rows('update stores set facts = \'{"currency": "USD"}\' where id = :store')
    await desk.ask(PRODUCTS, all_records=True)
    await desk.room.drain()
    assert (await desk.watch(PRODUCTS)).failed == 1
    assert await desk.room.rows("status") == [("unsupported",)]


async def test_categories_and_lines_are_meant_too(desk: Desk) -> None:
    await desk.room.come_in(PRODUCTS, product("1"))
    await desk.room.come_in(ORDERS, order("o2", line("o2-1", "1")))
    await desk.unasked()
    assert (await desk.ask(PRODUCTS, all_records=True)).queued == 1
    assert (await desk.ask(Entity.CATEGORIES, all_records=True)).queued == 0
