"""Conflicts as bodies: both sides of each field, what is suggested, and why."""

from collections import defaultdict
from collections.abc import Mapping, Sequence

from sqlalchemy.ext.asyncio import AsyncConnection

from api.schemas.conflicts import (
    ConflictAnswer,
    ConflictField,
    ConflictSummary,
    SuggestionAnswer,
)
from db.conflicts import Conflict
from db.local_records import Local, load_local
from db.resolving import current_sides, suggestion
from domain.entities import Entity


async def conflict_answers(
    connection: AsyncConnection, conflicts: Sequence[Conflict]
) -> list[ConflictAnswer]:
    """Conflicts with their sides: one look for each store and kind of record."""
    wanted: defaultdict[tuple[int, Entity], list[int]] = defaultdict(list)
    for one in conflicts:
        wanted[one.store_id, Entity(one.entity)].append(one.record_id)
    known: dict[tuple[int, Entity], Mapping[int, Local]] = {
        (store_id, entity): await load_local(connection, store_id, entity, sorted(set(ids)))
        for (store_id, entity), ids in wanted.items()
    }
    return [
        _answer(one, known[one.store_id, Entity(one.entity)][one.record_id]) for one in conflicts
    ]


def conflict_summary(conflict: Conflict) -> ConflictSummary:
    """A conflict without its sides."""
    return ConflictSummary.model_validate(
        {name: getattr(conflict, name) for name in ConflictSummary.model_fields if name != "paths"}
        | {"paths": sorted(conflict.fields)}
    )


def _answer(conflict: Conflict, local: Local) -> ConflictAnswer:
    fields = [_field(conflict, local, path) for path in sorted(conflict.fields)]
    names = {one.suggestion.resolution for one in fields}
    reasons = "; ".join(f"{one.path}: {one.suggestion.reason}" for one in fields)
    overall = SuggestionAnswer(
        resolution=names.pop() if len(names) == 1 else "merge", value=None, reason=reasons
    )
    summary = conflict_summary(conflict).model_dump(by_alias=False)
    return ConflictAnswer(**summary, fields=fields, suggestion=overall)


def _field(conflict: Conflict, local: Local, path: str) -> ConflictField:
    sides = current_sides(conflict, local, path)
    name, value, reason = suggestion(conflict, local, path)
    return ConflictField(
        path=path,
        base=sides.base,
        local=sides.local,
        remote=sides.remote,
        has_base=sides.has_base,
        suggestion=SuggestionAnswer.model_validate(
            {"resolution": name, "value": value, "reason": reason}
        ),
    )
