"""Whatever happens in whatever order, the hub and all stores come to say the same."""

from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st

from db.session import Database
from db.tenants import create_tenant
from domain.sync_settings import ConflictPolicy, StoreSettings
from tests.db.room import new_store
from tests.db.simulated_stores import (
    Clock,
    SimulatedStore,
    World,
    late,
    lose,
    new_product,
    shown,
)

SKUS = ("A", "B")
HUB = 2


@dataclass(frozen=True)
class Edit:
    """`where` 0 and 1 are the stores, 2 the hub."""

    where: int
    sku: str
    name: str
    value: Any


@dataclass(frozen=True)
class Delivery:
    store: int
    place: int
    is_lost: bool
    times: int


@dataclass(frozen=True)
class Drain:
    """A push; with `held` it is sent only after the next step."""

    store: int
    is_slow: bool


VALUES = {
    "title": st.sampled_from(["Tea", "Green tea", " Tea "]),
    "description": st.sampled_from(["", "fine", "fine and fresh", "fine, from Kandy"]),
    "tags": st.sampled_from([[], ["a"], ["a", "b"], ["c"]]),
    "price": st.sampled_from(["9", "11"]),
}
edits = st.sampled_from(sorted(VALUES)).flatmap(
    lambda name: st.builds(
        Edit, st.integers(0, 2), st.sampled_from(SKUS), st.just(name), VALUES[name]
    )
)
stores = st.integers(0, 1)
deliveries = st.builds(Delivery, stores, st.integers(0, 5), st.booleans(), st.integers(1, 3))
drains = st.builds(Drain, stores, st.booleans())
histories = st.lists(st.one_of(edits, edits, deliveries, drains), max_size=12)


async def world(app: Database, owner: Database, policy: ConflictPolicy) -> World:
    async with owner.lookup() as connection:
        tenant = await create_tenant(connection, f"Tenant {uuid4().hex}")
    wanted = StoreSettings(conflict_policy=policy).model_dump(mode="json", by_alias=True)
    clock = Clock()
    made = [
        SimulatedStore(await new_store(app, tenant.id, settings=wanted), clock) for _ in range(2)
    ]
    made[0].put(new_product("A"))
    made[1].put(new_product("B"))
    return World(app, tenant.id, made)


async def live(hub: World, history: list[Edit | Delivery | Drain]) -> None:
    on_the_way: list[tuple[SimulatedStore, Any]] = []
    for event in history:
        arriving, on_the_way = on_the_way, []
        match event:
            case Edit(2, sku, name, value):
                await hub.edit(sku, name, value)
            case Edit(where, sku, name, value):
                hub.stores[where].edit(sku, name, value)
            case Delivery():
                await deliver(hub, event)
            case Drain(number, is_slow):
                claimed = await hub.claim(hub.stores[number])
                (on_the_way if is_slow else arriving).append((hub.stores[number], claimed))
        for store, claimed in arriving:
            await hub.send(store, claimed)
    for store, claimed in on_the_way:
        await hub.send(store, claimed)


async def deliver(hub: World, event: Delivery) -> None:
    store = hub.stores[event.store]
    one = late(store, event.place)
    if one is not None and not event.is_lost:
        for _ in range(event.times):
            await hub.take(store, one)
    if event.is_lost or event.times == 1:
        lose(store, event.place)


# What was claimed for a store is sent after a change of that very store was taken in.
OVERTAKEN = [
    Delivery(0, 0, is_lost=False, times=1),
    Drain(1, is_slow=False),
    Edit(2, "A", "title", "Green tea"),
    Edit(1, "A", "title", "Tea"),
    Drain(1, is_slow=True),
    Delivery(1, 2, is_lost=False, times=1),
]

IN_SHORT = settings(
    max_examples=25,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)


@pytest.mark.parametrize("policy", [one for one in ConflictPolicy if one != "manual"])
@IN_SHORT
@given(history=histories)
@example(history=OVERTAKEN)
async def test_all_come_to_say_the_same(
    app: Database,
    owner: Database,
    policy: ConflictPolicy,
    history: list[Edit | Delivery | Drain],
) -> None:
    hub = await world(app, owner, policy)
    await live(hub, history)
    await hub.settle(rounds=6)
    truth = await hub.hub()
    assert sorted(truth) == list(SKUS)
    assert [shown(store) for store in hub.stores] == [truth, truth]


@IN_SHORT
@given(history=histories, resolution=st.sampled_from(["local", "remote", "merge"]))
async def test_under_manual_all_but_the_held_fields_agree_and_those_once_they_are_decided(
    app: Database, owner: Database, history: list[Edit | Delivery | Drain], resolution: str
) -> None:
    hub = await world(app, owner, ConflictPolicy.MANUAL)
    await live(hub, history)
    await hub.settle(rounds=6)
    truth = await hub.hub()
    for store in hub.stores:
        held = await hub.held(store)
        for sku, fields in shown(store).items():
            waiting = held.get(sku, set())
            assert {name for name, value in fields.items() if value != truth[sku][name]} <= waiting
    for _ in range(5):
        if await hub.resolve(resolution) == 0:
            break
        await hub.settle(rounds=6)
    truth = await hub.hub()
    assert [shown(store) for store in hub.stores] == [truth, truth]
    assert [await hub.held(store) for store in hub.stores] == [{}, {}]
