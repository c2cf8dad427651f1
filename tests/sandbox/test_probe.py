from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from sandbox.woocommerce.seed import ShopSeed
from tests.sandbox.local import Local, local_shop

PROBE = (Path(__file__).with_name("samples") / "probe.txt").read_text().splitlines()
MANY = ShopSeed(products=120, orders=120, customers=47, seed=3)
FAR = "2099-01-01T00:00:00"


async def full_page(local: Local, path: str) -> None:
    for size in (100, 10):
        answer = await local.ask("GET", path, params={"per_page": size})
        assert (answer.status_code, len(answer.json())) == (200, size)


async def customers_page(local: Local) -> None:
    answer = await local.ask("GET", "customers", params={"per_page": 100})
    others = sum(1 for r in local.shop.tables["customers"].rows.values() if r.kind != "customer")
    assert (answer.status_code, len(answer.json())) == (200, 47 - others)


async def modified_order(local: Local) -> None:
    query = {"orderby": "modified", "order": "asc", "per_page": 100}
    answer = await local.ask("GET", "products", params=query)
    dates = [product["date_modified_gmt"] for product in answer.json()]
    assert answer.headers["x-wp-total"] == str(len(local.shop.tables["products"].ids()))
    assert dates == sorted(dates)


async def strict_bound(local: Local, entity: str, bound: str) -> None:
    stamps = local.shop.tables[entity].by_modified()
    exact, record_id = stamps[len(stamps) // 2]
    row = local.shop.tables[entity].rows[record_id]
    moment = local.shop.tables[entity].document(row)["date_modified_gmt"]
    query = {bound: moment, "dates_are_gmt": "true", "per_page": 100, "orderby": "modified"}
    answer = await local.ask("GET", entity, params={**query, "order": "asc"})
    after = bound == "modified_after"
    inside = [i for when, i in stamps if (when > exact if after else when < exact)]
    assert answer.headers["x-wp-total"] == str(len(inside))
    assert [record["id"] for record in answer.json()] == inside[:100]
    assert record_id not in inside


async def customers_ignore_dates(local: Local) -> None:
    plain = await local.ask("GET", "customers")
    bound = await local.ask("GET", "customers", params={"modified_after": FAR})
    assert bound.headers["x-wp-total"] == plain.headers["x-wp-total"] != "0"


async def customers_by_modified(local: Local) -> None:
    answer = await local.ask("GET", "customers", params={"orderby": "modified"})
    message = "orderby is not one of id, include, name, and registered_date."
    assert answer.status_code == 400
    assert answer.json() == {
        "code": "rest_invalid_param",
        "message": "Invalid parameter(s): orderby",
        "data": {
            "status": 400,
            "params": {"orderby": message},
            "details": {"orderby": {"code": "rest_not_in_enum", "message": message, "data": None}},
        },
    }


async def trashed_orders(local: Local) -> None:
    listed = await local.get("orders", status="trash", per_page=100)
    assert {order["status"] for order in listed} == {"trash"}
    assert not {order["id"] for order in listed} & {
        order["id"] for order in await local.get("orders", per_page=100, status="any")
    }


async def new_variation(local: Local) -> tuple[int, int]:
    parent = local.first("variable")
    data = {"regular_price": "5", "manage_stock": True, "stock_quantity": 5}
    made = await local.ask("POST", f"products/{parent}/variations", json=data)
    assert made.status_code == 201
    return parent, int(made.json()["id"])


async def variation_price(local: Local) -> None:
    parent, variation = await new_variation(local)
    before = (await local.get(f"products/{parent}"))["date_modified_gmt"]
    local.clock.now += 2
    path = f"products/{parent}/variations/{variation}"
    changed = (await local.ask("PUT", path, json={"regular_price": "0.01"})).json()
    after = await local.get(f"products/{parent}")
    assert (before, after["date_modified_gmt"]) == ("2026-11-21T00:50:32", "2026-11-21T00:50:34")
    assert (changed["date_modified_gmt"], after["price"]) == ("2026-11-21T00:50:34", "0.01")


async def order_takes_stock(local: Local) -> None:
    parent, variation = await new_variation(local)
    local.clock.now += 4
    line = {"product_id": parent, "variation_id": variation, "quantity": 1}
    made = await local.ask("POST", "orders", json={"line_items": [line], "set_paid": True})
    after = await local.get(f"products/{parent}/variations/{variation}")
    product = await local.get(f"products/{parent}")
    assert (made.status_code, made.json()["status"]) == (201, "processing")
    assert (after["stock_quantity"], after["date_modified_gmt"]) == (4, "2026-11-21T00:50:36")
    assert product["date_modified_gmt"] == "2026-11-21T00:50:36"


def doubled(holder: int, sku: str) -> dict[str, Any]:
    return {
        "code": "product_invalid_sku",
        "message": "Invalid or duplicated SKU.",
        "data": {"status": 400, "resource_id": holder, "unique_sku": f"{sku}-1"},
    }


async def duplicate_sku(local: Local) -> None:
    holder = (await local.ask("POST", "products", json={"sku": "PR-1"})).json()["id"]
    answer = await local.ask("POST", "products", json={"sku": "PR-1"})
    assert (answer.status_code, answer.json()) == (400, doubled(holder, "PR-1"))


async def batch(local: Local) -> None:
    holder = (await local.ask("POST", "products", json={"sku": "PR-1"})).json()["id"]
    data = {"create": [{"name": "good"}, {"sku": "PR-1"}], "update": [{"id": 999999, "name": "x"}]}
    answer = await local.ask("POST", "products/batch", json=data)
    body = answer.json()
    assert answer.status_code == 200
    assert (body["create"][0]["name"], set(body)) == ("good", {"create", "update"})
    assert body["create"][1] == {"id": 0, "error": doubled(holder, "PR-1")}
    error = {"code": "woocommerce_rest_product_invalid_id", "message": "Invalid ID."}
    assert body["update"] == [{"id": 999999, "error": {**error, "data": {"status": 400}}}]


async def large_batch(local: Local) -> None:
    answer = await local.ask("POST", "products/batch", json={"delete": list(range(101))})
    assert (answer.status_code, answer.json()) == (
        413,
        {
            "code": "woocommerce_rest_request_entity_too_large",
            "message": "Unable to accept more than 100 items for this request.",
            "data": {"status": 413},
        },
    )


async def force_delete(local: Local) -> None:
    product = local.first("simple")
    gone = await local.ask("DELETE", f"products/{product}", params={"force": "true"})
    assert (gone.status_code, gone.json()["id"]) == (200, product)
    assert (await local.ask("GET", f"products/{product}")).status_code == 404


async def trash(local: Local) -> None:
    product = local.first("simple")
    answer = await local.ask("DELETE", f"products/{product}")
    assert (answer.status_code, answer.json()["status"]) == (200, "publish")
    after = await local.ask("GET", f"products/{product}")
    assert (after.status_code, after.json()["status"]) == (200, "trash")


async def trash_in_lists(local: Local) -> None:
    product = local.first("simple")
    await local.ask("DELETE", f"products/{product}")
    pages = [await local.get("products", status="any", per_page=100, page=n) for n in (1, 2)]
    assert product not in {p["id"] for page in pages for p in page}
    listed = await local.get("products", status="trash", per_page=100)
    also = await local.get("products", include_status="trash", per_page=100)
    assert product in {p["id"] for p in listed}
    assert also == listed


async def order_force_delete(local: Local) -> None:
    order = local.shop.tables["orders"].ids()[0]
    answer = await local.ask("DELETE", f"orders/{order}", params={"force": "true"})
    assert (answer.status_code, answer.json()["id"]) == (200, order)


async def maintenance(local: Local) -> None:
    await local.control("POST", "faults", json={"kind": "maintenance"})
    answer = await local.ask("GET", "products")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "600")
    assert answer.headers["content-type"] == "text/html; charset=UTF-8"
    assert answer.text.startswith("<!DOCTYPE html>")


