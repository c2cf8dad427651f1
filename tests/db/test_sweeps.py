from typing import Any

from db import sweeps
from domain.entities import Entity
from tests.db.factories import order, product
from tests.db.room import Room
from tests.db.test_runs import begin

ORDERS = Entity.ORDERS


async def run(room: Room, work: Any, *args: Any) -> Any:
    async with room.database.tenant(room.tenant_id) as connection:
        return await work(connection, *args)


async def differences(room: Room, run_id: int) -> tuple[list[str], list[str]]:
    missing = await run(room, sweeps.list_missing, room.store_id, run_id, ORDERS)
    gone = await run(room, sweeps.list_gone, room.store_id, run_id, ORDERS)
    return missing, gone


async def test_a_sweep_finds_what_we_lack_and_what_the_store_no_longer_has(room: Room) -> None:
    run_id, _ = await begin(room, "a")
    await room.take(Entity.PRODUCTS, product("5"))
    await room.take(ORDERS, *(order(str(key), email="g@example.test") for key in range(1, 5)))
    await room.take(ORDERS, gone=["3"])
    for ids in (["1", "2"], ["2", "3", "9"]):
        await run(room, sweeps.collect_ids, room.tenant_id, run_id, ORDERS, ids)
    assert await differences(room, run_id) == (["3", "9"], ["4"])


async def test_a_guest_is_never_gone_because_no_sweep_saw_him(room: Room) -> None:
    run_id, _ = await begin(room, "a")
    await room.take(ORDERS, order("1", email="g@example.test"))
    gone = await run(room, sweeps.list_gone, room.store_id, run_id, Entity.CUSTOMERS)
    assert gone == []


async def test_a_sweep_that_is_cleared_saw_nothing(room: Room) -> None:
    run_id, _ = await begin(room, "a")
    await run(room, sweeps.collect_ids, room.tenant_id, run_id, ORDERS, ["1"])
    await run(room, sweeps.collect_ids, room.tenant_id, run_id, Entity.PRODUCTS, ["2"])
    await run(room, sweeps.clear_sweep, run_id, ORDERS)
    assert await room.rows("select entity, external_id from sweep_ids") == [("products", "2")]
    assert await differences(room, run_id) == ([], [])
