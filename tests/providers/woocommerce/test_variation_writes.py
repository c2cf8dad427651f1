from decimal import Decimal

from domain.entities import Entity
from domain.pushing import Outcome, Outgoing
from domain.records import Option, Product, Record, Variant
from providers._kit.sparing import SparesFields
from tests.providers.woocommerce.goods import again, create, make, simple, variable
from tests.providers.woocommerce.visits import product_of, visit


async def test_new_variants_become_variations_and_one_taken_away_is_private() -> None:
    async with visit() as shop:
        made = await make(shop, variable("Rot", "Blau"))
        got = product_of(made)
        parent = shop.document("products", made.external_id)
        assert (parent["type"], parent["status"], parent["sku"]) == ("variable", "draft", "")
        assert [(v.sku, dict(v.option_values), v.price) for v in got.variants] == [
            ("VAR-Rot", {"Farbe": "Rot"}, Decimal(5)),
            ("VAR-Blau", {"Farbe": "Blau"}, Decimal(5)),
        ]
        red, blue = got.variants
        cheaper = red.model_copy(update={"price": Decimal(4)})
        green = Variant(
            external_id="", sku="VAR-Grün", price=Decimal(6), option_values={"Farbe": "Grün"}
        )
        options = (Option(name="Farbe", values=("Rot", "Grün")),)
        changed = got.model_copy(update={"variants": (cheaper, green), "options": options})
        (told,) = await shop.push(Entity.PRODUCTS, again(made, changed))
        assert told.outcome is Outcome.DONE
        now = {one.sku: one for one in product_of(told).variants}
        assert (now["VAR-Rot"].price, now["VAR-Grün"].price) == (Decimal(4), Decimal(6))
        assert now["VAR-Blau"].is_active is False
        assert shop.document("variations", blue.external_id)["status"] == "private"
        assert product_of(told).options == options


async def test_force_leaves_shared_stock_a_planned_sale_and_doubled_skus_alone() -> None:
    planned = {"sale_price": "1.5", "date_on_sale_from_gmt": "2999-01-01T00:00:00"}
    async with visit() as shop:
        number = next(
            row.id
            for row in shop.box.shop.tables["products"].rows.values()
            if row.kind == "variable"
            and row.status == "publish"
            and shop.document("products", row.id)["manage_stock"]
        )
        of_product = shop.document("products", number)["variations"]
        before = {one: shop.document("variations", one)["manage_stock"] for one in of_product}
        simple_one = shop.first("simple", on_sale=False)
        for table, one in (("variations", of_product[0]), ("products", simple_one)):
            shop.box.shop.edit(table, one, planned)
        tables = shop.box.shop.tables
        twins = [row for row in tables["products"].rows.values() if row.kind == "external"][:2]
        twins[0].sku = tables["products"].rows[simple_one].sku
        twins[1].sku = tables["variations"].rows[of_product[0]].sku
        assert twins[0].sku
        assert twins[1].sku
        for one in (number, simple_one):
            pulled = await shop.read(Entity.PRODUCTS, one)
            item = Outgoing(
                f"products-{one}",
                pulled.external_id,
                pulled.record,
                base=pulled.record,
                is_forced=True,
            )
            (told,) = await shop.push(Entity.PRODUCTS, item)
            assert told.outcome is Outcome.DONE
            sparing: SparesFields = shop.client
            spared = sparing.spared(pulled.record, pulled.record)
            of_variants = {path.rpartition(".")[2] for path in spared}
            assert of_variants == {"sku", "barcode"} | (
                {"tracks_stock"} if one == number else set()
            )
            assert sparing.spared(_renumbered(pulled.record), pulled.record) == {
                path for path in spared if not path.endswith(".sku")
            }
        after = {one: shop.document("variations", one)["manage_stock"] for one in of_product}
        sales = [
            shop.document(table, one)["sale_price"]
            for table, one in (("variations", of_product[0]), ("products", simple_one))
        ]

    assert "parent" in before.values()
    assert after == before
    assert sales == ["1.5", "1.5"]


def _renumbered(record: Record) -> Product:
    """The same with other SKUs."""
    assert isinstance(record, Product)
    variants = tuple(one.model_copy(update={"sku": f"{one.sku}-2"}) for one in record.variants)
    return record.model_copy(update={"variants": variants})


async def test_the_shops_own_attributes_stay_its_own() -> None:
    async with visit() as shop:
        number = shop.first("variable")
        pulled = await shop.read(Entity.PRODUCTS, number)
        product = pulled.record
        assert isinstance(product, Product)
        names = [option.name for option in product.options]
        purple = Variant(
            external_id="", sku="P-1", price=Decimal(3), option_values={names[0]: "Purple"}
        )
        first = product.options[0].model_copy(
            update={"values": (*product.options[0].values, "Purple")}
        )
        changed = product.model_copy(
            update={
                "variants": (*product.variants, purple),
                "options": (first, *product.options[1:]),
            }
        )
        item = Outgoing("products-1", pulled.external_id, changed, base=product)
        (told,) = await shop.push(Entity.PRODUCTS, item)
        rows = shop.document("products", number)["attributes"]
        made = next(v for v in product_of(told).variants if v.sku == "P-1")
        variation = shop.document("variations", made.external_id)

    assert [(row["id"], row["name"]) for row in rows] == [
        (1, "Color"),
        (2, "Size"),
        (0, "Material"),
    ]
    assert "Purple" in rows[0]["options"]
    assert variation["attributes"] == [
        {"id": 1, "name": "Color", "slug": "pa_color", "option": "Purple"}
    ]


async def test_a_simple_product_becomes_one_of_variants_and_keeps_its_sku() -> None:
    async with visit() as shop:
        made = await make(shop, simple())
        got = product_of(made)
        small = got.variants[0].model_copy(update={"option_values": {"Size": "S"}})
        large = Variant(external_id="", sku="HUB-L", price=Decimal(9), option_values={"Size": "L"})
        options = (Option(name="Size", values=("S", "L")),)
        changed = got.model_copy(update={"variants": (small, large), "options": options})
        (told,) = await shop.push(Entity.PRODUCTS, again(made, changed))

    assert told.outcome is Outcome.DONE, told
    assert {one.sku for one in product_of(told).variants} == {"HUB-1", "HUB-L"}
    assert product_of(told).kind == "variable"


async def test_a_variant_the_shop_refuses_leaves_the_row_due() -> None:
    async with visit() as shop:
        taken = shop.document("products", shop.first("simple"))["sku"]
        product = variable("Rot", "Blau")
        doubled = product.variants[1].model_copy(update={"sku": taken})
        product = product.model_copy(update={"variants": (product.variants[0], doubled)})
        (told,) = await shop.push(Entity.PRODUCTS, create(product))
        assert told.outcome is Outcome.REFUSED
        assert told.external_id is not None
        assert "product_invalid_sku" in told.reason
        # Tried again with another SKU, nothing is there twice.
        fixed = doubled.model_copy(update={"sku": "FREE"})
        product = product.model_copy(update={"variants": (product.variants[0], fixed)})
        item = Outgoing(told.key, told.external_id, product, base=None)
        (healed,) = await shop.push(Entity.PRODUCTS, item)
        assert healed.outcome is Outcome.DONE, healed
        assert [one.sku for one in product_of(healed).variants] == ["VAR-Rot", "FREE"]
