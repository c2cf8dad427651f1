"""What a store's rules would make of one real record, rule by rule. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from domain.entities import Entity
from domain.errors import InvalidRecordError
from domain.expressions import ExpressionError, compile_expression, plain_json
from domain.field_mapping import (
    KEPT,
    NO_MAPPING,
    FieldMapping,
    MappingRule,
    Row,
    read_value,
)
from domain.mapping_targets import EXTRA, Target, find_target, put
from domain.records import Product, Record

_LONGEST_TEXT: Final = 500
_MOST_ITEMS: Final = 20
_DEEPEST: Final = 5
_MOST_VARIANTS: Final = 10


@dataclass(slots=True)
class Trace:
    """What rules make of one record, by target.

    Attributes:
        raw: the members of the store's row that the expressions look at, shortened.
        errors: why the record would be set aside, by the number of the rule.
    """

    external_id: str = ""
    raw: dict[str, Any] = field(default_factory=dict)
    before: dict[str, Any] = field(default_factory=dict)
    after: dict[str, Any] = field(default_factory=dict)
    errors: dict[int, str] = field(default_factory=dict)


class TracedMapping(FieldMapping):
    """Rules that tell what they do. A record they fail on comes through as it is."""

    def __init__(self, rules: Sequence[MappingRule], entity: Entity) -> None:
        super().__init__(rules)
        self._entity = entity
        self.record = Trace()
        self.variants: list[Trace] = []

    def touches(self, entity: Entity) -> bool:
        """Whether it is the kind that is looked at: also where no rule is about it."""
        return entity is self._entity

    def apply(
        self, entity: Entity, record: Record, row: Row, variant_rows: Mapping[str, Row]
    ) -> Record:
        """The record as it is; `record` and `variants` tell what would become of it."""
        self.record = self._trace(entity, record, row)
        self.variants = [
            self._trace(Entity.VARIANTS, one, variant_rows[one.external_id], one.external_id)
            for one in (record.variants if isinstance(record, Product) else ())[:_MOST_VARIANTS]
            if one.external_id in variant_rows
        ]
        return NO_MAPPING.apply(entity, record, row, variant_rows)

    def _trace(self, entity: Entity, record: Record, row: Row, external_id: str = "") -> Trace:
        trace = Trace(external_id, excerpt(self.rules, entity, row))
        plain = plain_json(row)
        for index, rule in enumerate(self.rules):
            if rule.entity is entity:
                target = find_target(entity, rule.target)
                trace.before[rule.target] = shorten(_value_of(record, target))
                record = _tried(trace, index, rule, target, record, plain)
                trace.after[rule.target] = shorten(_value_of(record, target))
        return trace


def _tried(
    trace: Trace, index: int, rule: MappingRule, target: Target, record: Record, row: Any
) -> Record:
    try:
        found = read_value(rule, target, row)
        return record if found is KEPT else put(record, {target: found})
    except InvalidRecordError as error:
        trace.errors[index] = str(error)
        return record


def _value_of(record: Record, target: Target) -> Any:
    if target.is_extra:
        return getattr(record, EXTRA).get(target.field)
    return record.model_dump(mode="json", include={target.field})[target.field]


def excerpt(rules: Sequence[MappingRule], entity: Entity, row: Row) -> dict[str, Any]:
    """The members of a row that the rules of an entity look at, shortened."""
    names: set[str] = set()
    for rule in rules:
        if rule.entity is entity:
            try:
                names |= compile_expression(rule.expression).members
            except ExpressionError:
                continue
    wanted = sorted(row) if "@" in names else sorted(names & row.keys())
    return {name: shorten(row[name]) for name in wanted[: 5 * _MOST_ITEMS]}


def shorten(value: Any, depth: int = _DEEPEST) -> Any:
    """A JSON value to be looked at: long texts and lists end in an ellipsis."""
    match value:
        case str() if len(value) > _LONGEST_TEXT:
            return f"{value[:_LONGEST_TEXT]}…"
        case dict() | list() | tuple() if depth == 0:
            return "…"
        case dict():
            kept = list(value.items())[:_MOST_ITEMS]
            more = {"…": f"{len(value) - _MOST_ITEMS} more"} if len(value) > _MOST_ITEMS else {}
            return {str(name): shorten(one, depth - 1) for name, one in kept} | more
        case list() | tuple():
            items = [shorten(one, depth - 1) for one in value[:_MOST_ITEMS]]
            return [*items, "…"] if len(value) > _MOST_ITEMS else items
        case None | bool() | int() | float() | str():
            return value
    return str(value)
