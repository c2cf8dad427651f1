import asyncio
from collections.abc import Awaitable, Callable

import psycopg
import pytest
from psycopg import errors
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from db.session import Database, LostRaceError, driver_url
from tests.db.room import Room, new_room

CURRENT = text("select current_setting('app.tenant', true)")


@pytest.mark.parametrize("scheme", ["postgresql", "postgresql+psycopg", "postgresql+psycopg2"])
def test_a_url_gets_our_driver_and_keeps_the_rest(scheme: str) -> None:
    url = driver_url(f"{scheme}://me:s%40cret@/shop?host=/run/pg")
    assert url.render_as_string(hide_password=False) == (
        "postgresql+psycopg://me:s%40cret@/shop?host=%2Frun%2Fpg"
    )


async def test_a_tenant_lasts_as_long_as_its_transaction(app_url: str, room: Room) -> None:
    database = Database(app_url, pool_size=1)
    async with database.tenant(room.tenant_id) as connection:
        inside = (await connection.execute(CURRENT)).scalar_one()
    async with database.lookup() as connection:
        after = (await connection.execute(CURRENT)).scalar_one()
        stores = (await connection.execute(text("select count(*) from stores"))).scalar_one()
    await database.close()
    assert (inside, after, stores) == (str(room.tenant_id), "", 0)


async def test_an_exception_rolls_back(room: Room) -> None:
    async def fail() -> None:
        async with room.database.tenant(room.tenant_id) as connection:
            await connection.execute(text("update stores set name = 'Lost'"))
            raise KeyError

    with pytest.raises(KeyError):
        await fail()
    assert await room.rows("select name from stores") == [("Shop",)]


async def test_the_application_has_limits_on_its_transactions(room: Room) -> None:
    assert await room.rows(
        "select name, setting from pg_settings where name in"
        " ('transaction_timeout', 'idle_in_transaction_session_timeout') order by 1"
    ) == [("idle_in_transaction_session_timeout", "10000"), ("transaction_timeout", "60000")]


def failing(error: Exception, times: int) -> tuple[list[int], Callable[..., Awaitable[str]]]:
    tries: list[int] = []

    async def work(connection: AsyncConnection) -> str:
        tries.append(len(tries))
        if len(tries) <= times:
            raise error
        await connection.execute(text("update stores set name = 'Done'"))
        return "done"

    return tries, work


@pytest.mark.parametrize(
    "error",
    [
        LostRaceError(),
        errors.DeadlockDetected(),
        errors.SerializationFailure(),
        DBAPIError("", None, errors.DeadlockDetected()),
    ],
)
async def test_work_that_loses_to_another_transaction_is_done_again(
    room: Room, error: Exception
) -> None:
    tries, work = failing(error, times=4)
    assert await room.database.transact(room.tenant_id, work) == "done"
    assert len(tries) == 5
    assert await room.rows("select name from stores") == [("Done",)]


async def test_work_that_loses_forever_is_given_up(room: Room) -> None:
    tries, work = failing(LostRaceError(), times=1_000)
    with pytest.raises(LostRaceError):
        await room.database.transact(room.tenant_id, work)
    assert len(tries) == 20


@pytest.mark.parametrize(
    "error", [KeyError("mine"), errors.UndefinedTable(), DBAPIError("", None, KeyError("x"))]
)
async def test_any_other_error_is_raised_at_once(room: Room, error: Exception) -> None:
    tries, work = failing(error, times=1)
    with pytest.raises(type(error)):
        await room.database.transact(room.tenant_id, work)
    assert len(tries) == 1


async def test_transactions_of_two_tenants_do_not_mix(app: Database, owner: Database) -> None:
    rooms = [await new_room(app, owner) for _ in range(4)]

    async def names(room: Room) -> set[str]:
        found = set()
        for _ in range(10):
            await room.rows("update stores set name = :name", name=f"Of {room.tenant_id}")
            found |= {row[0] for row in await room.rows("select name from stores")}
        return found

    assert await asyncio.gather(*map(names, rooms)) == [{f"Of {room.tenant_id}"} for room in rooms]


async def test_an_error_of_the_database_does_not_repeat_what_was_sent(room: Room) -> None:
    with pytest.raises(DBAPIError) as refused:
        await room.rows("select :value from nowhere", value="cs_secret")
    assert "cs_secret" not in f"{refused.value} {refused.value!r}"


@pytest.mark.parametrize("untried_s", [10.0, 0.0])
async def test_that_a_connection_which_the_server_left_is_replaced(
    app_url: str, superuser: str, monkeypatch: pytest.MonkeyPatch, untried_s: float
) -> None:
    """Also right after it was used: the kernel knows, and no question is asked."""
    monkeypatch.setattr("db.session._UNTRIED_S", untried_s)
    database = Database(app_url, pool_size=2)
    pid = text("select pg_backend_pid()")
    async with database.lookup() as one, database.lookup() as other:
        left = {(await each.execute(pid)).scalar_one() for each in (one, other)}
    with psycopg.connect(superuser) as connection:
        for one_pid in left:
            connection.execute("select pg_terminate_backend(%s, 5000)", (one_pid,))

    async with database.lookup() as one, database.lookup() as other:
        found = {(await each.execute(pid)).scalar_one() for each in (one, other)}

    assert not found & left
    await database.close()


async def test_that_a_connection_just_used_is_used_again_without_a_question(
    app_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = Database(app_url, pool_size=1)
    async with database.lookup() as connection:
        await connection.execute(text("select 1"))
    monkeypatch.setattr(database._engine.dialect, "do_ping", None)
    async with database.lookup() as connection:
        assert (await connection.execute(text("select 1"))).scalar_one() == 1
    await database.close()
