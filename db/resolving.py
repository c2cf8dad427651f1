"""A person decides a conflict: the hub's record, its link and what stores have to be told, at once.

The link's base is what the store said last, so nothing has to be asked of the store: what it lacks
then becomes a push to it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from db.apply import WRITERS
from db.conflicts import OPEN, RESOLVED, Conflict, find_conflict
from db.deletions import Farewells, bid_farewell
from db.exchange import FOLLOW_STORE
from db.link_marks import TOMBSTONE
from db.local_records import Local, load_local, read_sides
from db.merged_writes import write_decisions
from db.merging import Decision, Meeting
from db.publishing import FAN_OUT
from db.staging import Batch, Origin, Statements
from db.write_merged import OWN_PUSHES
from domain.entities import Entity
from domain.errors import ConflictError, InvalidRecordError, NotFoundError
from domain.fields import RECORD_PATH, replace, value_at
from domain.merge import Sides, differs, suggest
from domain.pages import Pulled
from domain.reconcile import LinkState, prepare
from domain.records import Record
from domain.spelling import keep_spelling, write_base
from domain.sync_settings import StoreSettings

_SETTLE = text("""
update conflicts set status = 'resolved', resolution = :resolution, resolved_at = now(),
  updated_at = now()
where id = :id
""")


@dataclass(frozen=True, slots=True)
class Resolution:
    """What a person decided; `data` maps every held field to its value, for `manual` alone."""

    name: str
    data: Mapping[str, Any]


async def resolve_conflict(
    connection: AsyncConnection, tenant_id: int, conflict_id: int, resolution: Resolution
) -> tuple[Conflict, frozenset[int], bool]:
    """Decide a conflict. Deciding it again the same way changes nothing.

    Returns:
        The conflict, the stores that have something to be pushed now, and whether it was decided
        only now.

    Raises:
        NotFoundError: there is no such conflict.
        ConflictError: it was decided otherwise, or settled by itself.
        InvalidRecordError: `data` does not fit the record.
    """
    seen = await find_conflict(connection, conflict_id)
    if seen is None:
        raise NotFoundError(f"there is no conflict {conflict_id}")
    origin, entity = Origin(tenant_id, seen.store_id), Entity(seen.entity)
    batch = await Batch.open(connection, origin, entity)
    links = await batch.look([seen.external_id])
    links |= await batch.lock(links)
    locals_ = await load_local(connection, seen.store_id, entity, [seen.record_id], lock=True)
    held = await find_conflict(connection, conflict_id, lock=True)
    if held is None or held.status != OPEN:
        return _decided_before(held or seen, resolution), frozenset(), False
    local, link = locals_[seen.record_id], links.get(seen.external_id)
    if link is None:
        raise ConflictError("the record is not linked to this store any more")
    case = _Case(connection, batch, origin, entity, local, link, held)
    is_lacking = await case.decide(resolution)
    await connection.execute(_SETTLE, {"id": conflict_id, "resolution": resolution.name})
    told = await batch.write(Statements(*FOLLOW_STORE), returning=FAN_OUT)
    stores = frozenset(row[0] for row in told) | ({seen.store_id} if is_lacking else frozenset())
    settled = await find_conflict(connection, conflict_id)
    return settled or held, stores, True


def suggestion(conflict: Conflict, local: Local, path: str) -> tuple[str, Any, str]:
    """How a held field would best be decided: the resolution, the value, and why."""
    is_newer = conflict.remote_version is None or conflict.remote_version >= local.changed_at
    return suggest(path, current_sides(conflict, local, path), remote_is_newer=is_newer)


def current_sides(conflict: Conflict, local: Local, path: str) -> Sides:
    """A held field, with what the hub's record says of it today while it is open."""
    sides = read_sides(conflict.fields[path])
    if path == RECORD_PATH or conflict.status == RESOLVED or local.record is None:
        return sides
    mine = value_at(Entity(conflict.entity), local.record, path)
    return Sides(sides.base, mine, sides.remote, sides.has_base)


