"""Three-way merge of a record, field by field. Pure.

With the base both sides last agreed on: what only one side changed is taken from it, what both
changed alike is agreed, what both changed differently is a conflict, and the store's policy decides
(`ConflictPolicy`). At first contact, when a store's record is matched to one of ours, there is no
base: every field that differs is a conflict.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Final

from domain.entities import Entity
from domain.fields import (
    FIELD_GROUPS,
    SHARED,
    field_of,
    flatten_variants,
    group_of,
    paths_between,
    replace,
    value_at,
    variant_path,
)
from domain.records import Product, Record
from domain.sync_settings import ConflictPolicy

_NOTHING: Final = object()
_LISTS: Final = frozenset(("category_external_ids", "tags", "images"))
_TEXTS: Final = frozenset(("description", "short_description"))
_PRICES: Final = FIELD_GROUPS["price"]


@dataclass(frozen=True, slots=True)
class Sides:
    """A field both sides changed. `has_base` is False where they never agreed before."""

    base: Any
    local: Any
    remote: Any
    has_base: bool = True


@dataclass(frozen=True, slots=True)
class Rules:
    """How a store's word counts.

    Attributes:
        policy: who wins conflicts, `policies` by field group above it.
        remote_is_newer: whether the store changed its record after the hub's was changed.
        takes: whether what the store says is taken in at all (its direction).
        force: the store wins everything, also where only the hub changed something.
        unkept: names of fields that the store has no place for: it says nothing of them, and is
            told nothing.
        mapped: names of fields that the store's own rules fill: where both sides changed one, the
            store wins, because it is never told what the hub has.
    """

    policy: ConflictPolicy = ConflictPolicy.LATEST
    policies: Mapping[str, ConflictPolicy] = field(default_factory=dict)
    remote_is_newer: bool = True
    takes: bool = True
    force: bool = False
    unkept: frozenset[str] = frozenset()
    mapped: frozenset[str] = frozenset()

    def of(self, path: str) -> ConflictPolicy:
        """The policy of a field."""
        return self.policies.get(group_of(path), self.policy)


@dataclass(frozen=True, slots=True)
class Merged:
    """What becomes of a record that both sides have.

    Attributes:
        taken: the hub's fields that change, and their new values.
        lacking: fields that the store has otherwise and still has to be told.
        held: fields that wait for a person.
    """

    taken: Mapping[str, Any] = field(default_factory=dict)
    lacking: frozenset[str] = frozenset()
    held: Mapping[str, Sides] = field(default_factory=dict)


def merge(
    entity: Entity,
    *,
    base: Record | None,
    local: Record,
    remote: Record,
    rules: Rules,
    held: Mapping[str, Sides] | None = None,
) -> Merged:
    """Merge what a store says with what the hub has; all three in the store's terms.

    Args:
        held: the fields that wait for a person, with the base they had when they were held.
    """
    taken: dict[str, Any] = {}
    lacking: set[str] = set()
    waiting: dict[str, Sides] = {}
    known = held or {}
    for path, (mine, theirs) in paths_between(entity, local, remote).items():
        if (
            mine == theirs
            or field_of(path) in rules.unkept
            or _is_foreign_price(path, local, remote)
        ):
            continue
        before = _base_at(entity, base, path, known)
        choice, value = _choose(path, before, mine, theirs, rules)
        if choice is _Choice.HOLD:
            has_base = before is not _NOTHING
            waiting[path] = Sides(before if has_base else None, mine, theirs, has_base)
            continue
        if value != mine:
            taken[path] = value
        # What the store knew before it spoke it was told, or will be, by what changed it here.
        if value != theirs and (theirs != before or path in known):
            lacking.add(path)
    return Merged(taken, frozenset(lacking), waiting)


def with_echo(entity: Entity, base: Record, sent: Record, remote: Record) -> Record:
    """The base, where a store was sent something and its answer is not recorded.

    What it says as it was sent only repeats us: both have agreed on that.
    """
    echoed = {
        path: theirs
        for path, (before, theirs) in paths_between(entity, base, remote).items()
        if before != theirs and theirs == value_at(entity, sent, path)
    }
    return replace(entity, base, echoed)


def merged_record(entity: Entity, hub: Record, taken: Mapping[str, Any], remote: Record) -> Record:
    """The hub's record with what was taken from a store; a new variant comes as it is there."""
    record = replace(entity, hub, taken)
    if not isinstance(record, Product) or not isinstance(remote, Product):
        return record
    before = flatten_variants(hub)
    theirs = {one.external_id: one for one in remote.variants}
    variants = tuple(
        theirs.get(one.external_id, one)
        if one.external_id and one.external_id not in before
        else one
        for one in record.variants
    )
    return record.model_copy(update={"variants": variants})


