"""A shop that exists only as what it sends: its store in the hub, and its signed webhooks."""

import base64
import dataclasses
import hashlib
import hmac
import itertools
import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, Final

from bench.rig import BenchDatabase, Rig
from bench.webhook_load import request
from db.crypto import SecretBox, store_context
from db.session import Database
from db.store_checks import allocate_store_id
from db.tables.stores import STORES
from db.tenants import create_tenant

SECRET: Final = "whsec_bench"
CODE: Final = "benchcode"
_SIGNED: Final = 2_000
_ORDER_LINES: Final = 4


def signed_orders(url: str) -> Iterator[bytes]:
    """Webhooks of new orders, each another one, signed as the shop signs; again from the start
    after the last."""
    return itertools.cycle(
        [signed(url, "order.created", order(100_000 + number)) for number in range(_SIGNED)]
    )


def signed(url: str, topic: str, content: Mapping[str, Any]) -> bytes:
    """A webhook of the store, as its shop sends it."""
    body = json.dumps(content).encode()
    resource, _, event = topic.partition(".")
    digest = hmac.new(SECRET.encode(), body, hashlib.sha256).digest()
    headers = {
        "User-Agent": "WooCommerce/11.0.1 Hookshot (WordPress/7.0.4)",
        "Accept": "*/*",
        "X-WC-Webhook-Source": "https://shop.example/",
        "X-WC-Webhook-Topic": topic,
        "X-WC-Webhook-Resource": resource,
        "X-WC-Webhook-Event": event,
        "X-WC-Webhook-Signature": base64.b64encode(digest).decode(),
        "X-WC-Webhook-ID": "18",
        "X-WC-Webhook-Delivery-ID": "7ec6daa27de9a5f038f752990c21127e",
    }
    return request(url, headers, body)


def order(order_id: int) -> dict[str, Any]:
    """An order of about the size that shops send (3.4 kB)."""
    person = {
        "first_name": "Ann",
        "last_name": "Example",
        "address_1": "1 Long Street",
        "city": "Colombo",
        "postcode": "00100",
        "country": "LK",
        "email": "ann@example.test",
        "phone": "+94000000000",
    }
    line = {
        "name": "Ceylon tea",
        "product_id": 11,
        "variation_id": 0,
        "quantity": 1,
        "subtotal": "10.00",
        "total": "10.00",
        "total_tax": "0.00",
        "sku": "TEA-1",
        "price": 10,
        "taxes": [],
        "meta_data": [{"id": 1, "key": "gift", "value": "no " * 40}],
    }
    return {
        "id": order_id,
        "number": str(order_id),
        "status": "processing",
        "currency": "EUR",
        "date_created_gmt": "2026-11-21T00:54:58",
        "date_modified_gmt": "2026-11-21T00:54:58",
        "discount_total": "0.00",
        "shipping_total": "0.00",
        "total": "40.00",
        "total_tax": "0.00",
        "customer_id": 0,
        "billing": person,
        "shipping": person,
        "payment_method": "cod",
        "customer_note": "",
        "line_items": [{"id": order_id * 10 + place, **line} for place in range(_ORDER_LINES)],
        "shipping_lines": [],
        "fee_lines": [],
        "coupon_lines": [],
        "tax_lines": [],
        "refunds": [],
        "meta_data": [],
    }


async def connect_store(
    rig: Rig, database: BenchDatabase, *, tenant_id: int | None = None
) -> tuple[int, int]:
    """A store that signs its webhooks, of a new tenant if none is given; both ids."""
    owner, app = Database(database.owner_url, pool_size=1), Database(database.app_url, pool_size=1)
    form = {
        "storeUrl": "https://shop.example",
        "consumerKey": "ck_" + "0" * 40,
        "consumerSecret": "cs_" + "0" * 40,
        "webhookSecret": SECRET,
    }
    try:
        if tenant_id is None:
            async with owner.lookup() as connection:
                tenant_id = (await create_tenant(connection, "Source")).id
        async with app.tenant(tenant_id) as connection:
            store_id = await allocate_store_id(connection)
            box = SecretBox([bytes.fromhex(rig.encryption_key)])
            sealed = box.seal(json.dumps(form).encode(), context=store_context(store_id))
            await connection.execute(
                STORES.insert().values(
                    tenant_id=tenant_id,
                    id=store_id,
                    name="Source",
                    code="source",
                    webhook_code=CODE,
                    provider="woocommerce",
                    store_url=form["storeUrl"],
                    facts={"store_url": form["storeUrl"], "currency": "EUR"},
                    **dataclasses.asdict(sealed),
                )
            )
    finally:
        await owner.close()
        await app.close()
    return tenant_id, store_id


def product(product_id: int, *, price: int, changed_at: datetime) -> dict[str, Any]:
    """A simple product at a version."""
    moment = changed_at.strftime("%Y-%m-%dT%H:%M:%S")
    return {
        "id": product_id,
        "name": f"Tea {product_id}",
        "slug": f"tea-{product_id}",
        "type": "simple",
        "status": "publish",
        "description": "Leaves. " * 40,
        "short_description": "",
        "sku": f"BENCH-{product_id}",
        "price": f"{price}.00",
        "regular_price": f"{price}.00",
        "sale_price": "",
        "manage_stock": False,
        "stock_quantity": None,
        "stock_status": "instock",
        "categories": [],
        "images": [],
        "attributes": [],
        "variations": [],
        "date_created_gmt": "2026-01-01T00:00:00",
        "date_modified_gmt": moment,
    }
