"""What would change in a record, field by field, to be shown to a person. Pure.

Unlike `domain.fields` it is about everything a record holds, what is its store's own included. A
path is a field's name, `extra.{name}`, `billing.{name}`, or for a variant
`variants.{external id}.{field}`. Values are JSON, and cut where they are long: they are shown,
never written.
"""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import accumulate
from typing import Any, Final

from domain.entities import Entity
from domain.fields import SHARED_OF_VARIANTS, all_values
from domain.keepable import keepable
from domain.merge import Sides
from domain.records import Product, Record

LONGEST: Final = 2_000
"""Characters of a text, or of a list or object as JSON, that are shown."""

MOST_FIELDS: Final = 200
"""Fields of one record that are shown."""

MARK: Final = "… (cut)"
MORE: Final = "…"
"""The path that stands for the fields that are left out; it has how many as `to`. Also the member
that stands for those left out of an object."""

Values = Mapping[str, Any]
Shown = dict[str, dict[str, Any]]
"""`{"from": …, "to": …}` by path; with `"isHeld": true` where the field waits for a person."""

_NESTED: Final = ("billing", "shipping")
_EMPTY: Final[tuple[Any, ...]] = (None, "", [], {})


@dataclass(frozen=True, slots=True)
class Difference:
    """What would be done to one record, or sent of it.

    Attributes:
        way: `pull`, `push`, or `follow` (see `db.run_diffs`).
        key: names the record within way and entity.
        action: `created`, `updated`, `deleted`, `conflict`, `rejected`; of a push `create`,
            `match`, `update`, `unpublish`, `conflict` or `unsupported`.
    """

    way: str
    entity: str
    key: str
    action: str
    external_id: str | None = None
    record_id: int | None = None
    fields: Shown = field(default_factory=dict, repr=False)


def values_of(record: Record | None) -> dict[str, Any]:
    """Everything a record holds, by path; empty for none."""
    if record is None:
        return {}
    dump = record.model_dump(mode="json")
    extra = dump.pop("extra", {})
    values = {**dump, **{f"extra.{name}": value for name, value in extra.items()}}
    for name in _NESTED:
        if isinstance(values.get(name), dict):
            parts = values.pop(name)
            values |= {f"{name}.{part}": value for part, value in parts.items()}
    if isinstance(record, Product):
        del values["variants"]
        for place, one in enumerate(dump["variants"]):
            key = one.pop("external_id") or f"new-{place + 1}"
            values |= {f"variants.{key}.{name}": value for name, value in one.items()}
    return values


def between(before: Values, after: Values) -> Shown:
    """The paths whose values differ. What is empty on both sides is no difference."""
    paths = [*after, *(path for path in before if path not in after)]
    return {
        path: {"from": before.get(path), "to": after.get(path)}
        for path in paths
        if before.get(path) != after.get(path)
        and not (_is_empty(before.get(path)) and _is_empty(after.get(path)))
    }


def with_held(shown: Shown, held: Mapping[str, Sides]) -> Shown:
    """Also the fields that would wait for a person: the hub's value, and the store's."""
    waiting = {
        path: {"from": sides.local, "to": sides.remote, "isHeld": True}
        for path, sides in held.items()
    }
    return {**shown, **waiting}


def capped(shown: Shown) -> Shown:
    """The same, to be kept: long values are cut with a mark, and so are many fields."""
    kept = {
        path: {side: _cut(value) for side, value in one.items()}
        for path, one in list(shown.items())[:MOST_FIELDS]
    }
    if len(shown) > MOST_FIELDS:
        kept[MORE] = {"from": None, "to": f"{len(shown) - MOST_FIELDS} more fields"}
    return kept


def number(value: Decimal | None) -> str | None:
    """A quantity as it is shown: without the places that say nothing."""
    return None if value is None else format(value.normalize(), "f")


def _cut(value: Any) -> Any:
    value = keepable(value)
    if isinstance(value, str):
        return value if len(value) <= LONGEST else value[:LONGEST] + MARK
    if not isinstance(value, (list, dict)) or _length(value) <= LONGEST:
        return value
    # It stays a list or an object: what may not be seen is told by the names within.
    if isinstance(value, list):
        return [*_fitting(value), MARK]
    return {**dict(_fitting(list(value.items()))), MORE: MARK}


def _fitting(parts: Sequence[Any]) -> list[Any]:
    """The first of them that are not too long together."""
    lengths = accumulate(_length(one) + len(", ") for one in parts)
    return [one for one, length in zip(parts, lengths, strict=True) if length <= LONGEST]


def _length(value: Any) -> int:
    return len(json.dumps(value, ensure_ascii=False))


def _is_empty(value: Any) -> bool:
    return any(value == one and type(value) is type(one) for one in _EMPTY)


def to_send(
    entity: Entity,
    record: Record | None,
    said: Record | None,
    *,
    held: Collection[str] = (),
    is_forced: bool = False,
) -> Shown:
    """The shared fields a store would be sent: what it said last, and what it is told.

    Args:
        said: what the store has; None: it does not have it.
        held: paths that are not sent; a variant's covers its fields.
        is_forced: also what is as it was.
    """
    mine, theirs = _shared(entity, record), _shared(entity, said)
    if is_forced:
        shown = {path: {"from": theirs.get(path), "to": value} for path, value in mine.items()}
    else:
        shown = between(theirs, mine) if record is not None else {}
    return {
        path: one
        for path, one in shown.items()
        if path not in held and path.rpartition(".")[0] not in held
    }


def _shared(entity: Entity, record: Record | None) -> dict[str, Any]:
    """The shared fields, also of the variants that the store does not have yet."""
    if record is None:
        return {}
    new = {
        path: value
        for path, value in values_of(record).items()
        if path.startswith("variants.new-") and path.rpartition(".")[2] in SHARED_OF_VARIANTS
    }
    return {**all_values(entity, record), **new}
