"""A field that a store has no place for is neither taken from it nor told to it."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from domain.agreement import says_same
from domain.entities import Entity
from domain.fields import field_of
from domain.merge import Rules, merge, merged_record
from domain.records import Product, Variant
from domain.spelling import render, spell_unkept
from domain.statuses import ProductStatus
from domain.sync_settings import ConflictPolicy

PRODUCTS = Entity.PRODUCTS
UNKEPT = frozenset(("tags", "weight"))


def product(title: str, tags: tuple[str, ...], weight: int | None, price: int) -> Product:
    sold = Variant(
        external_id="1",
        price=Decimal(price),
        weight=None if weight is None else Decimal(weight),
    )
    return Product(
        title=title, status=ProductStatus.ACTIVE, currency="EUR", tags=tags, variants=(sold,)
    )


titles, prices = st.sampled_from(["Tea", "Green"]), st.sampled_from([8, 9])
tags = st.sampled_from([(), ("a",), ("a", "b")])
ours = st.builds(product, titles, tags, st.sampled_from([None, 1, 2]), prices)
theirs = st.builds(product, titles, st.just(()), st.none(), prices)
rules = st.builds(
    Rules,
    st.sampled_from(list(ConflictPolicy)),
    remote_is_newer=st.booleans(),
    takes=st.booleans(),
    force=st.booleans(),
    unkept=st.just(UNKEPT),
)


@given(base=st.none() | theirs, local=ours, remote=theirs, rules=rules)
def test_a_gap_is_no_word(
    base: Product | None, local: Product, remote: Product, rules: Rules
) -> None:
    merged = merge(PRODUCTS, base=base, local=local, remote=remote, rules=rules)
    paths = {*merged.taken, *merged.lacking, *merged.held}
    assert not {field_of(path) for path in paths} & UNKEPT
    after = merged_record(PRODUCTS, local, merged.taken, remote)
    assert isinstance(after, Product)
    assert (after.tags, after.variants[0].weight) == (local.tags, local.variants[0].weight)


@given(hub=ours, said=theirs)
def test_a_gap_is_the_stores_way_of_spelling_it(hub: Product, said: Product) -> None:
    shown = render(PRODUCTS, hub, said, spell_unkept(PRODUCTS, hub, said, UNKEPT))
    is_alike = (hub.title, hub.variants[0].price) == (said.title, said.variants[0].price)
    assert says_same(PRODUCTS, shown, said) == is_alike
