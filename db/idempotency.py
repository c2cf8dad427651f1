"""What a request with an `Idempotency-Key` must not do twice.

The row decides, so that any number of processes agree: whoever inserts it does the work. A claim
is fenced by the moment it was made, so a worker that was given up for dead cannot overwrite the
answer of the one that took over. An answer kept in the transaction that did the work is there if
and only if the work was done.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from db.crypto import Sealed

KEPT_FOR = timedelta(hours=24)
ABANDONED_AFTER = timedelta(minutes=2)
"""Longer than any request may take: a claim without an answer by then belongs to a dead process."""

_CLAIM = text("""
insert into idempotency_keys (tenant_id, route, key, request_hash, created_at)
values (:tenant, :route, :key, :hash, :now)
on conflict (tenant_id, route, key) do update set
  request_hash = excluded.request_hash, created_at = excluded.created_at, status_code = null,
  encrypted_data = null, iv = null, tag = null, key_id = null
where idempotency_keys.created_at <= :expired
  or (idempotency_keys.status_code is null and idempotency_keys.created_at <= :abandoned
      and idempotency_keys.request_hash = excluded.request_hash)
returning created_at
""")

_FIND = text("""
select request_hash, status_code, encrypted_data, iv, tag, key_id from idempotency_keys
where tenant_id = :tenant and route = :route and key = :key
""")

_REMEMBER = text("""
update idempotency_keys
set status_code = :status_code, encrypted_data = :encrypted_data, iv = :iv, tag = :tag,
    key_id = :key_id
where tenant_id = :tenant and route = :route and key = :key and created_at = :now
""")

_FORGET = text("""
delete from idempotency_keys
where tenant_id = :tenant and route = :route and key = :key and created_at = :now
  and status_code is null
""")

_PURGE = text("""
delete from idempotency_keys where (tenant_id, route, key) in (
  select tenant_id, route, key from idempotency_keys
  where tenant_id = :tenant and created_at <= :expired limit 100 for update skip locked)
""")


@dataclass(frozen=True, slots=True)
class Attempt:
    """A request that carries a key. `request_hash` tells apart requests that share one."""

    tenant_id: int
    route: str
    key: str
    request_hash: bytes
    now: datetime

    def values(self) -> dict[str, object]:
        """The parameters of the statements below."""
        return {
            "tenant": self.tenant_id,
            "route": self.route,
            "key": self.key,
            "hash": self.request_hash,
            "now": self.now,
            "expired": self.now - KEPT_FOR,
            "abandoned": self.now - ABANDONED_AFTER,
        }


def answer_context(attempt: Attempt) -> str:
    """What the answer that is kept is bound to."""
    return bound_answer(attempt.tenant_id, attempt.route, attempt.key)


def bound_answer(tenant_id: int, route: str, key: str) -> str:
    """What an answer is bound to, by the key of its row."""
    return f"idempotency/{tenant_id}/{route}/{key}"


@dataclass(frozen=True, slots=True)
class Remembered:
    """The answer to an earlier request with this key; None while it is still being worked on."""

    is_same_request: bool
    answer: Sealed | None


async def claim(connection: AsyncConnection, attempt: Attempt) -> Remembered | None:
    """Take the key. None: it is ours, and `remember` or `forget` must follow."""
    values = attempt.values()
    await connection.execute(_PURGE, values)
    if (await connection.execute(_CLAIM, values)).first() is not None:
        return None
    row = (await connection.execute(_FIND, values)).mappings().one_or_none()
    if row is None:  # forgotten between the two statements: the other request just failed
        return Remembered(is_same_request=True, answer=None)
    is_same = bytes(row["request_hash"]) == attempt.request_hash
    if row["status_code"] is None:
        return Remembered(is_same, None)
    return Remembered(is_same, Sealed(row["encrypted_data"], row["iv"], row["tag"], row["key_id"]))


async def remember(
    connection: AsyncConnection, attempt: Attempt, *, status_code: int, answer: Sealed
) -> bool:
    """Keep the answer for whoever asks again with the key. False: the claim is ours no more."""
    kept = await connection.execute(
        _REMEMBER,
        {
            **attempt.values(),
            "status_code": status_code,
            "encrypted_data": answer.encrypted_data,
            "iv": answer.iv,
            "tag": answer.tag,
            "key_id": answer.key_id,
        },
    )
    return bool(kept.rowcount)


async def forget(connection: AsyncConnection, attempt: Attempt) -> None:
    """Give the key back: the request failed in a way that trying again may mend.

    An answer that was kept stays: the work was committed, though nobody was told.
    """
    await connection.execute(_FORGET, attempt.values())
