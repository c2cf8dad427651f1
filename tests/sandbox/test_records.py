from typing import Any

import pytest

from sandbox.woocommerce.seed import ShopSeed
from tests.sandbox.local import HOME, Local, local_shop


def code_of(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


async def test_only_sent_members_change_and_dates_move_in_both_zones() -> None:
    async with local_shop() as local:
        product = local.first("simple")
        before = await local.get(f"products/{product}")
        local.clock.now += 100
        answer = await local.ask("PATCH", f"products/{product}", json={"regular_price": "6"})
        after = answer.json()
        changed = {name for name in before if before[name] != after[name]}
        assert changed <= {
            *("price", "regular_price", "price_html", "on_sale"),
            *("date_modified", "date_modified_gmt"),
        }
        assert after["date_modified_gmt"] == "2026-11-21T00:52:12"
        assert after["date_modified"] == "2026-11-21T01:52:12"
        assert await local.get(f"products/{product}") == after


async def test_created_record_has_a_location_and_the_shape_of_others() -> None:
    async with local_shop() as local:
        local.clock.now += 1
        made = await local.ask("POST", "products", json={"name": "Lämp", "regular_price": "9.90"})
        body = made.json()
        assert made.status_code == 201
        assert made.headers["location"] == f"{HOME}/wp-json/wc/v3/products/{body['id']}"
        assert (body["price"], body["slug"]) == ("9.90", f"l-mp-{body['id']}")
        seeded = await local.get(f"products/{local.first('simple')}")
        assert set(body) == set(seeded)
        orders = local.shop.tables["orders"].ids()
        made_order = (await local.ask("POST", "orders", json={})).json()
        assert set(made_order) == set(await local.get(f"orders/{orders[0]}"))


@pytest.mark.parametrize(
    ("entity", "code"),
    [
        ("products", "woocommerce_rest_product_invalid_id"),
        ("orders", "woocommerce_rest_shop_order_invalid_id"),
        ("customers", "woocommerce_rest_invalid_id"),
    ],
)
async def test_unknown_ids_are_404_to_read_and_400_to_write(entity: str, code: str) -> None:
    async with local_shop() as local:
        path = f"{entity}/99999999"
        assert code_of(await local.ask("GET", path)) == (404, code)
        assert code_of(await local.ask("PUT", path, json={})) == (400, code)
        assert code_of(await local.ask("DELETE", path + "?force=true")) == (404, code)


@pytest.mark.parametrize("path", ["customers/5", "products/categories/17", "products/tags/28"])
async def test_what_cannot_be_trashed_needs_force(path: str) -> None:
    async with local_shop() as local:
        refused = await local.ask("DELETE", path)
        assert code_of(refused) == (501, "woocommerce_rest_trash_not_supported")
        gone = await local.ask("DELETE", path, params={"force": "true"})
        assert gone.status_code == 200
        assert (await local.ask("GET", path)).status_code == 404


async def test_trashing_twice_is_410_and_a_status_brings_it_back() -> None:
    async with local_shop() as local:
        parent = local.first("variable")
        children = local.shop.tables["variations"].children(parent)
        before = await local.get(f"products/{parent}")
        await local.ask("DELETE", f"products/{parent}")
        again = await local.ask("DELETE", f"products/{parent}")
        assert code_of(again) == (410, "woocommerce_rest_already_trashed")
        assert not set(children) & {v["id"] for v in local.shop.truth("variations")}
        back = await local.ask("PUT", f"products/{parent}", json={"status": "publish"})
        assert (back.json()["status"], back.json()["slug"]) == ("publish", before["slug"])
        assert set(children) <= {v["id"] for v in local.shop.truth("variations")}


async def test_metadata_is_changed_by_id_appended_without_and_removed_by_null() -> None:
    async with local_shop() as local:
        order = local.shop.tables["orders"].ids()[1]
        path = f"orders/{order}"
        added = {"meta_data": [{"key": "ref", "value": "1"}, {"key": "ref", "value": "2"}]}
        made = (await local.ask("PUT", path, json=added)).json()["meta_data"]
        assert [(m["key"], m["value"]) for m in made[-2:]] == [("ref", "1"), ("ref", "2")]
        change = [{"id": made[-1]["id"], "value": "3"}, {"id": made[-2]["id"], "value": None}]
        kept = (await local.ask("PUT", path, json={"meta_data": change})).json()["meta_data"]
        assert [(m["key"], m["value"]) for m in kept] == [
            *[(m["key"], m["value"]) for m in made[:-2]],
            ("ref", "3"),
        ]


async def test_order_lines_take_catalogue_prices_unless_totals_are_sent() -> None:
    async with local_shop() as local:
        product = (await local.ask("POST", "products", json={"regular_price": "25.00"})).json()[
            "id"
        ]
        lines = [
            {"product_id": product, "quantity": 2, "price": "1.00"},
            {"product_id": product, "quantity": 1, "subtotal": "30.00", "total": "20.00"},
        ]
        data = {"line_items": lines, "billing": {"country": "DE"}}
        order = (await local.ask("POST", "orders", json=data)).json()
        assert [line["total"] for line in order["line_items"]] == ["50.00", "20.00"]
        assert [line["price"] for line in order["line_items"]] == [25.0, 20.0]
        assert (order["discount_total"], order["total_tax"], order["total"]) == (
            "10.00",
            "13.30",
            "83.30",
        )
        first = order["line_items"][0]["id"]
        change = {"line_items": [{"id": first, "quantity": 0}]}
        after = (await local.ask("PUT", f"orders/{order['id']}", json=change)).json()
        assert (len(after["line_items"]), after["total"]) == (1, "23.80")


async def test_stock_is_taken_once_and_put_back_on_cancelling() -> None:
    async with local_shop() as local:
        data = {"regular_price": "5", "manage_stock": True, "stock_quantity": 5}
        product = (await local.ask("POST", "products", json=data)).json()["id"]
        lines = [{"product_id": product, "quantity": 2}]
        order = (await local.ask("POST", "orders", json={"line_items": lines})).json()["id"]
        stock = []
        for status in ("processing", "completed", "cancelled"):
            await local.ask("PUT", f"orders/{order}", json={"status": status})
            stock.append((await local.get(f"products/{product}"))["stock_quantity"])
        assert stock == [3, 3, 5]


async def test_stock_changes_by_delta_and_is_null_where_not_managed() -> None:
    async with local_shop() as local:
        data = {"regular_price": "5", "manage_stock": True, "stock_quantity": 5}
        product = (await local.ask("POST", "products", json=data)).json()["id"]
        moved = await local.ask("PUT", f"products/{product}", json={"inventory_delta": -5})
        assert (moved.json()["stock_quantity"], moved.json()["stock_status"]) == (0, "outofstock")
        loose = await local.ask("PUT", f"products/{product}", json={"manage_stock": False})
        assert loose.json()["stock_quantity"] is None


async def test_refunds_lower_nothing_but_are_listed_and_close_the_order_when_full() -> None:
    async with local_shop() as local:
        line = {"product_id": local.first("simple"), "total": "30.00", "subtotal": "30.00"}
        made = await local.ask("POST", "orders", json={"line_items": [line], "set_paid": True})
        order = made.json()
        path = f"orders/{order['id']}/refunds"
        part = await local.ask("POST", path, json={"amount": "10.00", "reason": "late"})
        assert part.status_code == 201
        assert part.headers["location"].startswith(
            rf"{HOME}/wp-json/wc/v3/orders/(?P<order_id>[\d]+)/refunds/"
        )
        left = f"{float(order['total']) - 10:.2f}"
        too_much = await local.ask("POST", path, json={"amount": order["total"]})
        assert code_of(too_much) == (500, "woocommerce_rest_cannot_create_order_refund")
        half_way = await local.get(f"orders/{order['id']}")
        assert (half_way["status"], half_way["refunds"][0]["total"]) == ("processing", "-10.00")
        await local.ask("POST", path, json={"amount": left})
        closed = await local.get(f"orders/{order['id']}")
        assert (closed["status"], closed["total"]) == ("refunded", order["total"])
        listed = await local.get(path)
        assert sorted(refund["amount"] for refund in listed) == sorted(["10.00", left])
        gone = await local.ask("DELETE", f"{path}/{listed[0]['id']}", params={"force": "true"})
        assert gone.status_code == 200
        assert len((await local.get(f"orders/{order['id']}"))["refunds"]) == 1


async def test_any_status_follows_any_other_but_only_known_ones() -> None:
    async with local_shop() as local:
        order = local.shop.tables["orders"].ids()[0]
        for status in ("completed", "pending", "awaiting-shipment", "wc-on-hold"):
            answer = await local.ask("PUT", f"orders/{order}", json={"status": status})
            assert answer.json()["status"] == status.removeprefix("wc-")
        refused = await local.ask("PUT", f"orders/{order}", json={"status": "shipped"})
        assert code_of(refused) == (400, "rest_invalid_param")
        stranger = await local.ask("PUT", f"orders/{order}", json={"customer_id": 424242})
        assert code_of(stranger) == (400, "woocommerce_rest_invalid_customer_id")


async def test_notes_are_kept_newest_first() -> None:
    async with local_shop() as local:
        order = local.shop.tables["orders"].ids()[0]
        for text in ("packed", "sent"):
            data = {"note": text, "customer_note": True}
            made = await local.ask("POST", f"orders/{order}/notes", json=data)
            assert made.status_code == 201
        notes = await local.get(f"orders/{order}/notes")
        assert [(n["note"], n["customer_note"]) for n in notes] == [
            ("sent", True),
            ("packed", True),
        ]


async def test_batches_run_in_order_and_delete_for_good() -> None:
    async with local_shop() as local:
        known = local.shop.tables["customers"].ids()[3:5]
        data = {
            "create": [{"email": "a@example.test"}, {"email": "a@example.test"}],
            "update": [{"id": known[0], "first_name": "Zoë"}],
            "delete": [known[1], 424242],
        }
        body = (await local.ask("POST", "customers/batch", json=data)).json()
        assert [item.get("email") or item["error"]["code"] for item in body["create"]] == [
            "a@example.test",
            "registration-error-email-exists",
        ]
        assert [item["first_name"] for item in body["update"]] == ["Zoë"]
        assert [item["id"] for item in body["delete"]] == [known[1], 424242]
        assert body["delete"][1]["error"]["code"] == "woocommerce_rest_invalid_id"
        assert (await local.ask("GET", f"customers/{known[1]}")).status_code == 404


@pytest.mark.parametrize(
    ("path", "data", "code"),
    [
        ("products", {"regular_price": 5}, "rest_invalid_param"),
        ("products", {"type": "bundle"}, "rest_invalid_param"),
        ("products", {"id": 3}, "woocommerce_rest_product_exists"),
        ("customers", {}, "rest_missing_callback_param"),
        ("products/categories", {}, "rest_missing_callback_param"),
        ("products/categories", {"name": "Food"}, "term_exists"),
    ],
)
async def test_bad_bodies_are_refused(path: str, data: dict[str, Any], code: str) -> None:
    async with local_shop() as local:
        sizes = {name: len(table) for name, table in local.shop.tables.items()}
        assert code_of(await local.ask("POST", path, json=data)) == (400, code)
        assert {name: len(table) for name, table in local.shop.tables.items()} == sizes


async def test_text_that_is_no_json_is_refused() -> None:
    async with local_shop() as local:
        answer = await local.ask("POST", "products", content=b"{")
        assert code_of(answer) == (400, "rest_invalid_json")


async def test_bad_records_are_planted_only_when_asked_for() -> None:
    async with local_shop(ShopSeed(products=5, orders=5, bad_records=3)) as local:
        products = await local.get("products", per_page=100, orderby="id", order="asc")
        bad = products[-3:]
        assert bad[0]["price"] == "not-a-number"
        assert "id" not in bad[1]
        assert bad[2]["id"] is None
        assert len(list(local.shop.truth("products"))) == len(products) - 3
        orders = await local.get("orders", per_page=100, orderby="id", order="asc")
        assert orders[-3]["total"] == "not-a-number"
    async with local_shop(ShopSeed(products=5, orders=5)) as local:
        assert local.shop.bad_ids == set()


async def read_all(local: Local, path: str, **params: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for page in range(1, 20):
        rows = await local.get(path, page=page, per_page=100, **params)
        found += rows
        if len(rows) < 100:
            break
    return found


@pytest.mark.parametrize("entity", ["products", "orders", "customers", "variations"])
async def test_truth_is_what_the_lists_show(entity: str) -> None:
    async with local_shop() as local:
        hand = {"entity": entity, "count": 4}
        for op in ("edit", "create", "delete"):
            await local.control("POST", "operations", json={"op": op, **hand})
        query = {"role": "all"} if entity == "customers" else {}
        listed = await read_all(local, entity, orderby="id", order="asc", **query)
        live = [record for record in listed if record.get("status") != "checkout-draft"]
        assert live == list(local.shop.truth(entity))
