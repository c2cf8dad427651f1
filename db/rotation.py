"""Moves secrets from earlier master keys to the newest, while everything runs.

A batch is a short transaction. A row is written only if its ciphertext is still the one that was
read: whoever wrote it meanwhile sealed it anew. So any number of these may run at a time, may be
killed at any point, and go on where the rows say.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import ColumnElement, bindparam, func, select, text, tuple_, update
from sqlalchemy.ext.asyncio import AsyncConnection

from db.crypto import Sealed, SecretBox
from db.sealed_tables import CIPHERTEXT, SealedTable
from domain.errors import SecretError

BATCH: Final = 100

# A number of our own, for a snapshot's upper end is no more than the last one that has ended.
_NOW: Final = text("select pg_current_xact_id()::text")
_OLDEST: Final = text("select pg_snapshot_xmin(pg_current_snapshot())::text")


@dataclass(frozen=True, slots=True)
class Resealed:
    """What became of a batch.

    Attributes:
        last: the key of the last row that was looked at; None when there was none.
        moved: rows that are under the newest key now.
        unreadable: rows whose secret does not open, with the reason.
    """

    last: tuple[Any, ...] | None
    moved: int
    unreadable: tuple[str, ...]


async def reseal_batch(
    connection: AsyncConnection,
    sealed: SealedTable,
    box: SecretBox,
    *,
    after: tuple[Any, ...] | None,
) -> Resealed:
    """Move the next rows of the tenant that are not under the newest key, in order of their key."""
    columns = sealed.table.c
    place = tuple_(*(columns[name] for name in sealed.key))
    names = dict.fromkeys((*sealed.key, *sealed.bound_to, *CIPHERTEXT))
    statement = select(*(columns[name] for name in names)).where(_is_old(sealed, box))
    if after is not None:
        statement = statement.where(place > tuple_(*after))
    ordered = statement.order_by(*(columns[name] for name in sealed.key)).limit(BATCH)
    rows = (await connection.execute(ordered)).mappings().all()
    changes, unreadable = [], []
    for row in rows:
        try:
            changes.append(_resealed(sealed, box, row))
        except SecretError as error:
            where = "/".join(str(row[name]) for name in sealed.key)
            unreadable.append(f"{sealed.table.name} {where}: {error}")
    moved = await _write(connection, sealed, changes)
    last = tuple(rows[-1][name] for name in sealed.key) if rows else None
    return Resealed(last, moved, tuple(unreadable))


async def count_old(connection: AsyncConnection, sealed: SealedTable, box: SecretBox) -> int:
    """How many rows of the tenant are not under the newest key."""
    counting = select(func.count()).select_from(sealed.table).where(_is_old(sealed, box))
    return int((await connection.execute(counting)).scalar_one())


async def read_horizon(connection: AsyncConnection) -> int:
    """A moment in the order of transactions: all that have written by now come before it."""
    return int((await connection.execute(_NOW)).scalar_one())


async def is_past(connection: AsyncConnection, horizon: int) -> bool:
    """Whether all transactions that had written by the horizon have ended."""
    return int((await connection.execute(_OLDEST)).scalar_one()) > horizon


def _is_old(sealed: SealedTable, box: SecretBox) -> ColumnElement[bool]:
    return sealed.table.c.key_id != box.newest_key_id


def _resealed(sealed: SealedTable, box: SecretBox, row: Mapping[Any, Any]) -> dict[str, Any]:
    context = sealed.context_of(row)
    plain = box.open(Sealed(*(row[name] for name in CIPHERTEXT)), context=context)
    new = box.seal(plain, context=context)
    return {
        **{f"the_{name}": row[name] for name in sealed.key},
        "old_iv": row["iv"],
        "old_tag": row["tag"],
        **{f"new_{name}": getattr(new, name) for name in CIPHERTEXT},
    }


async def _write(
    connection: AsyncConnection, sealed: SealedTable, changes: Sequence[Mapping[str, Any]]
) -> int:
    columns = sealed.table.c
    statement = (
        update(sealed.table)
        .where(
            *(columns[name] == bindparam(f"the_{name}") for name in sealed.key),
            columns.iv == bindparam("old_iv"),
            columns.tag == bindparam("old_tag"),
        )
        .values({columns[name]: bindparam(f"new_{name}") for name in CIPHERTEXT})
    )
    moved = 0
    for change in changes:
        moved += (await connection.execute(statement, change)).rowcount
    return moved
