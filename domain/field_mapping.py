"""A store's own rules how its fields become the hub's. Pure.

A rule puts what a JMESPath expression finds in the store's raw row into a field of the record
(`domain.mapping_targets`). Rules apply where a provider turns a row into a record, so pulls,
webhooks, records that are read again and what a push answers all agree. A mapped field is the
store's alone: the hub never sends it to that store (`mapped_fields`, `db.local_records`).
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any, Final, NoReturn

from pydantic import Field, ValidationError

from domain.documents import Document
from domain.entities import Entity
from domain.errors import InvalidRecordError
from domain.expressions import LONGEST, ExpressionError, compile_expression, plain_json
from domain.fields import SHARED, SHARED_OF_VARIANTS, flatten_variants
from domain.mapping_targets import Target, find_target, put
from domain.records import Product, Record

MOST_RULES: Final = 50

MAPPED_ENTITIES: Final = (
    Entity.CATEGORIES,
    Entity.PRODUCTS,
    Entity.VARIANTS,
    Entity.CUSTOMERS,
    Entity.ORDERS,
)

Row = Mapping[str, Any]


class OnMissing(StrEnum):
    """What becomes of the field where the expression finds nothing (null).

    `KEEP`: what it is without the rule. `CLEAR`: it is emptied. `REJECT`: the record is set aside.
    """

    KEEP = "keep"
    CLEAR = "clear"
    REJECT = "reject"


class MappingRule(Document):
    """One rule. Rules of `variants` look at the variant's own row; that of a product which is
    sold as it is has one, the product's."""

    entity: Entity
    target: Annotated[str, Field(min_length=1, max_length=80)]
    expression: Annotated[str, Field(min_length=1, max_length=LONGEST)]
    on_missing: OnMissing = OnMissing.KEEP


@dataclass(frozen=True, slots=True)
class RuleFault:
    """What is wrong with a rule: its number from 0, the member (camelCase), and why."""

    index: int
    member: str
    reason: str


def check_rules(rules: Sequence[MappingRule]) -> list[RuleFault]:
    """Everything that is wrong with rules."""
    faults: list[RuleFault] = []
    taken: dict[tuple[Entity, str], int] = {}
    for index, rule in enumerate(rules):
        first = taken.setdefault((rule.entity, rule.target), index)
        if first != index:
            reason = f"rule {first} has this target already"
            faults.append(RuleFault(index, "target", reason))
        faults += _faults_of(index, rule)
    return faults


def _faults_of(index: int, rule: MappingRule) -> Iterable[RuleFault]:
    if rule.entity not in MAPPED_ENTITIES:
        yield RuleFault(index, "entity", f"{rule.entity.value} have no fields of their own")
        return
    try:
        target = find_target(rule.entity, rule.target)
    except ValueError as error:
        yield RuleFault(index, "target", str(error))
    else:
        if target.is_needed and rule.on_missing is OnMissing.CLEAR:
            yield RuleFault(index, "onMissing", f"{rule.target} may not be empty: keep or reject")
    try:
        compile_expression(rule.expression)
    except ExpressionError as error:
        yield RuleFault(index, "expression", str(error))


class FieldMapping:
    """The rules of one store, ready to be applied."""

    def __init__(self, rules: Sequence[MappingRule] = ()) -> None:
        self.rules = tuple(rules)
        self._of = {
            entity: tuple(one for one in self.rules if one.entity is entity)
            for entity in MAPPED_ENTITIES
        }

    def touches(self, entity: Entity) -> bool:
        """Whether there is a rule for records of this kind, or for a product's variants."""
        is_product = entity is Entity.PRODUCTS
        return bool(self._of.get(entity)) or (is_product and bool(self._of[Entity.VARIANTS]))

    def apply(
        self, entity: Entity, record: Record, row: Row, variant_rows: Mapping[str, Row]
    ) -> Record:
        """The record with its mapped fields.

        Args:
            row: the record as the store sent it.
            variant_rows: the rows of a product's variants, by their external ids.

        Raises:
            InvalidRecordError: a rule fails; it names the rule's target, and no value.
        """
        mapped = self._mapped(self._of.get(entity, ()), record, row)
        rules = self._of[Entity.VARIANTS]
        if not rules or not isinstance(mapped, Product):
            return mapped
        variants = tuple(
            self._mapped(rules, one, variant_rows[one.external_id])
            if one.external_id in variant_rows
            else one
            for one in mapped.variants
        )
        return mapped.model_copy(update={"variants": variants})

    def _mapped(self, rules: Sequence[MappingRule], record: Record, row: Row) -> Record:
        if not rules:
            return record
        plain = plain_json(row)
        values: dict[Target, Any] = {}
        for rule in rules:
            target = find_target(rule.entity, rule.target)
            found = read_value(rule, target, plain)
            if found is not KEPT:
                values[target] = found
        return put(record, values)


KEPT: Final = object()
"""The expression found nothing, and the field stays as it is."""

NO_MAPPING: Final = FieldMapping()


def read_value(rule: MappingRule, target: Target, row: Any) -> Any:
    """The field's new value, or `KEPT`. Raises InvalidRecordError."""
    try:
        found = compile_expression(rule.expression).evaluate(row)
    except ExpressionError as error:
        _fail(rule, str(error))
    if found is None:
        if rule.on_missing is OnMissing.REJECT:
            _fail(rule, "the expression finds nothing")
        return KEPT if rule.on_missing is OnMissing.KEEP else target.empty
    try:
        return target.read(found)
    except InvalidRecordError as error:
        _fail(rule, f"what the expression finds does not fit: {error}")


def _fail(rule: MappingRule, reason: str) -> NoReturn:
    place = f"{rule.entity.value}.{rule.target}"
    raise InvalidRecordError(f"field mapping of {place}: {reason}") from None


def read_rules(kept: Sequence[Mapping[str, Any]]) -> tuple[MappingRule, ...]:
    """Rules as they are kept. Raises ValueError: they are none of ours."""
    try:
        return tuple(MappingRule.model_validate(one) for one in kept)
    except ValidationError:
        raise ValueError("the stored field mapping cannot be read: save it again") from None


def mapped_fields(rules: Iterable[MappingRule], entity: Entity) -> frozenset[str]:
    """The shared fields (`domain.fields`) of an entity and its variants that are the store's."""
    kinds = {entity: SHARED.get(entity, ())}
    if entity is Entity.PRODUCTS:
        kinds[Entity.VARIANTS] = SHARED_OF_VARIANTS
    found = {
        find_target(rule.entity, rule.target).field
        for rule in rules
        if rule.entity in kinds and not rule.target.startswith("extra.")
    }
    return frozenset(found & {name for names in kinds.values() for name in names})


def mapped_paths(record: Record | None, fields: Collection[str]) -> frozenset[str]:
    """The paths of these fields in a record, its variants' included."""
    if record is None or not fields:
        return frozenset()
    keys = flatten_variants(record)
    sold = [name for name in fields if name in SHARED_OF_VARIANTS]
    return frozenset(name for name in fields if name not in SHARED_OF_VARIANTS) | frozenset(
        f"variants.{key}.{name}" for key in keys for name in sold
    )
