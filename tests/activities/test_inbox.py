import pytest

from activities.lanes import TurnLostError
from domain.errors import StoreError
from domain.lanes import LaneKind
from tests.activities.inbox_room import Inbox

PENDING = ("pending", None)


async def test_an_empty_inbox_is_no_work(inbox: Inbox) -> None:
    assert await inbox.take() == 0


async def test_what_a_webhook_tells_is_taken_in_without_asking_the_shop(inbox: Inbox) -> None:
    order = inbox.order(customer_note="Ring twice")
    await inbox.deliver("order.created", order)
    assert await inbox.take() == 1
    assert await inbox.results() == [("processed", "applied")]
    assert await inbox.status(order["id"]) == [("pending", "Ring twice", False)]
    assert inbox.scene.requests() == []
    assert await inbox.counters() == {"applied": 1}
    counts = {"applied": 1, "created": 1, "seen": 1}
    assert await inbox.logs() == [("receive_order", "success", counts)]
    assert await inbox.take() == 0


async def test_the_same_webhook_fifteen_times_has_one_effect(inbox: Inbox) -> None:
    order = inbox.order()
    for _ in range(10):
        await inbox.deliver("order.created", order)
    await inbox.take()
    for _ in range(5):
        await inbox.deliver("order.created", order)
    await inbox.take()
    assert await inbox.counters() == {"applied": 1, "duplicate": 13, "unchanged": 1}
    changes = await inbox.scene.rows("select action from changes where entity = 'orders'")
    assert changes == [("created",)]


@pytest.mark.parametrize("batches", [1, 2])
async def test_what_is_older_than_what_is_there_changes_nothing(inbox: Inbox, batches: int) -> None:
    old = inbox.order(customer_note="old")
    new = inbox.edit("orders", old["id"], customer_note="new")
    await inbox.deliver("order.updated", new)
    if batches == 2:
        await inbox.take()
    await inbox.deliver("order.created", old)
    await inbox.take()
    assert await inbox.status(old["id"]) == [("pending", "new", False)]
    assert await inbox.results() == [("processed", "applied"), ("processed", "stale")]
    assert inbox.scene.requests() == []


async def test_only_the_last_word_of_a_batch_is_written(inbox: Inbox) -> None:
    first = inbox.order()
    await inbox.deliver("order.created", first)
    for status in ("processing", "completed"):
        await inbox.deliver("order.updated", inbox.edit("orders", first["id"], status=status))
    await inbox.take()
    assert [outcome for _, outcome in await inbox.results()] == [
        "superseded",
        "superseded",
        "applied",
    ]
    assert (await inbox.status(first["id"]))[0][0] == "completed"


@pytest.mark.parametrize("batches", [1, 2])
async def test_two_contents_of_one_version_are_settled_by_the_shop(
    inbox: Inbox, batches: int
) -> None:
    order = inbox.order(customer_note="right")
    await inbox.deliver("order.created", {**order, "customer_note": "right"})
    if batches == 2:
        await inbox.take()
    await inbox.deliver("order.updated", {**order, "customer_note": "wrong"})
    await inbox.take()
    assert (await inbox.results())[-1] == ("processed", "reread")
    assert await inbox.status(order["id"]) == [("pending", "right", False)]
    assert len(inbox.scene.requests()) == 1


async def test_a_record_returns_to_where_it_was(inbox: Inbox) -> None:
    order = inbox.order(customer_note="A")
    for note in ("B", "A"):
        await inbox.deliver("order.updated", inbox.edit("orders", order["id"], customer_note=note))
    await inbox.take()
    assert (await inbox.status(order["id"]))[0][1] == "A"


async def test_each_hint_asks_once_for_what_it_hints_at(inbox: Inbox) -> None:
    orders = [inbox.order() for _ in range(3)]
    for _ in range(2):
        for order in orders:
            await inbox.deliver("order.updated", {"id": order["id"]})
    await inbox.take()
    assert len(inbox.scene.requests()) == 1
    outcomes = [outcome for _, outcome in await inbox.results()]
    assert outcomes == ["reread"] * 3 + ["duplicate"] * 3
    assert all([await inbox.status(order["id"]) for order in orders])


async def test_a_deletion_becomes_a_tombstone(inbox: Inbox) -> None:
    order = inbox.order()
    await inbox.deliver("order.created", order)
    await inbox.take()
    inbox.pass_time()
    inbox.scene.shop.shop.trash("orders", order["id"])
    await inbox.deliver("order.deleted", {"id": order["id"]})
    await inbox.take()
    assert (await inbox.results())[-1] == ("processed", "deleted")
    assert (await inbox.status(order["id"]))[0][2] is True


async def test_a_deletion_that_was_taken_back_deletes_nothing(inbox: Inbox) -> None:
    order = inbox.order()
    await inbox.deliver("order.created", order)
    await inbox.deliver("order.deleted", {"id": order["id"]})
    await inbox.take()
    assert (await inbox.status(order["id"]))[0][2] is False


