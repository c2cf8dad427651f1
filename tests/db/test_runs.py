import json
from datetime import UTC, datetime
from typing import Any

import pytest

from db import ranges, runs
from db.ranges import RangeCounts, RangeKey, RangeState
from db.runs import RunKey
from domain.entities import Entity
from domain.pages import Rejected
from domain.statuses import SyncStatus
from tests.db.room import Room

STORE = (
    "select sync_status, last_sync_error, sync_retry_count, next_retry_at,"
    " last_sync_attempt_at is not null from stores where id = :store"
)
LOGS = "select action, status, error_message, retry_count, details from store_sync_logs order by 1"
LATER = datetime(2027, 1, 1, tzinfo=UTC)


async def begin(room: Room, run: str, kind: str = "import") -> tuple[int, bool]:
    key = RunKey(room.tenant_id, room.store_id, kind, f"import/{room.store_id}", run)
    async with room.database.tenant(room.tenant_id) as connection:
        begun = await runs.begin_run(connection, key)
        await runs.open_logs(connection, key, begun[0], [Entity.ORDERS, Entity.PRODUCTS])
    return begun


async def end(room: Room, run_id: int, status: SyncStatus, error: str | None = None) -> None:
    async with room.database.tenant(room.tenant_id) as connection:
        await runs.end_run(connection, run_id, room.store_id, status=status, error=error)
        await runs.close_logs(connection, run_id, status=status, error=error)


async def on_ranges(room: Room, work: Any, *args: Any, **options: Any) -> Any:
    """One of the functions of `db.ranges` in a transaction of its own."""
    async with room.database.tenant(room.tenant_id) as connection:
        return await work(connection, *args, **options)


async def test_a_run_that_begins_is_shown_on_the_store_and_begins_once(room: Room) -> None:
    run_id, resumed = await begin(room, "a")
    assert await begin(room, "a") == (run_id, True)
    assert resumed is False
    assert await room.rows(STORE) == [("in_progress", None, 0, None, True)]
    assert await room.rows("select status, workflow_run_id, finished_at from sync_runs") == [
        ("in_progress", "a", None)
    ]
    assert await room.rows(LOGS) == [
        ("sync_orders", "in_progress", None, 1, None),
        ("sync_products", "in_progress", None, 1, None),
    ]


@pytest.mark.parametrize("status", [SyncStatus.CANCELLED, SyncStatus.FAILED])
async def test_a_run_that_was_cut_short_lately_is_gone_on_with(
    room: Room, status: SyncStatus
) -> None:
    run_id, _ = await begin(room, "a")
    await end(room, run_id, status, "it broke")
    assert await begin(room, "b") == (run_id, True)
    assert await room.rows("select status, error, workflow_run_id, finished_at from sync_runs") == [
        ("in_progress", None, "b", None)
    ]


async def test_a_run_that_was_abandoned_is_gone_on_with(room: Room) -> None:
    run_id, _ = await begin(room, "a")
    assert await begin(room, "b") == (run_id, True)


@pytest.mark.parametrize(
    "spoil",
    [
        "update sync_runs set status = 'success'",
        "update sync_runs set status = 'failed', finished_at = now() - interval '8 days'",
        "update sync_runs set kind = 'other'",
    ],
)
async def test_a_run_that_is_done_old_or_of_another_kind_is_not_gone_on_with(
    room: Room, spoil: str
) -> None:
    run_id, _ = await begin(room, "a")
    await room.rows(spoil)
    again, resumed = await begin(room, "b")
    assert (again > run_id, resumed) == (True, False)


@pytest.mark.parametrize(
    ("status", "shown"),
    [
        (SyncStatus.SUCCESS, ("success", None, 0, None, True)),
        (SyncStatus.CANCELLED, ("pending", None, 0, None, True)),
        (SyncStatus.FAILED, ("failed", "the shop is down", 2, None, True)),
    ],
)
async def test_the_end_of_a_run_is_shown_on_the_store(
    room: Room, status: SyncStatus, shown: tuple[object, ...]
) -> None:
    run_id, _ = await begin(room, "a")
    async with room.database.tenant(room.tenant_id) as connection:
        await runs.record_failure(
            connection, room.store_id, message="busy", retry_count=2, next_retry_at=LATER
        )
    assert await room.rows(STORE) == [("in_progress", "busy", 2, LATER, True)]
    error = "the shop is down" if status is SyncStatus.FAILED else None
    await end(room, run_id, status, error)
    assert await room.rows(STORE) == [shown]


async def test_a_store_that_answers_again_shows_no_failure(room: Room) -> None:
    await begin(room, "a")
    async with room.database.tenant(room.tenant_id) as connection:
        await runs.record_failure(
            connection, room.store_id, message="x" * 5_000, retry_count=1, next_retry_at=LATER
        )
    assert (await room.rows("select length(last_sync_error) from stores")) == [(2_000,)]
    async with room.database.tenant(room.tenant_id) as connection:
        await runs.clear_failure(connection, room.store_id)
    assert await room.rows(STORE) == [("in_progress", None, 0, None, True)]


