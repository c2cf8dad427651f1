"""Reading all records of a kind out of the database, batch by batch, in flat memory.

Each batch is a short transaction of its own and is in memory before the next one begins, so that
however slowly somebody takes it, nothing is held open meanwhile. `COPY (SELECT …) TO STDOUT` keeps
row-level security (which `COPY table` would refuse), and PostgreSQL writes JSON and CSV itself.
"""

import asyncio
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final, cast

from psycopg import AsyncConnection as AsyncDriver
from psycopg.pq import TransactionStatus
from sqlalchemy.ext.asyncio import AsyncConnection

from db.export_records import WALKS, ExportKind, Walk
from db.session import Database

_FIRST_KEYS: Final = 200
_MOST_KEYS: Final = 4_000
_WANTED_BYTES: Final = 1_000_000
_MOST_BYTES: Final = 16_000_000
"""A batch that is larger is given up and read again with fewer keys, unless it has one alone."""

# Neither control character is ever in JSON, which escapes them: nothing is quoted, a row is a line.
_JSON: Final = """
copy (select row_to_json(x)::text from (select {columns} from {source} where {where}) x)
to stdout (format csv, delimiter E'\\x01', quote E'\\x02', encoding 'UTF8')
"""
_CSV: Final = """
copy (select {columns}, '{end}' from {source} where {where})
to stdout (format csv, encoding 'UTF8')
"""
# A batch is a small part of its table, whatever the statistics say: hashing or reading the tables
# beside it whole, or starting workers, would cost as much for each batch as for all.
_BOUND: Final = """
select max(id), count(*), set_config('enable_hashjoin', 'off', true),
  set_config('enable_mergejoin', 'off', true), set_config('enable_seqscan', 'off', true),
  set_config('max_parallel_workers_per_gather', '0', true), set_config('jit', 'off', true)
from (select id from {table} where id > %(after)s order by id limit %(keys)s) b
"""
_RANGE: Final = "r.id > %(after)s and r.id <= %(last)s"


class ExportFormat(StrEnum):
    """How records are written."""

    JSON = "json"
    CSV = "csv"
    NDJSON = "ndjson"


@dataclass(frozen=True, slots=True)
class ExportRequest:
    """What is exported.

    Attributes:
        store_ids: the stores whose ids of the records are told.
        is_linked_only: whether records that none of these stores has are left out.
    """

    kind: ExportKind
    format: ExportFormat
    store_ids: Sequence[int]
    is_linked_only: bool = False


@dataclass(slots=True)
class ExportReader:
    """Reads one export from its beginning to its end."""

    database: Database
    tenant_id: int
    wanted: ExportRequest
    rows: int = 0
    _keys: int = _FIRST_KEYS
    _walk: int = 0
    _after: int = 0
    _end: str = field(default_factory=lambda: secrets.token_hex(8))

    def header(self) -> bytes:
        """The first line of a CSV file."""
        columns = WALKS[self.wanted.kind][0].columns
        return ",".join(one.name for one in columns if one.cell is not None).encode() + b"\r\n"

    async def read(self) -> bytes | None:
        """The next rows, one a line, each with its end; None when there are no more.

        A batch may be empty where no record of it is wanted.

        Raises:
            psycopg.Error, sqlalchemy.exc.SQLAlchemyError: the database failed.
        """
        while True:
            try:
                async with self.database.tenant(self.tenant_id) as connection:
                    try:
                        return await self._read(connection)
                    except asyncio.CancelledError:
                        await _drop_if_busy(connection)
                        raise
            except _TooLargeError:
                self._keys = max(1, self._keys // 8)

    async def _read(self, connection: AsyncConnection) -> bytes | None:
        driver = await _driver(connection)
        while self._walk < len(WALKS[self.wanted.kind]):
            walk = WALKS[self.wanted.kind][self._walk]
            found = await _bound(driver, walk, self._after, self._keys)
            if found is not None:
                last, keys = found
                data = await self._copy(driver, walk, last, is_single=keys == 1)
                self._after = last
                self._adapt(len(data), keys)
                return data
            self._walk, self._after = self._walk + 1, 0
        return None

    async def _copy(
        self, driver: AsyncDriver[Any], walk: Walk, last: int, *, is_single: bool
    ) -> bytes:
        statement = self._statement(walk)
        params = {"after": self._after, "last": last, "stores": list(self.wanted.store_ids)}
        chunks: list[bytes] = []
        size = 0
        async with driver.cursor() as cursor, cursor.copy(statement, params) as copy:
            async for chunk in copy:
                chunks.append(bytes(chunk))
                size += len(chunk)
                if size > _MOST_BYTES and not is_single:
                    raise _TooLargeError
        self.rows += len(chunks)
        data = b"".join(chunks)
        if self.wanted.format is not ExportFormat.CSV:
            return data
        return data.replace(f",{self._end}\n".encode(), b"\r\n")

    def _statement(self, walk: Walk) -> str:
        """Lines of CSV end with CRLF (RFC 4180, 2.1), those of PostgreSQL with LF: a last cell that
        nobody can guess marks the ends that are not within a cell.
        """
        is_csv = self.wanted.format is ExportFormat.CSV
        named = [(one.name, one.cell if is_csv else one.value) for one in walk.columns]
        columns = ", ".join(f'{sql} as "{name}"' for name, sql in named if sql is not None)
        join = "join" if self.wanted.is_linked_only else "left join"
        return (_CSV if is_csv else _JSON).format(
            columns=columns,
            end=self._end,
            source=walk.source.format(join=join),
            where=f"{_RANGE} and {walk.where} order by {walk.order}",
        )

    def _adapt(self, size: int, keys: int) -> None:
        """Keep batches near the size that is wanted, whatever a record weighs."""
        fitting = keys * _WANTED_BYTES // max(size, 1)
        self._keys = max(1, min(fitting, self._keys * 4, _MOST_KEYS))


class _TooLargeError(Exception):
    """More came than is kept in memory at a time."""


async def _driver(connection: AsyncConnection) -> AsyncDriver[Any]:
    raw = await connection.get_raw_connection()
    return cast("AsyncDriver[Any]", raw.driver_connection)


async def _drop_if_busy(connection: AsyncConnection) -> None:
    """A copy that is cancelled as it begins is left running by the driver, and nothing else can be
    said on its connection, not even that it is rolled back.
    """
    driver = await _driver(connection)
    if driver.pgconn.transaction_status == TransactionStatus.ACTIVE:
        await connection.invalidate()


async def _bound(
    driver: AsyncDriver[Any], walk: Walk, after: int, keys: int
) -> tuple[int, int] | None:
    """The last of the next keys, and how many they are; None: there are none."""
    statement = _BOUND.format(table=walk.table)
    found = await driver.execute(statement, {"after": after, "keys": keys})
    row = await found.fetchone()
    return None if row is None or row[0] is None else (row[0], row[1])
