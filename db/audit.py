"""The audit trail: who did what. Written in the transaction that did it, or, where that is asked of
Temporal, before it is asked (`api.on_record`)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import insert, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from db.tables.people import AUDIT_LOG


class ActorKind(StrEnum):
    """What acts: a person who logged in, an API key, the hub's own command line, or a shop that
    followed the link of an installation."""

    USER = "user"
    KEY = "key"
    COMMAND_LINE = "cli"
    SHOP = "shop"


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts, and from where. The name is kept as it is now: users and keys are renamed."""

    kind: ActorKind
    id: int | None = None
    name: str = ""
    address: str = ""
    request_id: str = ""


COMMAND_LINE = Actor(ActorKind.COMMAND_LINE, name="entrepot")


async def record_audit(
    connection: AsyncConnection,
    tenant_id: int,
    actor: Actor,
    action: str,
    subject: str = "",
    **details: Any,
) -> int:
    """Write down what `actor` does in the tenant's transaction; the id of the entry.

    Args:
        action: `area.verb` in the past tense, such as `store.created`.
        subject: what it was done to, such as `store/12`.
        details: plain JSON, never a secret.
    """
    values: Mapping[str, Any] = {
        "tenant_id": tenant_id,
        "actor_kind": actor.kind.value,
        "actor_id": actor.id,
        "actor_name": actor.name,
        "action": action,
        "subject": subject,
        "address": actor.address,
        "request_id": actor.request_id,
        "details": details,
    }
    written = await connection.execute(insert(AUDIT_LOG).values(values).returning(AUDIT_LOG.c.id))
    return int(written.scalar_one())


@dataclass(frozen=True, slots=True)
class AuditFilter:
    """Which entries. `action` is a whole action or an area (`store` for all `store.…`)."""

    action: str | None = None
    actor_kind: ActorKind | None = None
    actor_id: int | None = None
    since: datetime | None = None


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """Somebody did something."""

    id: int
    at: datetime
    actor_kind: str
    actor_id: int | None
    actor_name: str
    action: str
    subject: str
    address: str
    request_id: str
    details: Mapping[str, Any]


async def list_audit(
    connection: AsyncConnection, wanted: AuditFilter, *, before: int, limit: int
) -> Sequence[AuditEntry]:
    """Entries of the tenant with an id below `before`, the newest first."""
    columns = AUDIT_LOG.c
    statement = select(*(columns[name] for name in AuditEntry.__dataclass_fields__))
    statement = statement.where(columns.id < before).order_by(columns.id.desc()).limit(limit)
    if wanted.action is not None:
        area = columns.action.startswith(f"{wanted.action}.", autoescape=True)
        statement = statement.where(or_(columns.action == wanted.action, area))
    if wanted.actor_kind is not None:
        statement = statement.where(columns.actor_kind == wanted.actor_kind.value)
    if wanted.actor_id is not None:
        statement = statement.where(columns.actor_id == wanted.actor_id)
    if wanted.since is not None:
        statement = statement.where(columns.at >= wanted.since)
    return [AuditEntry(**row) for row in (await connection.execute(statement)).mappings()]
