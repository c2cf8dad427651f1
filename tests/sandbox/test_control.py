import json

import httpx

from sandbox.woocommerce.seed import ShopSeed
from sandbox.woocommerce.shop import Shop
from tests.sandbox.client import API, ShopClient
from tests.sandbox.conftest import Served
from tests.sandbox.local import local_shop


def test_control_is_shut_without_the_token(served: Served, http: httpx.Client) -> None:
    for headers in ({}, {"X-Sandbox-Token": "guess"}):
        answer = http.get(f"{served.ready.url}/_sandbox/stats", headers=headers)
        assert answer.status_code == 403


async def test_control_is_shut_where_there_is_no_token() -> None:
    async with local_shop() as local:
        local.box.token = ""
        answer = await local.client.get("/_sandbox/stats", headers={"X-Sandbox-Token": ""})
        assert answer.status_code == 403


def test_truth_streams_one_document_a_line(panel: httpx.Client, shop: ShopClient) -> None:
    answer = panel.get("/truth", params={"entity": "orders"})
    whole = [json.loads(line) for line in answer.text.splitlines()]
    assert answer.headers["x-total"] == str(len(whole))
    listed = shop.get_json("orders", per_page=100, orderby="id", order="asc")
    live = [order for order in listed if order["status"] != "checkout-draft"]
    assert whole[: len(live)] == live
    assert {order["status"] for order in whole}.isdisjoint({"trash", "checkout-draft"})
    query: dict[str, str | int] = {"entity": "orders", "page": 2, "per_page": 30}
    part = panel.get("/truth", params=query).text.splitlines()
    assert [json.loads(line) for line in part] == whole[30:60]


def test_log_blanks_credentials_and_stats_count(
    panel: httpx.Client, shop: ShopClient, served: Served
) -> None:
    panel.delete("/log")
    name, secret = served.key
    query = {"consumer_key": name, "consumer_secret": secret, "per_page": "1"}
    shop.get(f"{API}/orders", params=query)
    shop.get(f"{API}/orders/1")
    log = [e for e in panel.get("/log").json() if e["path"].startswith(API)]
    blanked = "consumer_key=…&consumer_secret=…&per_page=1"
    assert [(e["query"], e["status"]) for e in log] == [(blanked, 200), ("", 404)]
    assert all(e["started"] <= e["ended"] for e in log)
    stats = panel.get("/stats").json()["requests"]
    assert stats["by_route"][f"GET {API}/orders/{{id}}"] == 1
    assert stats["by_status"]["404"] == 1
    assert stats["max_concurrent"] >= 1


async def test_operations_on_chosen_records() -> None:
    async with local_shop() as local:
        order = local.shop.tables["orders"].ids()[4]
        was = (await local.get(f"orders/{order}"))["status"]
        chosen = {"entity": "orders", "ids": [order]}
        data = {"customer_note": "by hand"}
        await local.control("POST", "operations", json={"op": "edit", "data": data, **chosen})
        assert (await local.get(f"orders/{order}"))["customer_note"] == "by hand"
        await local.control("POST", "operations", json={"op": "trash", **chosen})
        assert (await local.get(f"orders/{order}"))["status"] == "trash"
        await local.control("POST", "operations", json={"op": "restore", **chosen})
        assert (await local.get(f"orders/{order}"))["status"] == was
        await local.control("POST", "operations", json={"op": "delete", **chosen})
        assert (await local.ask("GET", f"orders/{order}")).status_code == 404
        made = {"op": "create", "entity": "products", "data": {"name": "by hand"}}
        [product] = (await local.control("POST", "operations", json=made))["ids"]
        assert (await local.get(f"products/{product}"))["name"] == "by hand"


def test_wrong_operation_says_what_there_is(panel: httpx.Client) -> None:
    answer = panel.post("/operations", json={"op": "burn", "entity": "orders"})
    expected = "ValueError: op must be edit, create, trash, restore or delete"
    assert (answer.status_code, answer.json()) == (400, {"error": expected})


def test_equal_seeds_make_equal_shops_and_others_do_not() -> None:
    def content(seed: ShopSeed) -> list[bytes]:
        shop = Shop(seed, home_url="http://shop.test")
        return [body for name in shop.tables for _, body in shop.truth_bodies(name)]

    seed = ShopSeed(products=60, orders=60, seed=5)
    assert content(seed) == content(seed)
    assert content(seed) != content(ShopSeed(products=60, orders=60, seed=6))


def test_random_changes_are_the_same_for_the_same_seed(panel: httpx.Client) -> None:
    picked = []
    for _ in range(2):
        data = {"op": "edit", "entity": "customers", "count": 5, "seed": 4}
        picked.append(panel.post("/operations", json=data).json()["ids"])
    assert picked[0] == picked[1]
    assert len(picked[0]) == 5


def test_shop_in_another_currency_has_its_decimals() -> None:
    for currency, price, places in (("JPY", 0, 0), ("KWD", 3, 3)):
        shop = Shop(ShopSeed(products=20, orders=5, currency=currency), home_url="http://s.test")
        products = list(shop.truth("products"))
        prices = [p["price"] for p in products if p["price"]]
        assert {len(text.partition(".")[2]) for text in prices} == {price}
        totals = [o["total"] for o in shop.truth("orders") if o["currency"] == currency]
        assert {len(text.partition(".")[2]) for text in totals} == {places}
