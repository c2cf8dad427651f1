import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.entities import Entity
from domain.fields import FIELD_GROUPS, all_values, group_of, paths_between, replace, value_at
from domain.merge import Rules, Sides, differs, merge, merged_record, suggest
from domain.records import Image, Product, Record, Variant
from domain.spelling import keep_spelling, read_base, render, spell, write_base
from domain.statuses import ProductStatus
from domain.sync_settings import ConflictPolicy

PRODUCTS = Entity.PRODUCTS
P = ConflictPolicy


def product(*variants: Variant, **values: Any) -> Product:
    wanted = {"title": "Tea", "status": ProductStatus.ACTIVE, "currency": "EUR"} | values
    return Product.model_validate({**wanted, "variants": variants or (variant("1"),)})


def variant(key: str, price: str = "10", **values: Any) -> Variant:
    return Variant.model_validate({"external_id": key, "price": Decimal(price), **values})


variants_ = st.lists(
    st.builds(variant, st.sampled_from("123"), st.sampled_from(["8", "9"])),
    unique_by=lambda one: one.external_id,
    min_size=1,
    max_size=3,
)
products = st.builds(
    lambda sold, values: product(*sold, **values),
    variants_,
    st.fixed_dictionaries(
        {
            "title": st.sampled_from(["Tea", "Green", "Black"]),
            "tags": st.lists(st.sampled_from("abc"), unique=True).map(tuple),
            "description": st.sampled_from(["", "fine", "fine, fresh"]),
        }
    ),
)
rules_ = st.builds(Rules, st.sampled_from(list(P)), remote_is_newer=st.booleans())


def taken(base: Product | None, local: Product, remote: Product, rules: Rules) -> Record:
    merged = merge(PRODUCTS, base=base, local=local, remote=remote, rules=rules)
    return merged_record(PRODUCTS, local, merged.taken, remote)


@given(base=products, local=products, remote=products, rules=rules_)
def test_every_difference_is_taken_sent_held_or_known(
    base: Product, local: Product, remote: Product, rules: Rules
) -> None:
    merged = merge(PRODUCTS, base=base, local=local, remote=remote, rules=rules)
    after = merged_record(PRODUCTS, local, merged.taken, remote)
    for path, (mine, theirs) in paths_between(PRODUCTS, after, remote).items():
        if mine != theirs:
            was_known = value_at(PRODUCTS, base, path) == theirs
            assert path in merged.lacking or path in merged.held or was_known
    assert bool(merged.held) <= (rules.policy is P.MANUAL)


@given(base=products, local=products, remote=products, rules=rules_)
def test_a_merge_repeated_with_its_result_changes_nothing(
    base: Product, local: Product, remote: Product, rules: Rules
) -> None:
    first = merge(PRODUCTS, base=base, local=local, remote=remote, rules=rules)
    after = merged_record(PRODUCTS, local, first.taken, remote)
    again = merge(PRODUCTS, base=remote, local=after, remote=remote, rules=rules, held=first.held)
    assert again.taken == {}
    assert again.held == first.held
    assert not again.lacking - set(first.held)


@given(base=products, other=products, rules=rules_)
def test_what_one_side_changed_alone_is_no_conflict(
    base: Product, other: Product, rules: Rules
) -> None:
    assert not differs(PRODUCTS, taken(base, base, other, rules), other)
    kept = merge(PRODUCTS, base=base, local=other, remote=base, rules=rules)
    assert (kept.taken, kept.lacking, kept.held) == ({}, frozenset(), {})


@given(base=products, local=products, remote=products)
def test_force_leaves_nothing_of_the_hub_and_holds_nothing(
    base: Product, local: Product, remote: Product
) -> None:
    merged = merge(
        PRODUCTS, base=base, local=local, remote=remote, rules=Rules(P.MANUAL, force=True)
    )
    assert not differs(PRODUCTS, merged_record(PRODUCTS, local, merged.taken, remote), remote)
    assert (merged.held, merged.lacking) == ({}, frozenset())


@given(base=products, local=products, remote=products)
def test_a_store_that_is_not_listened_to_is_told_again_what_it_changed(
    base: Product, local: Product, remote: Product
) -> None:
    merged = merge(PRODUCTS, base=base, local=local, remote=remote, rules=Rules(takes=False))
    assert (merged.taken, merged.held) == ({}, {})
    changed = {
        path
        for path, (mine, theirs) in paths_between(PRODUCTS, local, remote).items()
        if mine != theirs != value_at(PRODUCTS, base, path)
    }
    assert merged.lacking == changed


