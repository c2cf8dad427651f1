"""The audit trail: who did what. Written in the transaction that did it."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from db.tables.people import AUDIT_LOG


class ActorKind(StrEnum):
    """What acts: a person who logged in, an API key, or the hub's own command line."""

    USER = "user"
    KEY = "key"
    COMMAND_LINE = "cli"


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
) -> None:
    """Write down what `actor` does in the tenant's transaction.

    Args:
        action: `area.verb` in the past tense, such as `store.created`; see `api.schemas.audit`.
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
    await connection.execute(insert(AUDIT_LOG).values(values))
