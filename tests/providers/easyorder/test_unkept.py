from decimal import Decimal

from domain.entities import Entity
from domain.fields import SHARED, SHARED_OF_VARIANTS
from domain.records import Category, Product, Variant
from domain.statuses import ProductStatus
from providers.easyorder.bodies import changed_paths
from providers.easyorder.manifest import UNKEPT
from providers.easyorder.mapper import to_category, to_product
from providers.easyorder.wire import CategoryWire, ProductWire
from sandbox.easyorder.shop import Store


def test_what_is_read_says_what_the_store_has_no_place_for() -> None:
    store = Store()
    category = next(iter(store.tables["categories"].values()))
    node = to_category(CategoryWire.model_validate(category))
    assert node.unkept == UNKEPT[Entity.CATEGORIES] <= set(SHARED[Entity.CATEGORIES])
    for row in store.tables["products"].values():
        pulled = to_product(ProductWire.model_validate(row), currency="EGP")
        assert pulled.unkept == UNKEPT[Entity.PRODUCTS]
        assert pulled.unkept <= {*SHARED[Entity.PRODUCTS], *SHARED_OF_VARIANTS}
        told = [pulled.record.short_description, *pulled.record.tags]
        told += [f"{one.barcode}{one.weight or ''}" for one in pulled.record.variants]
        assert not any(told)


def test_it_is_no_reason_to_write() -> None:
    before = Product(
        title="Tea",
        status=ProductStatus.ACTIVE,
        currency="EGP",
        variants=(Variant(external_id="1"),),
    )
    sold = Variant(external_id="1", barcode="7", weight=Decimal(2), in_stock=False)
    after = before.model_copy(
        update={"tags": ("a",), "short_description": "In short", "variants": (sold,)}
    )
    assert changed_paths(Entity.PRODUCTS, after, before) == frozenset()
    told = Category(name="Tea", description="All of it")
    assert changed_paths(Entity.CATEGORIES, told, Category(name="Tea")) == frozenset()