CHECKS: dict[str, Callable[[Local], Awaitable[Any]]] = {
    "GET /products per_page": lambda local: full_page(local, "products"),
    "GET /orders per_page": lambda local: full_page(local, "orders"),
    "GET /customers per_page": customers_page,
    "orderby=modified ok": modified_order,
    "{'modified_after'": lambda local: strict_bound(local, "products", "modified_after"),
    "{'modified_before'": lambda local: strict_bound(local, "products", "modified_before"),
    "orders modified_after": lambda local: strict_bound(local, "orders", "modified_after"),
    "customers modified_after": customers_ignore_dates,
    "customers orderby": customers_by_modified,
    "orders status=trash": trashed_orders,
    "variation create 201": new_variation,
    "variation price change": variation_price,
    "order created 201": order_takes_stock,
    "duplicate sku 400": duplicate_sku,
    "batch 200": batch,
    "batch 101 413": large_batch,
    "force delete 200": force_delete,
    "trash 200": trash,
    "status=any": trash_in_lists,
    "order force-delete": order_force_delete,
    "maintenance mode": maintenance,
}


@pytest.mark.parametrize("line", PROBE)
async def test_shop_behaves_as_probed(line: str) -> None:
    check = next(check for start, check in CHECKS.items() if line.startswith(start))
    async with local_shop(MANY) as local:
        await check(local)


def test_every_check_has_a_probed_line() -> None:
    unused = [start for start in CHECKS if not any(line.startswith(start) for line in PROBE)]
    assert unused == []
