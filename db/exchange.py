"""The part of a batch that cannot simply be written: others have to do with its records.

`set_apart` takes it out of the plan and decides; the rest goes the fast way. `write_exchange` comes
after the rest was written, and before the batch is published.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection

from db.deletions import Farewells, bid_farewell, decide_farewells
from db.matching import match
from db.merged_writes import Written, write_decisions
from db.merging import Decision, Meeting, decide_meetings
from db.publishing import FAN_OUT, MARK_DIFFERING
from db.staging import PUBLISH, Batch, Origin
from db.write_merged import BUMP_OWN_PUSHES, OWN_PUSHES
from domain.entities import Entity
from domain.guests import GUEST_PREFIX
from domain.pages import Pulled
from domain.reconcile import LinkState, Plan
from domain.records import Record
from domain.sync_settings import StoreSettings

FOLLOW_STORE: Final = (MARK_DIFFERING, FAN_OUT, BUMP_OWN_PUSHES, PUBLISH)
"""`db.publishing.FOLLOW` for what a store says: it may be on its way to that store as well."""


@dataclass(frozen=True, slots=True)
class Exchange:
    """What was set apart.

    Attributes:
        plan: what is left to be written the fast way.
        skipped: external ids that are not taken in.
    """

    plan: Plan
    skipped: frozenset[str] = frozenset()
    decisions: tuple[Decision, ...] = ()
    gone: Mapping[str, LinkState] = field(default_factory=dict)
    farewells: Farewells = field(default_factory=Farewells)
    pushes: bool = False

    @property
    def deaf(self) -> frozenset[str]:
        """External ids whose stock does not count: not taken in, or deleted in the hub."""
        deleted = {
            one.meeting.incoming.external_id
            for one in self.decisions
            if one.local.hub is None and one.record is None
        }
        return self.skipped | deleted

    @property
    def is_empty(self) -> bool:
        """Whether nothing has to be written but the plan."""
        return not self.decisions and not self.gone


@dataclass(frozen=True, slots=True)
class Parties:
    """A batch, where it comes from, and what it is about."""

    connection: AsyncConnection
    batch: Batch
    origin: Origin
    entity: Entity


async def set_apart(
    parties: Parties,
    plan: Plan,
    links: Mapping[str, LinkState],
    records: Mapping[str, Pulled[Record]],
) -> Exchange:
    """Decide what has to be merged, matched, or is not to be taken in at all."""
    batch, origin, entity = parties.batch, parties.origin, parties.entity
    settings = StoreSettings.model_validate(batch.settings)
    direction = settings.sync_directions.of(entity)
    merges = {key for key in plan.contested if links[key].merges}
    is_free = direction.pulls and not merges
    if is_free and not batch.is_two_way:
        return Exchange(plan)
    matched, skipped = await _meet_new(parties, plan, records, takes=direction.pulls)
    slow = {
        one.external_id
        for one in plan.updated
        if one.external_id in merges
        or not (direction.pulls or one.external_id.startswith(GUEST_PREFIX))
    }
    meetings = [
        Meeting(records[one.external_id], one, record_id, links.get(one.external_id))
        for one in (*plan.updated, *plan.created)
        if (record_id := _record_id(one.external_id, slow, links, matched)) is not None
    ]
    decisions = await decide_meetings(
        parties.connection, origin.store_id, entity, meetings, settings, force=origin.force
    )
    gone = {key: links[key] for key in plan.deleted} if entity is not Entity.ORDERS else {}
    farewells = (
        await decide_farewells(parties.connection, batch, origin, entity, gone, settings)
        if gone
        else Farewells(deleted=plan.deleted)
    )
    # An order is its store's own but for its status: it is written the fast way, and put right.
    keeps = entity is Entity.ORDERS
    return Exchange(
        plan=replace(
            plan,
            created=tuple(
                one
                for one in plan.created
                if one.external_id not in matched and one.external_id not in skipped
            ),
            updated=tuple(one for one in plan.updated if keeps or one.external_id not in slow),
            deleted=farewells.deleted,
        ),
        skipped=skipped,
        decisions=tuple(decisions),
        gone=gone,
        farewells=farewells,
        pushes="syncDirections" in batch.settings and direction.pushes,
    )


async def write_exchange(parties: Parties, exchange: Exchange) -> Written:
    """Write what was set apart."""
    written = await write_decisions(
        parties.connection,
        parties.batch,
        parties.origin,
        parties.entity,
        exchange.decisions,
        pushes=exchange.pushes,
    )
    again = await bid_farewell(
        parties.connection,
        parties.batch,
        parties.origin,
        parties.entity,
        exchange.gone,
        exchange.farewells,
    )
    if again and exchange.pushes:
        await parties.batch.ask(OWN_PUSHES, lacking=list(again), bouncing=[])
    return replace(
        written,
        conflicts=written.conflicts + len(exchange.farewells.held),
        is_lacking=written.is_lacking or bool(again and exchange.pushes),
    )


async def _meet_new(
    parties: Parties, plan: Plan, records: Mapping[str, Pulled[Record]], *, takes: bool
) -> tuple[dict[str, int], frozenset[str]]:
    """New records that are ours already, and those that are not taken in."""
    if not plan.created or parties.entity is Entity.ORDERS:
        return {}, frozenset()
    matched: dict[str, int] = {}
    if parties.batch.is_two_way:
        new = [records[one.external_id] for one in plan.created]
        matched = await match(parties.batch, parties.entity, new)
    if takes:
        return matched, frozenset()
    return matched, frozenset(
        one.external_id
        for one in plan.created
        if one.external_id not in matched and not one.external_id.startswith(GUEST_PREFIX)
    )


def _record_id(
    key: str, slow: set[str], links: Mapping[str, LinkState], matched: Mapping[str, int]
) -> int | None:
    return links[key].record_id if key in slow else matched.get(key)
