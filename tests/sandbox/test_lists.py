from collections.abc import Callable
from typing import Any

import pytest

from sandbox.woocommerce.seed import ShopSeed
from tests.sandbox.local import Local, local_shop


async def ids_of(local: Local, path: str, **params: Any) -> list[int]:
    return [record["id"] for record in await local.get(path, per_page=100, **params)]


@pytest.mark.parametrize("orderby", ["id", "date", "modified"])
@pytest.mark.parametrize("order", ["asc", "desc"])
async def test_pages_partition_the_list_in_order(orderby: str, order: str) -> None:
    async with local_shop() as local:
        paged: list[int] = []
        for page in range(1, 10):
            query = {"page": page, "per_page": 7, "orderby": orderby, "order": order}
            paged += [record["id"] for record in await local.get("orders", **query)]
        keys: dict[str, Callable[[dict[str, Any]], Any]] = {
            "id": lambda o: o["id"],
            "date": lambda o: (o["date_created_gmt"], o["id"]),
            "modified": lambda o: (o["date_modified_gmt"], o["id"]),
        }
        records = await local.get("orders", per_page=100)
        expected = sorted(records, key=keys[orderby], reverse=order == "desc")
        assert paged == [record["id"] for record in expected]


async def test_page_past_the_end_still_says_how_many_there_are() -> None:
    async with local_shop() as local:
        answer = await local.ask("GET", "orders", params={"page": 50, "per_page": 20})
        total = len(local.shop.tables["orders"].ids())
        pages = -(-total // 20)
        assert (answer.json(), answer.headers["x-wp-total"]) == ([], str(total))
        assert answer.headers["x-wp-totalpages"] == str(pages)
        assert f"page={pages}" in answer.headers["link"]
        assert 'rel="next"' not in answer.headers["link"]


async def test_offset_replaces_the_page() -> None:
    async with local_shop() as local:
        whole = await ids_of(local, "orders", orderby="id", order="asc")
        part = await local.get("orders", orderby="id", order="asc", offset=5, per_page=3)
        assert [order["id"] for order in part] == whole[5:8]


async def test_include_and_exclude_take_lists_and_arrays() -> None:
    async with local_shop() as local:
        whole = await ids_of(local, "products", orderby="id", order="asc")
        wanted = [whole[3], whole[1], 424242]
        text = ",".join(str(i) for i in wanted)
        assert await ids_of(local, "products", include=text, orderby="include") == wanted[:2]
        array = {"include[]": [str(i) for i in wanted], "orderby": "id", "order": "asc"}
        assert await ids_of(local, "products", **array) == sorted(wanted[:2])
        rest = await ids_of(local, "products", exclude=text, orderby="id", order="asc")
        assert rest == [i for i in whole if i not in wanted]


async def test_bounds_are_local_unless_said_to_be_gmt_and_offsets_count_for_nothing() -> None:
    async with local_shop() as local:
        product = local.first("simple")
        await local.ask("PUT", f"products/{product}", json={"name": "x"})
        query = {"_fields": "id"}
        hours = [("2026-11-21T01:50:31", "2026-11-21T00:50:31")]
        for site, gmt in hours:
            for text in (site, f"{site}Z", f"{site}+05:00"):
                assert product in await ids_of(local, "products", modified_after=text, **query)
            query_gmt = {"dates_are_gmt": "true", "modified_after": gmt}
            assert product in await ids_of(local, "products", **query_gmt, **query)
        later = {"modified_after": "2026-11-21T00:50:32", "dates_are_gmt": "true"}
        assert await ids_of(local, "products", **later) == []


async def test_variations_are_listed_flat_and_per_product() -> None:
    async with local_shop() as local:
        parent = local.first("variable")
        nested = await ids_of(local, f"products/{parent}/variations", orderby="id", order="asc")
        assert nested == (await local.get(f"products/{parent}"))["variations"]
        flat = await local.get("variations", per_page=100, orderby="id", order="asc")
        assert [v["id"] for v in flat if v["parent_id"] == parent] == nested
        later = await local.get("variations", modified_after="2024-06-01T00:00:00", per_page=1)
        assert len(later) == 1
        assert (await local.ask("POST", "variations", json={})).status_code == 404


async def test_flat_variations_can_be_missing() -> None:
    async with local_shop(flat_variations=False) as local:
        answer = await local.ask("GET", "variations")
        assert (answer.status_code, answer.json()["code"]) == (404, "rest_no_route")


async def test_customers_are_of_one_role_unless_all_are_asked_for() -> None:
    async with local_shop(ShopSeed(products=1, orders=1, customers=60)) as local:
        some = await local.get("customers", per_page=100)
        every = await local.get("customers", per_page=100, role="all")
        assert {c["role"] for c in some} == {"customer"}
        assert {c["role"] for c in every} > {"customer", "administrator", "subscriber"}
        assert len(every) == 60
        assert [c["username"] for c in some] == sorted(c["username"] for c in some)


async def test_categories_nest_and_filter_by_parent() -> None:
    async with local_shop() as local:
        categories = await local.get("products/categories", per_page=100)
        known = {category["id"] for category in categories}
        nested = [category for category in categories if category["parent"]]
        assert nested
        assert {category["parent"] for category in nested} <= known
        parent = nested[0]["parent"]
        below = await ids_of(local, "products/categories", parent=parent)
        assert set(below) == {c["id"] for c in categories if c["parent"] == parent}


FILTERS: list[tuple[str, dict[str, str], Callable[[dict[str, Any]], bool]]] = [
    ("products", {"type": "variable"}, lambda p: p["type"] == "variable"),
    ("products", {"sku": "SKU-00001,SKU-00024"}, lambda p: p["sku"] in ("SKU-00001", "SKU-00024")),
    ("products", {"status": "draft"}, lambda p: p["status"] == "draft"),
    ("products", {"category": "16"}, lambda p: any(c["id"] == 16 for c in p["categories"])),
    ("products", {"stock_status": "outofstock"}, lambda p: p["stock_status"] == "outofstock"),
    ("products", {"on_sale": "true"}, lambda p: p["on_sale"]),
    ("orders", {"status": "pending,failed"}, lambda o: o["status"] in ("pending", "failed")),
    ("orders", {"customer": "0"}, lambda o: o["customer_id"] == 0),
    ("orders", {"after": "2024-09-01T00:00:00"}, lambda o: o["date_created"] > "2024-09-01"),
]


@pytest.mark.parametrize(("path", "params", "means"), FILTERS)
async def test_filters_find_what_they_name(
    path: str, params: dict[str, str], means: Callable[[dict[str, Any]], bool]
) -> None:
    async with local_shop() as local:
        whole = await local.get(path, per_page=100)
        expected = [record["id"] for record in whole if means(record)]
        assert expected
        assert await ids_of(local, path, **params) == expected


async def test_fields_keep_the_id_and_leave_out_the_rest() -> None:
    async with local_shop() as local:
        rows = await local.get("orders", _fields="status,billing.email", per_page=2)
        assert [list(row) for row in rows] == [["id", "status", "billing"]] * 2
        only = await local.ask("GET", "orders", params={"_fields": "id", "per_page": 2})
        assert only.text == f'[{{"id":{rows[0]["id"]}}},{{"id":{rows[1]["id"]}}}]'


async def test_dp_rounds_every_amount() -> None:
    async with local_shop() as local:
        plain = await local.get("orders", per_page=100)
        rounded = {o["id"]: o for o in await local.get("orders", per_page=100, dp=1)}
        dinar = next(o for o in plain if o["currency"] == "KWD")
        yen = next(o for o in plain if o["currency"] == "JPY")
        assert rounded[dinar["id"]]["total"] == f"{round(float(dinar['total']) + 1e-9, 1):.1f}"
        assert rounded[yen["id"]]["total"] == f"{yen['total']}.0"
        assert rounded[yen["id"]]["line_items"][0]["total"].endswith(".0")
        same = await local.get("orders", per_page=100, dp=2)
        euros = [o for o in plain if o["currency"] == "EUR"]
        assert [o for o in same if o["currency"] == "EUR"] == euros


@pytest.mark.parametrize(
    ("params", "name", "message"),
    [
        ({"page": "0"}, "page", "page must be greater than or equal to 1"),
        ({"page": "x"}, "page", "page is not of type integer."),
        ({"order": "up"}, "order", "order is not one of asc and desc."),
        ({"context": "embed"}, "context", "context is not one of view and edit."),
        ({"dates_are_gmt": "maybe"}, "dates_are_gmt", "dates_are_gmt is not of type boolean."),
        ({"include": "1,x"}, "include", "include[1] is not of type integer."),
        ({"after": "2024-13-01T00:00:00"}, "after", "Invalid date."),
    ],
)
async def test_bad_parameters_are_named(params: dict[str, str], name: str, message: str) -> None:
    async with local_shop() as local:
        answer = await local.ask("GET", "orders", params=params)
        body = answer.json()
        assert (answer.status_code, body["code"]) == (400, "rest_invalid_param")
        assert body["message"] == f"Invalid parameter(s): {name}"
        assert body["data"]["params"] == {name: message}


async def test_edits_move_records_in_kept_orders() -> None:
    async with local_shop() as local:
        query = {"orderby": "modified", "order": "desc", "per_page": 3}
        await local.get("orders", **query)
        order = local.shop.tables["orders"].ids()[7]
        await local.ask("PUT", f"orders/{order}", json={"customer_note": "x"})
        assert (await local.get("orders", **query))[0]["id"] == order
        await local.ask("DELETE", f"orders/{order}", params={"force": "true"})
        assert (await local.get("orders", **query))[0]["id"] != order
