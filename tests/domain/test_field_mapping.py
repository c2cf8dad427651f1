from decimal import Decimal
from typing import Any

import pytest

from domain.entities import Entity
from domain.errors import InvalidRecordError
from domain.field_mapping import (
    FieldMapping,
    MappingRule,
    OnMissing,
    check_rules,
    mapped_fields,
    mapped_paths,
    read_rules,
)
from domain.mapping_preview import TracedMapping
from domain.merge import Rules, merge
from domain.records import Category, Customer, Order, Product, Record, Variant, snapshot
from domain.statuses import OrderStatus, ProductStatus
from domain.sync_settings import ConflictPolicy

PRODUCT = Product(
    title="Tea",
    status=ProductStatus.ACTIVE,
    currency="EUR",
    tags=("old",),
    variants=(Variant(external_id="1", sku="T-1"), Variant(external_id="2", sku="T-2")),
    extra={"kept": 1},
)
RECORDS: dict[Entity, Record] = {
    Entity.CATEGORIES: Category(name="Teas"),
    Entity.PRODUCTS: PRODUCT,
    Entity.CUSTOMERS: Customer(email="a@example.com"),
    Entity.ORDERS: Order(number="1", status=OrderStatus.PENDING, currency="EUR", total=Decimal(1)),
}


def rule(target: str, expression: str = "x", **values: Any) -> MappingRule:
    entity, _, name = target.partition(".")
    return MappingRule(entity=Entity(entity), target=name, expression=expression, **values)


def mapped(row: dict[str, Any], *rules: MappingRule) -> Any:
    entity = rules[0].entity
    kind = Entity.PRODUCTS if entity is Entity.VARIANTS else entity
    return FieldMapping(rules).apply(kind, RECORDS[kind], row, {"1": row})


@pytest.mark.parametrize(
    ("target", "field", "found", "value"),
    [
        ("products.title", "title", " Green tea ", "Green tea"),
        ("products.title", "title", 12, "12"),
        ("products.slug", "slug", "green-tea", "green-tea"),
        ("products.description", "description", "a\nb", "a\nb"),
        ("products.shortDescription", "short_description", "c", "c"),
        ("products.tags", "tags", ["a", "b", "a", " "], ("a", "b")),
        ("categories.name", "name", "Fine teas", "Fine teas"),
        ("categories.description", "description", "d", "d"),
        ("customers.firstName", "first_name", "Nadia", "Nadia"),
        ("customers.lastName", "last_name", "Perera", "Perera"),
        ("customers.phone", "phone", "+94 11 234", "+94 11 234"),
        ("orders.number", "number", "2026-0007", "2026-0007"),
        ("orders.customerNote", "customer_note", "ring twice", "ring twice"),
        ("orders.paymentTitle", "payment_title", "Cash", "Cash"),
    ],
)
def test_a_rule_fills_a_field(target: str, field: str, found: Any, value: Any) -> None:
    assert getattr(mapped({"x": found}, rule(target)), field) == value


@pytest.mark.parametrize("entity", ["categories", "products", "customers", "orders"])
def test_extra_of_any_record_takes_json_beside_what_is_there(entity: str) -> None:
    found = mapped({"x": {"a": [1, "b", None]}}, rule(f"{entity}.extra.more"))
    before = dict(getattr(RECORDS[Entity(entity)], "extra", {}))
    assert found.extra == {**before, "more": {"a": [1, "b", None]}}


def test_variants_are_mapped_from_their_own_rows() -> None:
    rules = (rule("variants.sku"), rule("variants.weight", "kg"), rule("variants.extra.bin", "bin"))
    rows: dict[str, dict[str, Any]] = {"1": {"x": "A", "kg": "0.2500", "bin": 7}, "2": {"x": "B"}}
    found = FieldMapping(rules).apply(Entity.PRODUCTS, PRODUCT, {"x": "of the product"}, rows)
    assert isinstance(found, Product)
    one, two = found.variants
    assert (one.sku, one.weight, one.extra) == ("A", Decimal("0.25"), {"bin": 7})
    assert (two.sku, two.weight, two.extra) == ("B", None, {})
    assert Product.model_validate_json(snapshot(found)) == found


def test_what_finds_nothing_is_kept_cleared_or_refused() -> None:
    assert mapped({}, rule("products.tags")) is PRODUCT
    assert mapped({}, rule("products.tags", on_missing=OnMissing.CLEAR)).tags == ()
    assert mapped({}, rule("products.extra.kept", on_missing=OnMissing.CLEAR)).extra == {}
    with pytest.raises(InvalidRecordError, match=r"products\.tags: the expression finds nothing"):
        mapped({}, rule("products.tags", on_missing=OnMissing.REJECT))