async def test_a_late_word_of_a_deleted_record_does_not_bring_it_back(inbox: Inbox) -> None:
    order = inbox.order()
    changed = inbox.edit("orders", order["id"], customer_note="late")
    inbox.pass_time()
    inbox.scene.shop.shop.trash("orders", order["id"])
    await inbox.deliver("order.created", order)
    await inbox.take()
    await inbox.deliver("order.deleted", {"id": order["id"]})
    await inbox.take()
    await inbox.deliver("order.updated", changed)
    await inbox.take()
    assert (await inbox.status(order["id"]))[0][2] is True
    assert (await inbox.results())[-1] == ("processed", "deleted")


async def test_an_error_object_is_ignored_with_its_cause_and_never_tried_again(
    inbox: Inbox,
) -> None:
    error = {
        "code": "woocommerce_rest_cannot_view",
        "message": "Sorry",
        "data": {"status": 401},
    }
    await inbox.deliver("customer.created", error)
    await inbox.take()
    [(status, outcome, attempts, reason)] = await inbox.results(
        "status", "outcome", "attempts", "error_message"
    )
    assert (status, outcome, attempts) == ("processed", "ignored", 0)
    assert "woocommerce_rest_cannot_view" in reason
    assert inbox.scene.requests() == []


class TestPoison:
    async def test_it_goes_down_the_ladder_alone_and_holds_up_its_own_record_only(
        self, inbox: Inbox
    ) -> None:
        bad, good = inbox.order(), inbox.order()
        better = inbox.edit("orders", bad["id"], customer_note="mended")
        await inbox.deliver("order.created", {**bad, "total": "much"})
        await inbox.deliver("order.created", good)
        await inbox.take()
        await inbox.deliver("order.updated", better)
        assert await inbox.take() == 0
        assert await inbox.results() == [PENDING, ("processed", "applied"), PENDING]
        assert await inbox.results("attempts") == [(1,), (0,), (0,)]
        assert await inbox.take(later_s=299) == 0
        assert await inbox.take(later_s=301) == 2
        assert await inbox.results() == [
            PENDING,
            ("processed", "applied"),
            ("processed", "applied"),
        ]
        assert await inbox.results("attempts") == [(2,), (0,), (0,)]

    async def test_after_the_last_try_it_is_dead_and_people_are_told(self, inbox: Inbox) -> None:
        bad = inbox.order()
        await inbox.deliver("order.created", {**bad, "total": "much"})
        for later_s in (0, 301, 2_000, 10_000):
            await inbox.take(later_s=later_s)
        assert await inbox.results("status", "attempts") == [("failed", 3)]
        alerts = await inbox.scene.rows("select kind, subject, event, count from alerts")
        subject = f"inbox/{inbox.scene.store_id}/webhooks"
        assert alerts == [("row_failed", subject, "sync.failed", 1)]
        assert inbox.wakes.woken == [(LaneKind.ALERT, inbox.scene.tenant_id)]
        assert await inbox.counters() == {"failed": 1, "retried": 2}

    async def test_a_value_that_cannot_be_stored_costs_no_other(self, inbox: Inbox) -> None:
        orders = [inbox.order() for _ in range(3)]
        orders[1]["total"] = "99999999999999999999"
        for order in orders:
            await inbox.deliver("order.created", order)
        await inbox.take()
        assert await inbox.results("status", "attempts") == [
            ("processed", 0),
            ("pending", 1),
            ("processed", 0),
        ]


class TestAwayShop:
    async def test_the_shops_failure_is_the_lanes_and_costs_no_event_a_try(
        self, inbox: Inbox
    ) -> None:
        told, hinted = inbox.order(), inbox.order()
        await inbox.deliver("order.created", {"id": hinted["id"]})
        await inbox.deliver("order.created", told)
        inbox.scene.fail("error", status=503)
        with pytest.raises(StoreError):
            await inbox.take()
        assert await inbox.results() == [PENDING, ("processed", "applied")]
        assert await inbox.results("attempts") == [(0,), (0,)]
        inbox.scene.shop.faults.rules.clear()
        await inbox.take()
        assert (await inbox.results())[0] == ("processed", "reread")


async def test_a_turn_that_was_lost_writes_nothing(inbox: Inbox) -> None:
    await inbox.deliver("order.created", inbox.order())
    with pytest.raises(TurnLostError):
        await inbox.take(is_lost=True)
    assert await inbox.results() == [PENDING]
    assert await inbox.scene.rows("select count(*) from orders") == [(0,)]


async def test_three_hundred_events_are_drained_in_batches(inbox: Inbox) -> None:
    order = inbox.order()
    for number in range(300):
        await inbox.deliver("order.created", {**order, "id": 50_000 + number % 150})
    assert [await inbox.take(), await inbox.take(), await inbox.take()] == [200, 100, 0]
    assert await inbox.scene.rows("select count(*) from orders") == [(150,)]
    assert {status for status, _ in await inbox.results()} == {"processed"}
