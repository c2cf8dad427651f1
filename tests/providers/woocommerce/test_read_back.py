from decimal import Decimal

from domain.entities import Entity
from domain.pages import Page, Pulled, Rejected
from domain.pushing import Outcome, Outgoing
from domain.records import Product, Record, Variant
from domain.statuses import ProductStatus
from providers.woocommerce.read_back import answer_for, nothing_to_say, without_strangers

ONE = Variant(external_id="1", sku="A", price=Decimal(4))
TWO = Variant(external_id="2", sku="B", price=Decimal(4))
BASE = Product(title="Lamp", status=ProductStatus.ACTIVE, currency="EUR", variants=(ONE, TWO))


def changed(product: Product = BASE, **fields: object) -> Product:
    return product.model_copy(update=fields)


def sent(record: Product, base: Product | None = BASE) -> Outgoing:
    return Outgoing("products-1", "9", record, base=base)


def told(item: Outgoing, said: Product, *made: str) -> Record:
    return without_strangers(Entity.PRODUCTS, item, Pulled("9", said), frozenset(made)).record


def test_what_was_sent_counts_as_the_shop_spells_it() -> None:
    said = changed(title="LAMP", description="x")
    assert told(sent(changed(title="lamp")), said) == changed(title="LAMP")


def test_what_somebody_else_changed_is_left_out() -> None:
    dearer = ONE.model_copy(update={"price": Decimal(5)})
    said = changed(title="New", slug="theirs", variants=(dearer, TWO))
    assert told(sent(changed(title="New")), said) == changed(title="New")


def test_a_variant_of_ours_is_kept_and_one_of_theirs_left_out() -> None:
    ours = Variant(external_id="3", sku="C")
    theirs = Variant(external_id="4", sku="D")
    item = sent(changed(variants=(ONE, TWO, ours.model_copy(update={"external_id": ""}))))
    record = told(item, changed(variants=(ONE, TWO, ours, theirs)), "3")
    assert isinstance(record, Product)
    assert [one.external_id for one in record.variants] == ["1", "2", "3"]


def test_a_variant_that_went_in_the_shop_is_still_to_be_noticed() -> None:
    record = told(sent(changed(title="New")), changed(title="New", variants=(ONE,)))
    assert isinstance(record, Product)
    assert [one.sku for one in record.variants] == ["A", "B"]


def test_the_only_variant_of_a_simple_product_may_go() -> None:
    only = Variant(external_id="9", sku="A")
    base = changed(variants=(only,))
    item = sent(changed(variants=(ONE, TWO)), base)
    record = told(item, changed(variants=(ONE, TWO)), "1", "2")
    assert isinstance(record, Product)
    assert [one.external_id for one in record.variants] == ["1", "2"]


def test_without_a_base_everything_is_as_the_shop_says() -> None:
    said = changed(title="Theirs")
    assert told(sent(BASE, None), said) == said


def test_the_answer_follows_from_what_was_read() -> None:
    item = sent(BASE)

    def outcome(page: Page[Record]) -> Outcome:
        return answer_for(Entity.PRODUCTS, item, "9", page, frozenset()).outcome

    assert outcome(Page(records=(Pulled("9", BASE),))) is Outcome.DONE
    assert outcome(Page(tombstones=("9",))) is Outcome.MISSING
    assert outcome(Page(rejected=(Rejected("9", 0, "price"),))) is Outcome.REFUSED
    same = nothing_to_say(item)
    assert same.pulled == Pulled("9", BASE)