@given(hub=products, answer=products)
def test_a_spelling_makes_the_hubs_record_read_as_the_store_said(
    hub: Product, answer: Product
) -> None:
    base, spelling = read_base(
        PRODUCTS, json.loads(write_base(answer, spell(PRODUCTS, hub, answer)))
    )
    assert base == answer
    assert not differs(PRODUCTS, render(PRODUCTS, hub, base, spelling), answer)
    assert keep_spelling(PRODUCTS, spelling, hub, base, answer) == spelling


@pytest.mark.parametrize(
    ("policy", "is_newer", "title"),
    [
        (P.LOCAL, True, "Local"),
        (P.REMOTE, False, "Remote"),
        (P.LATEST, True, "Remote"),
        (P.LATEST, False, "Local"),
        (P.MERGE, True, "Remote"),
        (P.MERGE, False, "Local"),
        (P.MANUAL, True, "Local"),
    ],
)
def test_a_conflict_is_decided_by_the_policy(
    policy: ConflictPolicy, is_newer: bool, title: str
) -> None:
    local, remote = product(title="Local"), product(title="Remote")
    rules = Rules(policy, remote_is_newer=is_newer)
    assert value_at(PRODUCTS, taken(product(), local, remote, rules), "title") == title
    merged = merge(PRODUCTS, base=product(), local=local, remote=remote, rules=rules)
    assert set(merged.held) == ({"title"} if policy is P.MANUAL else set())
    assert ("title" in merged.lacking) == (title == "Local" and policy is not P.MANUAL)


def test_a_group_of_fields_may_have_a_policy_of_its_own() -> None:
    rules = Rules(P.REMOTE, {"price": P.LOCAL})
    local = product(variant("1", "8"), title="Local")
    remote = product(variant("1", "9"), title="Remote")
    after = taken(product(), local, remote, rules)
    assert value_at(PRODUCTS, after, "title") == "Remote"
    assert value_at(PRODUCTS, after, "variants.1.price") == "8"


def test_lists_and_texts_that_were_only_added_to_are_joined() -> None:
    base = product(tags=("a",), description="Fine.")
    local = product(tags=("a", "b"), description="Fine. Fresh.")
    remote = product(tags=("c", "a"), description="Fine. From Kandy.")
    after = taken(base, local, remote, Rules(P.MERGE))
    assert value_at(PRODUCTS, after, "tags") == ["a", "b", "c"]
    assert value_at(PRODUCTS, after, "description") == "Fine. Fresh. From Kandy."


def test_at_first_contact_every_difference_is_a_conflict() -> None:
    local, remote = product(title="Local", tags=("a",)), product(title="Remote", tags=("a",))
    merged = merge(PRODUCTS, base=None, local=local, remote=remote, rules=Rules(P.MANUAL))
    assert merged.held == {"title": Sides(None, "Local", "Remote", has_base=False)}


def test_a_variant_removed_here_and_changed_there_is_a_conflict_as_a_whole() -> None:
    base, local = product(variant("1"), variant("2")), product(variant("1"))
    remote = product(variant("1"), variant("2", "12"))
    assert set(
        merge(PRODUCTS, base=base, local=local, remote=remote, rules=Rules(P.MANUAL)).held
    ) == {"variants.2"}
    assert taken(base, local, base, Rules()) == local
    back = taken(base, local, remote, Rules(P.REMOTE))
    assert value_at(PRODUCTS, back, "variants.2.price") == "12"


def test_prices_in_another_currency_are_left_alone() -> None:
    remote = product(variant("1", "99"), currency="USD", title="New")
    merged = merge(PRODUCTS, base=product(), local=product(), remote=remote, rules=Rules())
    assert merged.taken == {"title": "New"}


def test_pictures_are_the_same_whatever_their_id() -> None:
    one = product(images=(Image(src="https://a.example/1.jpg", external_id="5"),))
    other = product(images=(Image(src="https://a.example/1.jpg"),))
    assert not differs(PRODUCTS, one, other)


def test_every_shared_field_has_one_group() -> None:
    for path in all_values(PRODUCTS, product()):
        assert sum(group_of(path) == name for name in FIELD_GROUPS) == 1


def test_a_value_that_does_not_fit_is_refused() -> None:
    for values in ({"status": "sold"}, {"colour": "red"}, {"variants.9.price": "1"}):
        with pytest.raises(ValueError, match=r"status|colour|variants"):
            replace(PRODUCTS, product(), values)


def test_a_suggestion_has_a_reason() -> None:
    sides = Sides(["a"], ["a", "b"], ["a", "c"])
    assert suggest("tags", sides, remote_is_newer=False)[:2] == ("merge", ["a", "b", "c"])
    title = Sides("Tea", "Local", "Remote")
    assert suggest("title", title, remote_is_newer=True)[:2] == ("remote", "Remote")
    assert "hub" in suggest("title", title, remote_is_newer=False)[2]