async def test_a_deleted_store_is_shown_nothing(room: Room) -> None:
    run_id, _ = await begin(room, "a")
    await room.rows("update stores set deleted_at = now(), sync_status = 'pending'")
    await end(room, run_id, SyncStatus.FAILED, "gone")
    assert (await room.rows(STORE))[0][:2] == ("pending", None)


async def test_the_log_of_a_run_is_closed_with_its_counts(room: Room) -> None:
    run_id, _ = await begin(room, "a")
    for name, created, rejected in (("p1-8", 700, 1), ("p9-16", 300, 0)):
        await on_ranges(
            room,
            ranges.advance_range,
            RangeKey(room.tenant_id, run_id, Entity.ORDERS, name),
            resume="17",
            is_done=True,
            step=RangeCounts(pages=8, seen=created + rejected, created=created, rejected=rejected),
        )
    await end(room, run_id, SyncStatus.FAILED, "the shop is down")
    orders, products = await room.rows(LOGS)
    zeros = {"updated": 0, "unchanged": 0, "deleted": 0}
    read, unread = {"pages": 16}, {"pages": 0}
    assert orders[:4] == ("sync_orders", "failed", "the shop is down", 1)
    assert json.loads(orders[4]) == {"seen": 1001, "created": 1000, "rejected": 1, **zeros, **read}
    assert json.loads(products[4]) == {"seen": 0, "created": 0, "rejected": 0, **zeros, **unread}
    await end(room, run_id, SyncStatus.SUCCESS)
    assert [row[1:4] for row in await room.rows(LOGS)] == [("success", None, 2)] * 2


async def test_a_piece_adds_up_its_steps_and_knows_where_it_goes_on(room: Room) -> None:
    run_id, _ = await begin(room, "a")
    key = RangeKey(room.tenant_id, run_id, Entity.ORDERS, "p1-2")
    other = RangeKey(room.tenant_id, run_id, Entity.PRODUCTS, "p1-2")
    assert await on_ranges(room, ranges.load_range, key) == RangeState("", False, RangeCounts())
    steps = [RangeCounts(1, 100, 90, 5, 4, 0, 1), RangeCounts(1, 50, 0, 0, 50, 2, 0)]
    for page, step in enumerate(steps, 2):
        options = {"resume": str(page), "is_done": page == 3, "step": step}
        await on_ranges(room, ranges.advance_range, key, **options)
    assert await on_ranges(room, ranges.load_range, key) == RangeState(
        "3", True, RangeCounts(2, 150, 90, 5, 54, 2, 1)
    )
    assert await on_ranges(room, ranges.load_range, other) == RangeState("", False, RangeCounts())


async def test_a_step_from_where_the_piece_no_longer_is_does_not_count(room: Room) -> None:
    run_id, _ = await begin(room, "a")
    key = RangeKey(room.tenant_id, run_id, Entity.ORDERS, "p1-2")
    step: dict[str, Any] = {"is_done": False, "step": RangeCounts(pages=1)}
    await on_ranges(room, ranges.advance_range, key, resume="2", behind="", **step)
    with pytest.raises(ranges.RangeMovedError):
        await on_ranges(room, ranges.advance_range, key, resume="2", behind="", **step)
    await on_ranges(room, ranges.advance_range, key, resume="3", behind="2", **step)
    assert await on_ranges(room, ranges.load_range, key) == RangeState(
        "3", False, RangeCounts(pages=2)
    )


async def test_the_clock_of_the_first_beginning_bounds_the_catching_up(room: Room) -> None:
    run_id, _ = await begin(room, "a")
    key = RangeKey(room.tenant_id, run_id, Entity.ORDERS, "")
    assert await on_ranges(room, ranges.changed_since, key) is None
    first, second = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 2, tzinfo=UTC)
    await on_ranges(room, ranges.begin_entity, key, total=5, store_clock=first)
    await on_ranges(room, ranges.begin_entity, key, total=6, store_clock=second)
    assert await on_ranges(room, ranges.changed_since, key) == first
    await on_ranges(room, ranges.update_entity, key, changed_since=second, phase="settled", round=1)
    shown = "select total, phase, round, changed_since from sync_run_entities"
    assert await room.rows(shown) == [(6, "settled", 1, second)]


async def test_a_rejected_record_is_listed_once_and_one_without_id_by_its_place(
    room: Room,
) -> None:
    run_id, _ = await begin(room, "a")
    key = RangeKey(room.tenant_id, run_id, Entity.ORDERS, "p1-8")
    bad = [
        Rejected("7", 0, "total: not an amount of money"),
        Rejected(None, 3, "id: Field required"),
        Rejected(None, 4, "x" * 900),
    ]
    listed = [
        await on_ranges(room, ranges.reject, key, rejected, place=place)
        for rejected, place in ((bad, "page 1"), (bad, "page 1"), (bad[:2], "page 2"), ([], "p"))
    ]
    assert listed == [3, 0, 1, 0]
    assert await room.rows("select key, external_id, reason from sync_rejections order by key") == [
        ("7", "7", "total: not an amount of money"),
        ("page 1#3", None, "id: Field required"),
        ("page 1#4", None, "x" * 500),
        ("page 2#3", None, "id: Field required"),
    ]
