"""Stores' own rules for their fields, as they are kept."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import bindparam, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncConnection

from db.mapping_previews import dump_rules
from domain.entities import Entity
from domain.errors import ConflictError
from domain.field_mapping import MappingRule, mapped_fields, read_rules

_LOAD: Final = text("select rules, version, updated_at from field_mappings where store_id = :store")

# Two who save at once: the row decides who was first. A store without rules is at version 0.
_SAVE: Final = text("""
insert into field_mappings as m (tenant_id, store_id, rules)
select :tenant, :store, :rules
where coalesce(cast(:expected as integer), 0) = 0
on conflict (tenant_id, store_id) do update
  set rules = excluded.rules, version = m.version + 1, updated_at = now()
  where cast(:expected as integer) is null
returning version, updated_at
""").bindparams(bindparam("rules", type_=JSONB))

_REPLACE: Final = text("""
update field_mappings set rules = :rules, version = version + 1, updated_at = now()
where store_id = :store and version = coalesce(cast(:expected as integer), version)
returning version, updated_at
""").bindparams(bindparam("rules", type_=JSONB))


@dataclass(frozen=True, slots=True)
class StoredMapping:
    """A store's rules; version 0 has none."""

    rules: tuple[MappingRule, ...] = ()
    version: int = 0
    updated_at: datetime | None = None


async def load_mapping(connection: AsyncConnection, store_id: int) -> StoredMapping:
    """A store's rules. Raises ValueError: they cannot be read any more."""
    row = (await connection.execute(_LOAD, {"store": store_id})).one_or_none()
    if row is None:
        return StoredMapping()
    return StoredMapping(read_rules(row.rules), row.version, row.updated_at)


async def load_mapped(connection: AsyncConnection, store_id: int, entity: Entity) -> frozenset[str]:
    """The shared fields of an entity that a store's rules fill."""
    return mapped_fields((await load_mapping(connection, store_id)).rules, entity)


async def save_mapping(
    connection: AsyncConnection,
    tenant_id: int,
    store_id: int,
    rules: Sequence[MappingRule],
    *,
    expected: int | None = None,
) -> StoredMapping:
    """Replace a store's rules.

    Args:
        expected: the version that is replaced; None: whichever there is.

    Raises:
        ConflictError: it is another one by now. The transaction must be given up.
    """
    values: Mapping[str, Any] = {
        "tenant": tenant_id,
        "store": store_id,
        "rules": dump_rules(rules),
        "expected": expected,
    }
    row = (await connection.execute(_REPLACE, values)).one_or_none()
    if row is None:
        row = (await connection.execute(_SAVE, values)).one_or_none()
    if row is None:
        raise ConflictError(
            "the store's field mapping was changed meanwhile: read it again and repeat the change"
        )
    return StoredMapping(tuple(rules), row.version, row.updated_at)
