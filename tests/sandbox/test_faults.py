import time

import httpx
import pytest

from tests.sandbox.client import API, ShopClient
from tests.sandbox.conftest import Served
from tests.sandbox.local import local_shop

ORDERS = f"{API}/orders"


def test_rate_limit_says_how_long_to_wait_and_only_as_often_as_told(
    shop: ShopClient, panel: httpx.Client
) -> None:
    rule = {"kind": "error", "status": 429, "retry_after": 2, "path": "/wc/v3/orders", "count": 2}
    panel.post("/faults", json=rule)
    assert shop.get(f"{API}/products").status_code == 200
    refused = shop.get(ORDERS)
    assert (refused.status_code, refused.headers["retry-after"]) == (429, "2")
    assert [shop.get(ORDERS).status_code for _ in range(2)] == [429, 200]
    [kept] = panel.get("/faults").json()["rules"]
    assert (kept["matched"], kept["struck"]) == (3, 2)


def test_only_the_nth_matching_request_fails(shop: ShopClient, panel: httpx.Client) -> None:
    panel.post("/faults", json={"kind": "error", "status": 500, "path": "/wc/v3/orders", "nth": 2})
    assert [shop.get(ORDERS).status_code for _ in range(4)] == [200, 500, 200, 200]


def test_method_and_skip_narrow_a_rule(shop: ShopClient, panel: httpx.Client) -> None:
    rule = {"kind": "error", "status": 502, "path": "/wp-json/wc/v3/orders", "method": "PUT"}
    panel.post("/faults", json={**rule, "skip": 1})
    assert shop.get(ORDERS).status_code == 200
    answers = [shop.put(f"{ORDERS}/999999", json={}).status_code for _ in range(3)]
    assert answers == [400, 502, 502]


def test_chance_is_the_same_for_the_same_seed(shop: ShopClient, panel: httpx.Client) -> None:
    seen = []
    for _ in range(2):
        panel.delete("/faults")
        rule = {"kind": "error", "probability": 0.5, "seed": 11, "path": "/wc/v3/orders"}
        panel.post("/faults", json=rule)
        seen.append([shop.get(f"{ORDERS}?per_page=1").status_code for _ in range(12)])
    assert seen[0] == seen[1]
    assert set(seen[0]) == {200, 500}


@pytest.mark.parametrize(
    ("kind", "start"), [("bom", "\ufeff["), ("notice", "<br />\n<b>Notice</b>:"), ("html", "<!DOC")]
)
def test_something_stands_before_or_instead_of_the_json(
    kind: str, start: str, shop: ShopClient, panel: httpx.Client
) -> None:
    panel.post("/faults", json={"kind": kind})
    answer = shop.get(ORDERS)
    assert answer.status_code == 200
    assert answer.content.decode().startswith(start)


def test_truncated_json_still_ends_as_a_whole_answer(shop: ShopClient, panel: httpx.Client) -> None:
    whole = shop.get(ORDERS).content
    panel.post("/faults", json={"kind": "truncate"})
    assert shop.get(ORDERS).content == whole[: len(whole) // 2]


@pytest.mark.parametrize("when", ["before", "after"])
def test_connection_drops(when: str, shop: ShopClient, panel: httpx.Client, served: Served) -> None:
    panel.post("/faults", json={"kind": "drop", "when": when, "path": "/wc/v3/orders", "count": 1})
    with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
        shop.get(ORDERS)
    assert shop.get(ORDERS).status_code == 200
    log = sorted(panel.get("/log").json(), key=lambda entry: entry["started"])
    asked = [entry["status"] for entry in log if entry["path"] == ORDERS]
    assert asked[-2:] == [0, 200]


def test_slow_answers_take_as_long_as_told(shop: ShopClient, panel: httpx.Client) -> None:
    panel.post("/faults", json={"kind": "slow", "delay_s": 0.2})
    started = time.monotonic()
    assert shop.get(ORDERS).status_code == 200
    assert time.monotonic() - started >= 0.2


def test_stripped_authorization_leaves_only_keys_in_the_query(
    shop: ShopClient, panel: httpx.Client, served: Served
) -> None:
    panel.post("/faults", json={"kind": "strip_authorization"})
    answer = shop.get(ORDERS)
    assert (answer.status_code, answer.json()) == (
        401,
        {
            "code": "woocommerce_rest_authentication_error",
            "message": "Consumer key is missing.",
            "data": {"status": 401},
        },
    )
    query = {"consumer_key": served.key[0], "consumer_secret": served.key[1]}
    assert shop.get(ORDERS, params=query).status_code == 200
    panel.delete("/faults")
    panel.post("/faults", json={"kind": "strip_authorization", "silent": True})
    assert shop.get(ORDERS).json()["code"] == "woocommerce_rest_cannot_view"


@pytest.mark.parametrize(
    "rule",
    [{"kind": "earthquake"}, {"kind": "error", "nht": 1}, {"kind": "churn", "entity": "dragons"}],
)
def test_unknown_fault_is_refused_with_what_there_is(
    rule: dict[str, object], panel: httpx.Client
) -> None:
    answer = panel.post("/faults", json=rule)
    assert answer.status_code == 400
    assert answer.json()["error"].startswith("ValueError: ")
    assert panel.get("/faults").json() == {"rules": [], "churns": []}


async def test_churn_makes_paging_alone_lose_and_keep_records() -> None:
    async with local_shop() as local:
        churn = {"kind": "churn", "entity": "orders", "edits": 5, "additions": 1, "deletions": 1}
        await local.control("POST", "faults", json={**churn, "max_events": 4, "seed": 5})
        before = {order["id"] for order in local.shop.truth("orders")}
        seen: dict[int, str] = {}
        for page in range(1, 9):
            query = {"page": page, "per_page": 10, "orderby": "id", "order": "asc"}
            for order in await local.get("orders", **query):
                seen[order["id"]] = order["total"] + order["customer_note"]
        await local.get("orders", _fields="id")
        counted = (await local.control("GET", "faults"))["churns"][0]
        truth = {o["id"]: o["total"] + o["customer_note"] for o in local.shop.truth("orders")}
        assert (counted["events"], counted["edited"]) == (4, 20)
        assert (counted["added"], counted["deleted"]) == (4, 4)
        assert len(set(truth) - before) == 4
        assert len(before - set(truth)) >= 3
        assert set(seen) - set(truth)
        assert [i for i in truth if i in seen and seen[i] != truth[i]]


async def test_churn_leaves_other_lists_and_id_pages_alone() -> None:
    async with local_shop() as local:
        await local.control("POST", "faults", json={"kind": "churn", "entity": "products"})
        before = list(local.shop.truth("products"))
        await local.get("orders")
        await local.get("products", _fields="id")
        assert list(local.shop.truth("products")) == before
        await local.get("products")
        assert list(local.shop.truth("products")) != before