def with_own_fields(entity: Entity, record: Record, remote: Record) -> Record:
    """The record with everything that is the store's own as the store has it."""
    if isinstance(record, Product) and isinstance(remote, Product):
        return _own_product(record, remote)
    shared = {name: getattr(record, name) for name in SHARED[entity]}
    return remote.model_copy(update=shared)


def differs(entity: Entity, hub: Record, said: Record) -> bool:
    """Whether a shared field of the hub's record is not what the store says."""
    pairs = paths_between(entity, hub, said)
    return any(mine != theirs for mine, theirs in pairs.values()) or _has_unknown_variants(hub)


def join(path: str, before: Any, mine: Any, theirs: Any) -> Any:
    """Both changes together, where one side only added; None where that cannot be said."""
    name = variant_path(path)[1] or path
    if name in _LISTS and isinstance(before, list):
        mine, theirs = mine or [], theirs or []
        if not (_only_added(before, mine) or _only_added(before, theirs)):
            return None
        kept = [one for one in mine if one in theirs or one not in before]
        joined = kept + [one for one in theirs if one not in before and one not in mine]
        return joined if name == "images" else sorted(joined)
    if name in _TEXTS and before:
        if theirs.startswith(before):
            return mine + theirs[len(before) :]
        if mine.startswith(before):
            return theirs + mine[len(before) :]
    return None


def suggest(path: str, sides: Sides, *, remote_is_newer: bool) -> tuple[str, Any, str]:
    """How a held field would best be resolved.

    Returns:
        The side (`local`, `remote`, `merge`), the value that comes of it, and why.
    """
    if sides.has_base:
        joined = join(path, sides.base, sides.local, sides.remote)
        if joined is not None:
            return "merge", joined, "one side only added to it, so both changes fit together"
    if remote_is_newer:
        return "remote", sides.remote, "the store changed its record last"
    return "local", sides.local, "the hub's record was changed last"


class _Choice(Enum):
    SETTLED = "settled"
    HOLD = "hold"


def _choose(path: str, before: Any, mine: Any, theirs: Any, rules: Rules) -> tuple[_Choice, Any]:
    if rules.force:
        return _Choice.SETTLED, theirs
    if not rules.takes or theirs == before:
        return _Choice.SETTLED, mine
    if mine == before:
        return _Choice.SETTLED, theirs
    if before is not _NOTHING and field_of(path) in rules.mapped:
        return _Choice.SETTLED, theirs
    policy = rules.of(path)
    if policy is ConflictPolicy.MANUAL:
        return _Choice.HOLD, None
    if policy is ConflictPolicy.MERGE and before is not _NOTHING:
        joined = join(path, before, mine, theirs)
        if joined is not None:
            return _Choice.SETTLED, joined
    remote_wins = policy is ConflictPolicy.REMOTE or (
        policy is not ConflictPolicy.LOCAL and rules.remote_is_newer
    )
    return _Choice.SETTLED, theirs if remote_wins else mine


def _base_at(entity: Entity, base: Record | None, path: str, held: Mapping[str, Sides]) -> Any:
    if path in held:
        return held[path].base if held[path].has_base else _NOTHING
    return _NOTHING if base is None else value_at(entity, base, path)


def _is_foreign_price(path: str, local: Record, remote: Record) -> bool:
    """Amounts of different currencies are not versions of each other."""
    return (
        variant_path(path)[1] in _PRICES
        and isinstance(local, Product)
        and isinstance(remote, Product)
        and local.currency != remote.currency
    )


def _has_unknown_variants(hub: Record) -> bool:
    return isinstance(hub, Product) and any(not one.external_id for one in hub.variants)


def _own_product(record: Product, remote: Product) -> Product:
    """Variants come in the store's order, those it does not have behind them."""
    order = {one.external_id: place for place, one in enumerate(remote.variants)}
    theirs = {one.external_id: one for one in remote.variants}
    variants = [
        one.model_copy(
            update={
                name: getattr(theirs[one.external_id], name)
                for name in ("title", "is_active", "extra")
            }
        )
        if one.external_id in theirs
        else one
        for one in record.variants
    ]
    variants.sort(key=lambda one: order.get(one.external_id, len(order)))
    own = ("raw_status", "kind", "currency", "created_at", "extra")
    update: dict[str, Any] = {name: getattr(remote, name) for name in own}
    return record.model_copy(update={**update, "variants": tuple(variants)})


def _only_added(before: list[Any], after: list[Any]) -> bool:
    return all(one in after for one in before)