@pytest.mark.parametrize(
    ("target", "found", "reason"),
    [
        ("products.title", ["secret"], "no text"),
        ("products.title", True, "no text"),
        ("products.title", " ", "empty"),
        ("products.title", "secret" * 100, "longer than 500"),
        ("products.tags", "secret", "no list"),
        ("products.tags", [["secret"]], "no text"),
        ("products.tags", [str(n) for n in range(101)], "more than 100"),
        ("variants.weight", "secret", "no number"),
        ("variants.weight", "-1", "no weight"),
        ("variants.weight", "NaN", "no weight"),
        ("variants.sku", "secret" * 20, "longer than 100"),
        ("products.extra.big", ["secret"] * 4_000, "larger than"),
        ("products.extra.deep", [[[[[[[[[[[["secret"]]]]]]]]]]]], "too deeply"),
        ("products.extra.odd", float("inf"), "no JSON"),
    ],
)
def test_what_does_not_fit_is_refused_without_being_told(
    target: str, found: Any, reason: str
) -> None:
    with pytest.raises(InvalidRecordError, match=reason) as caught:
        mapped({"x": found}, rule(target))
    assert "secret" not in str(caught.value)
    assert target in str(caught.value)


def test_every_fault_of_rules_is_told_with_its_place() -> None:
    faults = check_rules(
        [
            rule("products.title"),
            rule("products.title", "y"),
            rule("products.price"),
            rule("customers.email"),
            rule("products.extra.hub_ref"),
            rule("products.extra._spelling"),
            rule("inventory.extra.a"),
            rule("orders.number", "nope(", on_missing=OnMissing.CLEAR),
        ]
    )
    assert [(one.index, one.member) for one in faults] == [
        (1, "target"),
        (2, "target"),
        (3, "target"),
        (4, "target"),
        (5, "target"),
        (6, "entity"),
        (7, "onMissing"),
        (7, "expression"),
    ]
    assert "shortDescription" in faults[1].reason
    assert "rule 0 has this target" in faults[0].reason


def test_rules_are_read_as_they_were_kept() -> None:
    rules = (rule("products.title", on_missing=OnMissing.REJECT), rule("variants.sku"))
    kept = [one.model_dump(mode="json", by_alias=True) for one in rules]
    assert read_rules(kept) == rules
    with pytest.raises(ValueError, match="save it again"):
        read_rules([{"entity": "products"}])


def test_mapped_fields_are_those_that_stores_share() -> None:
    rules = [rule("products.title"), rule("products.extra.title2"), rule("variants.sku")]
    rules += [rule("orders.number"), rule("customers.phone")]
    assert mapped_fields(rules, Entity.PRODUCTS) == {"title", "sku"}
    assert mapped_fields(rules, Entity.CUSTOMERS) == {"phone"}
    assert mapped_fields(rules, Entity.ORDERS) == frozenset()
    paths = mapped_paths(PRODUCT, {"title", "sku"})
    assert paths == {"title", "variants.1.sku", "variants.2.sku"}
    assert mapped_paths(None, {"title"}) == frozenset()


@pytest.mark.parametrize("policy", list(ConflictPolicy))
def test_of_a_mapped_field_the_store_has_the_last_word(policy: ConflictPolicy) -> None:
    rules = Rules(policy, remote_is_newer=False, mapped=frozenset(("title",)))

    def titled(title: str) -> Product:
        return PRODUCT.model_copy(update={"title": title})

    def met(base: Product | None, local: str, remote: str) -> tuple[Any, set[str], set[str]]:
        found = merge(
            Entity.PRODUCTS, base=base, local=titled(local), remote=titled(remote), rules=rules
        )
        return found.taken.get("title"), set(found.lacking), set(found.held)

    assert met(PRODUCT, "Mine", "Theirs") == ("Theirs", set(), set())
    # What the store has not changed since is no reason to lose what the hub says.
    assert met(PRODUCT, "Mine", "Tea") == (None, set(), set())
    # Where they never met, the policy decides as for any field.
    assert met(None, "Mine", "Theirs")[0] == ("Theirs" if policy is ConflictPolicy.REMOTE else None)


def test_a_trace_tells_what_rules_would_do_and_changes_nothing() -> None:
    rules = [rule("products.title", "meta[0].v"), rule("products.tags", "nothing")]
    rules += [rule("products.slug", "big"), rule("variants.sku", "code")]
    traced = TracedMapping(rules, Entity.PRODUCTS)
    row = {"meta": [{"v": "New"}], "big": "x" * 600, "other": "unseen"}
    assert traced.touches(Entity.PRODUCTS)
    found = traced.apply(Entity.PRODUCTS, PRODUCT, row, {"2": {"code": "B"}})
    assert found is PRODUCT
    assert traced.record.raw == {"meta": [{"v": "New"}], "big": "x" * 500 + "…"}
    assert traced.record.before == {"title": "Tea", "tags": ["old"], "slug": ""}
    assert traced.record.after == {"title": "New", "tags": ["old"], "slug": ""}
    assert list(traced.record.errors) == [2]
    [variant] = traced.variants
    assert (variant.external_id, variant.before, variant.after) == (
        "2",
        {"sku": "T-2"},
        {"sku": "B"},
    )
