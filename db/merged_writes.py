"""Writing what came of merges: records, links, conflicts, and what the store has to be told."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy.ext.asyncio import AsyncConnection

from db.alerts import AlertKind, NewAlert, raise_alert
from db.conflicts import NewConflict, close_conflicts, hold_conflict
from db.merging import Decision
from db.session import LostRaceError
from db.staging import Batch, Origin, Statements
from db.write_merged import (
    KEYS,
    LINK_KNOWN_VARIANTS,
    LINK_MATCHED,
    LINK_NEW_VARIANTS,
    OWN_PUSHES,
    RELINK,
    WRITE_MERGED,
)
from domain.entities import Entity
from domain.records import Category, Product, Record

MAX_BOUNCES: Final = 5
"""How often a store may answer our pushes of a record with a change of its own. `FAN_OUT` in
`db.publishing` has the same number."""


@dataclass(frozen=True, slots=True)
class Written:
    """What became of merged records."""

    updated: int = 0
    unchanged: int = 0
    conflicts: int = 0
    is_lacking: bool = False


async def write_decisions(
    connection: AsyncConnection,
    batch: Batch,
    origin: Origin,
    entity: Entity,
    decisions: Sequence[Decision],
    *,
    pushes: bool,
) -> Written:
    """Write them in the caller's transaction, which publishes afterwards.

    Args:
        pushes: whether the store is told what it lacks.

    Raises:
        LostRaceError: what was matched was linked by somebody else meanwhile.
    """
    if not decisions:
        return Written()
    bouncing = await _link(batch, decisions)
    changed = [(one, one.record) for one in decisions if one.record is not None]
    await _write_records(batch, entity, changed)
    await _keep_conflicts(connection, origin, entity, decisions)
    for record_id in bouncing:
        await raise_alert(connection, _loop_alert(origin, entity, record_id))
    lacking = sorted(one.local.record_id for one in decisions if one.is_lacking and pushes)
    if lacking:
        await batch.ask(OWN_PUSHES, lacking=lacking, bouncing=bouncing)
    updated = sum(one.record is not None for one in decisions)
    return Written(
        updated=updated,
        unchanged=len(decisions) - updated,
        conflicts=sum(bool(one.held) for one in decisions),
        is_lacking=bool(lacking),
    )


async def _link(batch: Batch, decisions: Sequence[Decision]) -> list[int]:
    """Remember what the store said. Which records it keeps changing back."""
    known = [one for one in decisions if one.meeting.link is not None]
    matched = [one for one in decisions if one.meeting.link is None]
    if matched:
        linked = await batch.ask(
            LINK_MATCHED,
            **_said(matched),
            record_ids=[one.local.record_id for one in matched],
            homes=[one.local.is_home for one in matched],
        )
        if len(linked) != len(matched):
            raise LostRaceError
    if not known:
        return []
    rows = await batch.ask(
        RELINK, **_said(known), moved=[bool(one.taken) or one.is_lacking for one in known]
    )
    return sorted(record_id for record_id, bounces in rows if bounces >= MAX_BOUNCES)


def _said(decisions: Sequence[Decision]) -> dict[str, list[Any]]:
    incoming = [one.meeting.incoming for one in decisions]
    return {
        "keys": [one.external_id for one in incoming],
        "bases": [one.base.decode() for one in decisions],
        "digests": [one.digest for one in incoming],
        "versions": [one.version for one in incoming],
        "differ": [one.differs for one in decisions],
    }


_Changed = Sequence[tuple[Decision, Record]]


async def _write_records(batch: Batch, entity: Entity, changed: _Changed) -> None:
    if not changed:
        return
    variants = await _link_variants(batch, changed) if entity is Entity.PRODUCTS else {}
    categories = await _category_ids(batch, changed)
    documents = [_document(one, record, variants, categories) for one, record in changed]
    await batch.write(
        Statements(
            *WRITE_MERGED[entity],
            docs=json.dumps(documents),
            changed=[one.local.record_id for one, _ in changed],
        )
    )


async def _link_variants(batch: Batch, changed: _Changed) -> dict[str, int]:
    """The hub's ids of all variants that the store has, new ones included."""
    ids = {key: own for one, _ in changed for key, own in _own_ids(one)[0].items()}
    paired = {key: own for one, _ in changed for key, own in one.paired.items()}
    if paired:
        await batch.ask(LINK_KNOWN_VARIANTS, keys=list(paired), ids=list(paired.values()))
    new = {
        variant.external_id
        for _, record in changed
        if isinstance(record, Product)
        for variant in record.variants
        if variant.external_id and variant.external_id not in ids
    }
    if new:
        ids |= dict(await batch.ask(LINK_NEW_VARIANTS, keys=sorted(new)))
    return ids


