"""The slow way in: what a store says of a record that others have to do with is merged.

`Meeting` is a store's word and the record it is about. Deciding (`decide_meetings`) comes before
anything of the batch is written, because it reads what the hub has; writing
(`db.merged_writes.write_decisions`) after it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from sqlalchemy.ext.asyncio import AsyncConnection

from db.local_records import Local, load_local
from domain.entities import Entity
from domain.fields import RECORD_PATH
from domain.guests import GUEST_PREFIX
from domain.merge import Rules, Sides, differs, merge, merged_record, with_echo, with_own_fields
from domain.pages import Pulled
from domain.reconcile import Incoming, LinkState
from domain.records import Product, Record
from domain.spelling import keep_spelling, spell_unkept, write_base
from domain.statuses import ProductStatus
from domain.sync_settings import ConflictPolicy, StoreSettings
from domain.variant_pairs import HubVariant, pair_variants


@dataclass(frozen=True, slots=True)
class Meeting:
    """A store's word of one of our records. `link` is None when it was matched just now."""

    pulled: Pulled[Record]
    incoming: Incoming
    record_id: int
    link: LinkState | None


@dataclass(frozen=True, slots=True)
class Decision:
    """What comes of a meeting.

    Attributes:
        record: what the hub's record becomes, in the store's terms; None: it stays as it is.
        base: what the store said, as its link keeps it.
        differs: whether the hub then says more than the store.
        is_lacking: whether the store has to be told.
        held: the fields that wait for a person.
        taken: the fields that come from the store.
        paired: variants that the store had without our knowing, with the hub's ids.
    """

    meeting: Meeting
    local: Local
    record: Record | None
    base: bytes
    differs: bool
    is_lacking: bool = False
    held: Mapping[str, Sides] = field(default_factory=dict)
    taken: frozenset[str] = frozenset()
    paired: Mapping[str, int] = field(default_factory=dict)


async def decide_meetings(
    connection: AsyncConnection,
    store_id: int,
    entity: Entity,
    meetings: Sequence[Meeting],
    settings: StoreSettings,
    *,
    force: bool = False,
) -> list[Decision]:
    """Lock the records and decide what becomes of each."""
    if not meetings:
        return []
    ids = [one.record_id for one in meetings]
    known = await load_local(connection, store_id, entity, ids, lock=True)
    return [_decide(entity, one, known[one.record_id], settings, force=force) for one in meetings]


def rules_for(
    entity: Entity, settings: StoreSettings, pulled: Pulled[Record], local: Local, *, force: bool
) -> Rules:
    """How a store's word counts. Without a version of its own it was said just now."""
    # Guests are told of by orders, which always come in.
    is_guest = pulled.external_id.startswith(GUEST_PREFIX)
    return Rules(
        policy=settings.conflict_policy,
        policies=settings.conflict_policies,
        remote_is_newer=pulled.version is None or pulled.version >= local.changed_at,
        takes=is_guest or settings.sync_directions.of(entity).pulls,
        force=force,
        unkept=pulled.unkept,
        mapped=local.mapped,
    )


def _decide(
    entity: Entity, meeting: Meeting, local: Local, settings: StoreSettings, *, force: bool
) -> Decision:
    rules = rules_for(entity, settings, meeting.pulled, local, force=force)
    remote = meeting.pulled.record
    local, paired = _paired(local, remote)
    hub, ours = local.hub, local.record
    if hub is None or ours is None:
        return _decide_deleted(meeting, local, rules)
    merged = merge(
        entity,
        base=_agreed(entity, local, remote) if meeting.link is not None else None,
        local=ours,
        remote=remote,
        rules=rules,
        held=local.held_sides,
    )
    record = merged_record(entity, hub, merged.taken, remote)
    if local.is_home:
        record = with_own_fields(entity, record, remote)
    spelling = {
        **keep_spelling(entity, local.spelling, record, local.base, remote),
        **spell_unkept(entity, record, remote, rules.unkept),
    }
    return Decision(
        meeting=meeting,
        local=local,
        # Not by their snapshots: what PostgreSQL kept of `extra` has its keys in another order.
        record=record if paired or record != hub else None,
        base=write_base(remote, spelling),
        differs=differs(entity, record, remote),
        is_lacking=bool(merged.lacking),
        held=merged.held,
        taken=frozenset(merged.taken),
        paired=paired,
    )


def _agreed(entity: Entity, local: Local, remote: Record) -> Record | None:
    if local.base is None or local.pushing is None:
        return local.base
    return with_echo(entity, local.base, local.pushing, remote)


def _decide_deleted(meeting: Meeting, local: Local, rules: Rules) -> Decision:
    """The hub's record is deleted, and the store speaks of it.

    What the store itself deleted and has again is taken back. What the hub deleted comes back only
    by a change of the store that the policy prefers; that it is not for sale there any more is what
    it was told.
    """
    remote = meeting.pulled.record
    stays = Decision(meeting, local, None, write_base(remote, {}), differs=True)
    restored = Decision(
        meeting,
        local,
        remote,
        write_base(remote, {}),
        differs=False,
        taken=frozenset(("category_external_ids", "parent_external_id")),
    )
    if rules.force or (meeting.link is not None and meeting.link.is_deleted and rules.takes):
        return restored
    if isinstance(remote, Product) and remote.status is not ProductStatus.ACTIVE:
        return stays
    policy = rules.of(RECORD_PATH)
    if not rules.takes or policy is ConflictPolicy.LOCAL:
        return replace(stays, is_lacking=True)
    if policy is ConflictPolicy.MANUAL:
        return replace(stays, held={RECORD_PATH: Sides(True, False, True)})
    if policy is ConflictPolicy.REMOTE or rules.remote_is_newer:
        return restored
    return replace(stays, is_lacking=True)


def _paired(local: Local, remote: Record) -> tuple[Local, dict[str, int]]:
    """Variants that the store turns out to have get its ids."""
    if not isinstance(remote, Product) or not isinstance(local.hub, Product):
        return local, {}
    ours = [
        HubVariant(own, one.sku, one.option_values, one.external_id or None)
        for own, one in zip(local.variant_ids, local.hub.variants, strict=True)
    ]
    unknown = {one.id for one in ours if one.external_id is None}
    taken = {one.external_id for one in ours}
    pairs = {
        own: key
        for own, key in pair_variants(ours, remote.variants)
        if own in unknown and key not in taken
    }
    return local.named(pairs), {key: own for own, key in pairs.items()}