def _decided_before(conflict: Conflict, resolution: Resolution) -> Conflict:
    if conflict.resolution == resolution.name:
        return conflict
    raise ConflictError(f"the conflict was resolved before: {conflict.resolution}")


@dataclass(frozen=True, slots=True)
class _Case:
    connection: AsyncConnection
    batch: Batch
    origin: Origin
    entity: Entity
    local: Local
    link: LinkState
    conflict: Conflict

    async def decide(self, resolution: Resolution) -> bool:
        """Write it. Whether the store has to be told."""
        values = self._values(resolution)
        if RECORD_PATH in self.conflict.fields:
            return await self._decide_record(is_kept=bool(values[RECORD_PATH]))
        return await self._decide_fields(values)

    def _values(self, resolution: Resolution) -> dict[str, Any]:
        paths = self.conflict.fields.keys()
        if resolution.name == "manual":
            if resolution.data.keys() != paths:
                raise InvalidRecordError(f"data must name these fields: {', '.join(sorted(paths))}")
            if not isinstance(resolution.data.get(RECORD_PATH, True), bool):
                raise InvalidRecordError(f"{RECORD_PATH}: must be true or false")
            return dict(resolution.data)
        sides = {path: current_sides(self.conflict, self.local, path) for path in paths}
        if resolution.name == "local":
            return {path: one.local for path, one in sides.items()}
        if resolution.name == "remote":
            return {path: one.remote for path, one in sides.items()}
        return {path: suggestion(self.conflict, self.local, path)[1] for path in paths}

    async def _decide_fields(self, values: Mapping[str, Any]) -> bool:
        hub, ours, base = self.local.hub, self.local.record, self.local.base
        if hub is None or ours is None or base is None:
            raise ConflictError("the hub's record was deleted meanwhile: nothing is left to decide")
        changed = {
            path: value
            for path, value in values.items()
            if value != value_at(self.entity, ours, path)
        }
        try:
            record = replace(self.entity, hub, changed)
        except ValueError as error:
            raise InvalidRecordError(str(error).partition("\n")[0]) from error
        is_lacking = any(
            value_at(self.entity, record, path) != value_at(self.entity, base, path)
            for path in values
        )
        return await self._write(record if changed else None, base, changed, is_lacking=is_lacking)

    async def _decide_record(self, *, is_kept: bool) -> bool:
        """A deletion on one side against an edit on the other."""
        base = self.local.base
        if self.local.hub is None and base is not None:
            taken = ("category_external_ids", "parent_external_id")
            return await self._write(
                base if is_kept else None, base, dict.fromkeys(taken), is_lacking=not is_kept
            )
        gone = {self.conflict.external_id: self.link}
        if not is_kept:
            drop = WRITERS[self.entity].drop
            await self.batch.write(Statements(TOMBSTONE, *drop, gone=list(gone)))
            return False
        farewells = Farewells(again=tuple(gone))
        again = await bid_farewell(
            self.connection, self.batch, self.origin, self.entity, gone, farewells
        )
        if self._pushes():
            await self.batch.ask(OWN_PUSHES, lacking=list(again), bouncing=[])
        return self._pushes()

    async def _write(
        self, record: Record | None, base: Record, taken: Mapping[str, Any], *, is_lacking: bool
    ) -> bool:
        said: Pulled[Record] = Pulled(self.conflict.external_id, base, self.local.version)
        hub = record or self.local.hub
        spelling = keep_spelling(self.entity, self.local.spelling, hub, base, base) if hub else {}
        decision = Decision(
            meeting=Meeting(said, prepare(said), self.local.record_id, self.link),
            local=self.local,
            record=record,
            base=write_base(base, spelling),
            differs=hub is None or differs(self.entity, hub, base),
            is_lacking=is_lacking,
            taken=frozenset(taken),
        )
        written = await write_decisions(
            self.connection, self.batch, self.origin, self.entity, [decision], pushes=self._pushes()
        )
        return written.is_lacking

    def _pushes(self) -> bool:
        settings = StoreSettings.model_validate(self.batch.settings)
        is_set = "syncDirections" in self.batch.settings
        return is_set and settings.sync_directions.of(self.entity).pushes
