"""Products to push, and how."""

from decimal import Decimal

from domain.entities import Entity
from domain.pushing import Outcome, Outgoing, Pushed
from domain.records import Option, Product, Record, Variant
from domain.statuses import ProductStatus
from tests.providers.woocommerce.visits import Visit


def simple(sku: str = "HUB-1", **fields: object) -> Product:
    variant = Variant(
        external_id="",
        sku=sku,
        barcode="4006381333931",
        price=Decimal("8.50"),
        compare_at_price=Decimal(10),
        tracks_stock=True,
        allows_backorder=True,
        weight=Decimal("1.5"),
    )
    values = {
        "title": "Löwe & Bär",
        "slug": "loewe",
        "status": ProductStatus.ACTIVE,
        "currency": "EUR",
        "variants": (variant,),
        **fields,
    }
    return Product.model_validate(values)


def variable(*colours: str, external_ids: tuple[str, ...] = ()) -> Product:
    ids = external_ids or ("",) * len(colours)
    variants = tuple(
        Variant(
            external_id=number,
            sku=f"VAR-{colour}",
            price=Decimal(5),
            option_values={"Farbe": colour},
        )
        for number, colour in zip(ids, colours, strict=True)
    )
    return Product(
        title="Hemd",
        status=ProductStatus.DRAFT,
        currency="EUR",
        options=(Option(name="Farbe", values=colours),),
        variants=variants,
    )


def create(record: Record, key: str = "products-1") -> Outgoing:
    return Outgoing(key, None, record)


def again(pushed: Pushed, record: Record) -> Outgoing:
    assert pushed.pulled is not None
    return Outgoing(pushed.key, pushed.external_id, record, base=pushed.pulled.record)


async def make(shop: Visit, record: Record, key: str = "products-1") -> Pushed:
    (made,) = await shop.push(Entity.PRODUCTS, create(record, key))
    assert made.outcome is Outcome.DONE, made
    return made
