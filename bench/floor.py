"""The floor of an import: the same answers fetched and put away as they are.

The same GETs in the same order, with as many at once as an import has, through the same HTTP
session; then each row's JSON in one table, by COPY into a temporary table and one INSERT. No
mapping, no tenants, no links, no history.
"""

import asyncio
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import orjson
import psycopg

from bench.processes import cpu_of, since
from bench.rig import BenchDatabase, BenchError, Rig
from bench.shop import BenchShop, Get
from bench.signing import sign_with
from providers._kit.http import StoreSession
from providers._kit.protocols import SignRequest

IN_FLIGHT: Final = 4
"""As many as an import has activities at once; each fetches ahead while it writes."""

_TABLE: Final = """
create table landed (entity text, id bigint, doc jsonb not null, primary key (entity, id))
"""
_STAGE: Final = """
create temporary table stage (entity text, id bigint, doc jsonb) on commit delete rows
"""
_COPY: Final = "copy stage (entity, id, doc) from stdin"
_MERGE: Final = """
insert into landed as l select * from stage
on conflict (entity, id) do update set doc = excluded.doc
"""
_SLOWEST_GETS_PER_S: Final = 5


@dataclass(frozen=True, slots=True)
class FloorRun:
    """What the floor took. `rows` are those in the table afterwards."""

    seconds: float
    rows: int
    cpu_s: Mapping[str, float]


async def fetch_and_copy(
    rig: Rig, database: BenchDatabase, shop: BenchShop, gets: Sequence[Get]
) -> FloorRun:
    """Repeat an import's GETs into an empty database.

    Raises:
        BenchError: the shop refused a request, or it takes unreasonably long.
    """
    async with await psycopg.AsyncConnection.connect(
        database.owner_url, autocommit=True
    ) as connection:
        await connection.execute(_TABLE)
        pids = {**rig.pids, "shop": shop.pid}
        rig.write_back()
        before, started, own = cpu_of(pids), time.perf_counter(), time.process_time()
        try:
            async with asyncio.timeout(60 + len(gets) / _SLOWEST_GETS_PER_S):
                await _run(database, shop, gets)
        except TimeoutError:
            raise BenchError(f"the floor's {len(gets)} requests were not done in time") from None
        except ExceptionGroup as failures:
            raise failures.exceptions[0] from None
        seconds, own = time.perf_counter() - started, time.process_time() - own
        used = since(before, cpu_of(pids)) | {"floor": own}
        found = await (await connection.execute("select count(*) from landed")).fetchone()
    return FloorRun(seconds, found[0] if found else 0, used)


async def _run(database: BenchDatabase, shop: BenchShop, gets: Sequence[Get]) -> None:
    queue = iter(gets)
    sign = sign_with(shop.consumer_key, shop.consumer_secret)
    async with (
        StoreSession.open(allow_private_addresses=True) as session,
        asyncio.TaskGroup() as tasks,
    ):
        for _ in range(IN_FLIGHT):
            tasks.create_task(_lane(database, _Reader(session, shop.url, sign), queue))


@dataclass(frozen=True, slots=True)
class _Reader:
    session: StoreSession
    url: str
    sign: SignRequest

    async def fetch(self, get: Get) -> bytes:
        """The body of an answer."""
        answer = await self.session.request(
            "GET", f"{self.url}{get.path}", params=get.params, auth=self.sign
        )
        if answer.status != 200:
            raise BenchError(f"GET {get.path}: {answer.status}")
        return answer.body


async def _lane(database: BenchDatabase, reader: _Reader, queue: Iterator[Get]) -> None:
    """One of the lanes: fetches the next answer while the last one is written."""
    async with await psycopg.AsyncConnection.connect(database.owner_url) as connection:
        await connection.execute(_STAGE)
        await connection.commit()
        get = next(queue, None)
        upcoming = asyncio.create_task(reader.fetch(get)) if get else None
        while get is not None and upcoming is not None:
            body, written = await upcoming, get
            get = next(queue, None)
            upcoming = asyncio.create_task(reader.fetch(get)) if get else None
            if written.is_whole:
                await _put(connection, written.entity, orjson.loads(body))


async def _put(connection: psycopg.AsyncConnection[Any], entity: str, rows: Any) -> None:
    async with connection.cursor() as cursor:
        async with cursor.copy(_COPY) as copy:
            for row in rows:
                await copy.write_row((entity, row["id"], orjson.dumps(row).decode()))
        await cursor.execute(_MERGE)
    await connection.commit()