def _own_ids(decision: Decision) -> tuple[dict[str, int], list[int]]:
    """The hub's ids of a product's variants by the store's ids; and of those it does not have."""
    hub = decision.local.hub
    if not isinstance(hub, Product):
        return {}, []
    pairs = list(zip(hub.variants, decision.local.variant_ids, strict=True))
    known = {one.external_id: own for one, own in pairs if one.external_id}
    return known, [own for one, own in pairs if not one.external_id]


async def _category_ids(batch: Batch, changed: _Changed) -> Mapping[str, int]:
    keys = {key for one, record in changed for key in _category_keys(one.local.hub, record)}
    return dict(await batch.ask(KEYS, keys=sorted(keys))) if keys else {}


def _category_keys(*records: Record | None) -> set[str]:
    keys: set[str] = set()
    for record in records:
        if isinstance(record, Product):
            keys |= set(record.category_external_ids)
        if isinstance(record, Category) and record.parent_external_id:
            keys.add(record.parent_external_id)
    return keys


def _document(
    decision: Decision, record: Record, variants: Mapping[str, int], categories: Mapping[str, int]
) -> dict[str, Any]:
    """A record in the hub's terms."""
    local = decision.local
    document = record.model_dump(mode="json") | {"id": local.record_id}
    if isinstance(record, Category):
        is_taken = "parent_external_id" in decision.taken
        parent = categories.get(record.parent_external_id or "")
        document["parent_id"] = parent if is_taken else local.parent_id
    if isinstance(record, Product):
        document["category_ids"] = _categories_of(decision, record, categories)
        unlinked = iter(_own_ids(decision)[1])
        for variant in document["variants"]:
            key = variant["external_id"]
            variant["id"] = variants[key] if key else next(unlinked)
    return document


def _categories_of(decision: Decision, record: Product, categories: Mapping[str, int]) -> list[int]:
    """Categories that the store does not know stay with the product, whatever the store says."""
    local = decision.local
    if "category_external_ids" not in decision.taken:
        return list(local.category_ids)
    named = local.hub.category_external_ids if isinstance(local.hub, Product) else ()
    known_there = {categories[key] for key in named if key in categories}
    ids = [categories[key] for key in record.category_external_ids if key in categories]
    beyond = [one for one in local.category_ids if one not in known_there] if named else []
    return ids + [one for one in beyond if one not in ids]


async def _keep_conflicts(
    connection: AsyncConnection, origin: Origin, entity: Entity, decisions: Sequence[Decision]
) -> None:
    settled = [one.local.record_id for one in decisions if one.local.held_sides and not one.held]
    await close_conflicts(connection, origin.store_id, entity, settled)
    for one in decisions:
        if one.held:
            held = NewConflict(
                tenant_id=origin.tenant_id,
                store_id=origin.store_id,
                entity=entity,
                record_id=one.local.record_id,
                external_id=one.meeting.incoming.external_id,
                fields=one.held,
                remote_version=one.meeting.incoming.version,
            )
            await hold_conflict(connection, held)


def _loop_alert(origin: Origin, entity: Entity, record_id: int) -> NewAlert:
    return NewAlert(
        tenant_id=origin.tenant_id,
        store_id=origin.store_id,
        kind=AlertKind.LOOP,
        subject=f"{entity.value}/{record_id}/{origin.store_id}",
        title="A store keeps changing a record back",
        message=(
            f"Store {origin.store_id} answered the last {MAX_BOUNCES} updates of {entity.value} "
            f"{record_id} with a change of its own. What it says is kept, and sent on only every "
            "ten minutes from now on. Look for a plugin there that rewrites the record, or set the "
            "store's direction to pull."
        ),
        details={"entity": entity.value, "recordId": record_id, "storeId": origin.store_id},
    )
