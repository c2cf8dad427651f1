"""Records to push, and how the tests push them."""

from decimal import Decimal
from typing import Any

from domain.entities import Entity
from domain.pages import Pulled
from domain.pushing import Outgoing, Pushed
from domain.records import Image, Option, Product, Record, Variant
from domain.statuses import ProductStatus
from providers.easyorder.client import EasyOrderClient
from tests.providers.easyorder.stores import Visit

NEW = Product(
    title="Lamp",
    slug="lamp",
    status=ProductStatus.ACTIVE,
    description="<p>Bright</p>",
    currency="EGP",
    images=(Image(src="https://cdn.example/1.jpg"), Image(src="https://cdn.example/2.jpg")),
    variants=(
        Variant(
            external_id="",
            sku="LAMP-1",
            price=Decimal("149.95"),
            compare_at_price=Decimal(175),
            tracks_stock=True,
        ),
    ),
)
VARIABLE = NEW.model_copy(
    update={
        "title": "Shirt",
        "slug": "قميص",
        "options": (Option(name="Size", values=("S", "M")),),
        "variants": tuple(
            Variant(
                external_id="",
                sku=f"SHIRT-{size}",
                price=Decimal(100),
                tracks_stock=True,
                option_values={"Size": size},
            )
            for size in ("S", "M")
        ),
    }
)


async def push(client: EasyOrderClient, entity: Entity, **item: Any) -> Pushed:
    outgoing = Outgoing(**{"key": f"{entity}-1", "external_id": None, **item})
    (answer,) = await client.push(entity, [outgoing])
    assert answer.key == outgoing.key
    return answer


async def held(client: EasyOrderClient, entity: Entity, external_id: str) -> Pulled[Record]:
    page = await client.fetch_by_ids(entity, [external_id])
    return page.records[0]


def written(visit: Visit) -> list[str]:
    return [one for one in visit.asked if not one.startswith("GET")]
