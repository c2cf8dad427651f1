"""Comparing what is in the hub with what should be there, record by record."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

_LONGEST: Final = 120

Fields = Mapping[str, Any]
"""A record as both sides can say it: plain values, equal when the record is right."""


@dataclass(frozen=True, slots=True)
class Found:
    """A record of the hub, with the ids it has at the shop (one, if all is well)."""

    external_ids: tuple[str, ...]
    fields: Fields


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """How one entity compares. `doubled` counts ids with several records and records with several
    ids; `stale` counts records with at least one field that differs."""

    sandbox: int
    hub: int
    missing: int
    extra: int
    doubled: int
    stale: int

    @property
    def is_right(self) -> bool:
        """Whether every record is in the hub, once, and right."""
        return not (self.missing or self.extra or self.doubled or self.stale)

    def as_dict(self) -> dict[str, int]:
        """The counts by name."""
        return asdict(self)


def tally(
    entity: str, expected: Mapping[str, Fields], found: Iterable[Found]
) -> tuple[Tally, list[str]]:
    """Count the differences, and tell each in a line."""
    records = list(found)
    times = Counter(external_id for one in records for external_id in one.external_ids)
    doubled = [external_id for external_id, count in times.items() if count > 1]
    doubled += [" and ".join(one.external_ids) for one in records if len(one.external_ids) > 1]
    missing = [external_id for external_id in expected if external_id not in times]
    extra = [external_id for external_id in times if external_id not in expected]
    homeless = [one for one in records if not one.external_ids]
    stale = []
    for one in records:
        for external_id in one.external_ids:
            wanted = expected.get(external_id)
            if wanted is not None and wanted != one.fields:
                stale.append(f"{external_id}: {_difference(wanted, one.fields)}")
    told = {"missing": missing, "extra": extra, "doubled": doubled, "stale": stale}
    lines = [f"{entity} {kind} {one}" for kind, ones in told.items() for one in ones]
    lines += [f"{entity} extra, with no id at the shop: {dict(one.fields)}" for one in homeless]
    counts = Tally(
        sandbox=len(expected),
        hub=len(records),
        missing=len(missing),
        extra=len(extra) + len(homeless),
        doubled=len(doubled),
        stale=len(stale),
    )
    return counts, [line[: 3 * _LONGEST] for line in lines]


def _difference(wanted: Fields, given: Fields) -> str:
    for name in {**wanted, **given}:
        if name not in wanted or name not in given or wanted[name] != given[name]:
            there, here = repr(wanted.get(name)), repr(given.get(name))
            return f"{name} is {here[:_LONGEST]} instead of {there[:_LONGEST]}"
    return "nothing"
