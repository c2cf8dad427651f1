"""What no shop of ours says, told by a provider that says what a test wants."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from types import SimpleNamespace
from typing import Any, cast

import pytest
from sqlalchemy import text

from activities.inbox import InboxTake
from activities.lanes import LaneRef
from activities.stores import StoreOpener
from db.session import Database
from domain.deliveries import Delivery, Gone, Hint, Meaning, Told
from domain.entities import Entity
from domain.errors import PermissionDeniedError
from domain.lanes import LaneKind
from domain.pages import Page, Pulled
from domain.records import Customer, Record
from providers._kit.protocols import StoreConfig, StoreFacts
from tests.activities.inbox_room import LADDER_S, HeldTurn, Wakes
from tests.db.factories import at, customer, line, order, product
from tests.db.room import Room, new_room, new_store

FACTS = StoreFacts(store_url="https://shop.example", currency="EUR")


@dataclass
class Script:
    """A provider that reads from a list what its webhooks mean; the body is the place in it."""

    meanings: list[Meaning | Exception] = field(default_factory=list)
    answers: dict[str, Page[Record]] = field(default_factory=dict)
    refuses: frozenset[Entity] = frozenset()

    def read(self, config: StoreConfig, facts: StoreFacts, delivery: Delivery) -> Meaning:
        del config, facts
        meaning = self.meanings[int(delivery.body)]
        if isinstance(meaning, Exception):
            raise meaning
        return meaning

    async def fetch_by_ids(self, entity: Entity, external_ids: Sequence[str]) -> Page[Record]:
        del external_ids
        if entity in self.refuses:
            raise PermissionDeniedError(f"the keys may not read {entity.value}")
        return self.answers.get(entity.value, Page())

    async def open_config(self, *_: int) -> Any:
        return SimpleNamespace(provider=SimpleNamespace(webhooks=self), config=None, facts=FACTS)

    async def open(self, *_: int) -> Any:
        return SimpleNamespace(client=self, manifest=SimpleNamespace(page_size=2))


@dataclass
class Desk:
    """An inbox and its script."""

    room: Room
    script: Script
    wakes: Wakes = field(default_factory=Wakes)

    async def say(self, *meanings: Meaning | Exception) -> None:
        """One event for each meaning, of a record of its own unless it names one."""
        async with self.room.database.tenant(self.room.tenant_id) as connection:
            for meaning in meanings:
                self.script.meanings.append(meaning)
                key = getattr(meaning, "external_id", None)
                if isinstance(meaning, Told):
                    key = meaning.pulled.external_id
                await connection.execute(
                    text(
                        "insert into webhook_events (tenant_id, store_id, event_type, topic,"
                        " entity, external_id, route, body) values (:tenant, :store, 'x', 'x.y',"
                        " 'orders', :key, 'generic', :body)"
                    ),
                    {
                        "tenant": self.room.tenant_id,
                        "store": self.room.store_id,
                        "key": key,
                        "body": str(len(self.script.meanings) - 1).encode(),
                    },
                )

    async def take(self) -> int:
        lane = LaneRef(tenant_id=self.room.tenant_id, kind=LaneKind.INBOX, key=self.room.store_id)
        turn = HeldTurn(lane, 1, datetime.now(UTC), LADDER_S)
        opener = cast("StoreOpener", self.script)
        return await InboxTake(self.room.database, opener, self.wakes)(turn)

    async def results(self) -> list[tuple[Any, ...]]:
        return await self.room.rows(
            "select status, outcome, attempts from webhook_events where store_id = :store"
            " order by id"
        )


@pytest.fixture
async def desk(app_url: str, owner_url: str) -> AsyncIterator[Desk]:
    app, owner = Database(app_url, pool_size=4), Database(owner_url, pool_size=1)
    yield Desk(await new_room(app, owner), Script())
    await app.close()
    await owner.close()


def told(pulled: Pulled[Any], entity: Entity = Entity.ORDERS) -> Told:
    return Told(entity, pulled)


async def test_a_record_that_breaks_its_transaction_is_found_and_left_out(desk: Desk) -> None:
    orders = [order(str(number)) for number in range(5)]
    bad = Pulled("9", Customer(email="\ud800"))
    await desk.say(*(told(one) for one in orders[:3]), told(bad, Entity.CUSTOMERS))
    await desk.say(told(order("7", raw_status="\udc00")), *(told(one) for one in orders[3:]))
    assert await desk.take() == 7
    assert await desk.results() == [
        *([("processed", "applied", 0)] * 3),
        ("pending", None, 1),
        ("pending", None, 1),
        *([("processed", "applied", 0)] * 2),
    ]


async def test_stock_that_no_column_holds_costs_one_event(desk: Desk) -> None:
    await desk.room.take(Entity.PRODUCTS, product("20", stock={"20": 5}))
    much = [line(key, "20", quantity=Decimal(900_000_000_000_000)) for key in "12"]
    await desk.say(told(order("1", *much)), told(order("2", line("1", "20"))))
    assert await desk.take() == 2
    assert await desk.results() == [("pending", None, 1), ("processed", "applied", 0)]


async def test_a_mistake_of_a_provider_costs_one_event(desk: Desk) -> None:
    await desk.say(KeyError("id"), told(order("1")))
    assert await desk.take() == 2
    assert await desk.results() == [("pending", None, 1), ("processed", "applied", 0)]


async def test_a_kind_of_record_that_may_not_be_read_stops_no_other(desk: Desk) -> None:
    desk.script.refuses = frozenset({Entity.CUSTOMERS})
    desk.script.answers["orders"] = Page(records=(cast("Pulled[Record]", order("2")),))
    await desk.say(Hint(Entity.CUSTOMERS, "1"), Hint(Entity.ORDERS, "2"))
    await desk.take()
    assert await desk.results() == [("pending", None, 1), ("processed", "reread", 0)]


async def test_every_id_that_was_asked_for_comes_to_something(desk: Desk) -> None:
    desk.script.answers["orders"] = Page(tombstones=("1",), skipped=("2",))
    await desk.say(*(Hint(Entity.ORDERS, key) for key in "123"))
    await desk.take()
    assert await desk.results() == [
        ("processed", "deleted", 0),
        ("processed", "ignored", 0),
        ("pending", None, 1),
    ]


async def test_a_deletion_with_a_version_needs_no_question(desk: Desk) -> None:
    await desk.say(told(order("1", version=10)), told(order("2", version=10)))
    await desk.take()
    await desk.say(Gone(Entity.ORDERS, "1", at(9)), Gone(Entity.ORDERS, "2", at(11)))
    await desk.take()
    assert [row[1] for row in await desk.results()] == ["applied", "applied", "stale", "deleted"]
    links = await desk.room.rows(
        "select external_id, deleted_at is not null from links"
        " where store_id = :store and entity = 'orders' order by 1"
    )
    assert links == [("1", False), ("2", True)]


async def test_who_else_has_the_record_is_told(desk: Desk) -> None:
    other = await new_store(
        desk.room.database,
        desk.room.tenant_id,
        settings={"syncDirections": {"customers": "both"}},
    )
    await desk.say(told(customer("1"), Entity.CUSTOMERS))
    await desk.take()
    assert desk.wakes.woken == [(LaneKind.PUSH, other)]


async def test_events_of_a_store_are_worked_off_by_its_own_lane(desk: Desk) -> None:
    second = Desk(
        Room(
            desk.room.database,
            desk.room.tenant_id,
            await new_store(desk.room.database, desk.room.tenant_id),
        ),
        desk.script,
    )
    await desk.say(told(order("1")))
    assert await second.take() == 0
    assert await desk.take() == 1


async def test_an_order_that_is_oversold_is_told_to_people_at_once(desk: Desk) -> None:
    await desk.say(told(product("10", stock={"10": 1}), Entity.PRODUCTS))
    await desk.take()
    desk.wakes.woken.clear()
    await desk.say(told(order("1", line("1", "10"))), told(order("2", line("1", "10"))))
    await desk.take()
    assert await desk.room.rows("select kind from alerts") == [("oversold",)]
    assert desk.wakes.woken == [(LaneKind.ALERT, desk.room.tenant_id)]


async def test_a_shop_whose_stock_has_to_be_put_right_is_told_at_once(desk: Desk) -> None:
    await new_store(desk.room.database, desk.room.tenant_id)
    set_direction = "update stores set settings = cast(:settings as jsonb) where id = :store"
    for version, direction, stock in ((1, "both", 4), (2, "push", 6)):
        settings = f'{{"syncDirections": {{"inventory": "{direction}"}}}}'
        await desk.room.rows(set_direction, settings=settings)
        await desk.say(told(product("10", version=version, stock={"10": stock}), Entity.PRODUCTS))
        await desk.take()
    assert await desk.room.rows("select entity from pushes") == [("inventory",)]
    assert desk.wakes.woken == [(LaneKind.PUSH, desk.room.store_id)]
