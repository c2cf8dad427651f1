"""The sandbox store, asked as any client asks, over a real socket where that matters."""

import json
import subprocess
import sys
from typing import Any

import httpx
import pytest

from sandbox.easyorder.app import BASE, Sandbox, create_app
from sandbox.easyorder.seed import StoreSeed
from sandbox.easyorder.serving import serving
from sandbox.easyorder.shop import Behaviour, Store
from sandbox.faults import Rule

KEY = "eo_0123456789"


class Clock:
    now = 1_795_000_000.0

    def __call__(self) -> float:
        return self.now


def sandbox(clock: Clock | None = None, **behaviour: Any) -> tuple[Sandbox, httpx.AsyncClient]:
    seed = StoreSeed(products=12, categories=3)
    box = Sandbox(Store(seed, clock or Clock(), Behaviour(**behaviour)), KEY, "t")
    transport = httpx.ASGITransport(create_app(box))
    headers = {"Api-Key": KEY, "X-Sandbox-Token": "t"}
    return box, httpx.AsyncClient(
        transport=transport, base_url=f"http://store.test{BASE}", headers=headers
    )


async def control(client: httpx.AsyncClient, method: str, path: str, body: Any = None) -> Any:
    answer = await client.request(method, f"http://store.test/_sandbox/{path}", json=body)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_forty_requests_a_minute_and_no_more() -> None:
    clock = Clock()
    _, client = sandbox(clock)
    first = [(await client.get("/products")).status_code for _ in range(41)]
    clock.now += 59
    still = (await client.get("/products")).status_code
    clock.now += 1
    after = (await client.get("/products")).status_code

    assert first == [200] * 40 + [429]
    assert (still, after) == (429, 200)
    stats = await control(client, "GET", "stats")
    assert stats["limit"] == {"refused": 2, "most": 40}


async def test_store_that_is_not_active_answers_400_to_everything() -> None:
    _, client = sandbox()
    await control(client, "PATCH", "behaviour", {"is_active": False})

    answers = [await client.get(path) for path in ("/products", "/orders/x", "/nothing")]

    assert {one.status_code for one in answers} == {400}
    assert answers[0].json() == {"message": "Store not active or has over due"}


async def test_key_decides_and_orders_have_no_list() -> None:
    box, client = sandbox()
    wrong = await client.get("/products", headers={"Api-Key": "other"})
    box.permissions = frozenset(("products:read",))
    forbidden = await client.get("/categories/")
    box.permissions = None
    listed = await client.get("/orders", params={"limit": "1"})

    assert (wrong.status_code, forbidden.status_code) == (401, 403)
    assert (listed.status_code, listed.content) == (404, b"")


@pytest.mark.parametrize("envelope", ["array", "data"])
async def test_lists_show_little_unless_asked(envelope: str) -> None:
    _, client = sandbox(envelope=envelope, max_limit=4)
    bare = (await client.get("/products")).json()
    full = (
        await client.get(
            "/products",
            params={
                "limit": "100",
                "page": "3",
                "fields": "id,sku",
                "sort": "created_at,ASC",
                "join": "Variations.Props,Variants.VariationProps",
            },
        )
    ).json()
    bare, full = (one["data"] if envelope == "data" else one for one in (bare, full))

    assert len(bare) == len(full) == 4
    assert "sku" not in bare[0]
    assert set(full[0]) == {"id", "sku", "Variations", "Variants"}
    assert [one["sku"] for one in full] == [f"SKU-{number}" for number in range(9, 13)]


@pytest.mark.parametrize(
    ("query", "status", "found"),
    [
        ("sku||eq||SKU-3", 200, 1),
        ("sku||$in||SKU-3,SKU-4", 200, 2),
        ("name||cont||product 1", 200, 4),
        ("quantity||gte||0", 200, 10),
        ("updated_at||gte||2030-01-01T00:00:00Z", 200, 0),
        ("nothing||eq||1", 400, 0),
        ("sku||like||x", 400, 0),
        ("sku", 400, 0),
    ],
)
async def test_filters(query: str, status: int, found: int) -> None:
    _, client = sandbox()
    answer = await client.get("/products", params={"filter": query})

    assert answer.status_code == status
    assert status != 200 or len(answer.json()) == found


async def test_orders_and_statuses_are_sent_with_each_webhooks_own_secret() -> None:
    got: list[httpx.Request] = []

    def receive(request: httpx.Request) -> httpx.Response:
        got.append(request)
        return httpx.Response(200)

    box, client = sandbox()
    box.courier.transport = httpx.MockTransport(receive)
    orders = await control(client, "POST", "webhooks", {"kind": "orders", "url": "http://h/n"})
    await control(client, "POST", "webhooks", {"kind": "order_status", "url": "http://h/s"})
    product = next(iter(box.store.tables["products"].values()))
    before = product["quantity"]
    line = {"product_id": product["id"], "quantity": 2}
    order = await control(client, "POST", "operations", {"op": "order", "data": {"lines": [line]}})
    changed = await client.patch(f"/orders/{order['id']}/status", json={"status": "confirmed"})
    again = await client.patch(f"/orders/{order['id']}/status", json={"status": "confirmed"})
    await control(client, "POST", "drain")

    assert (changed.status_code, again.status_code) == (200, 200)
    assert product["quantity"] == before - 2
    assert [str(one.url) for one in got] == ["http://h/n", "http://h/s"]
    assert got[0].headers["secret"] == orders["secret"]
    assert got[1].headers["secret"] != orders["secret"]
    assert json.loads(got[0].content)["id"] == order["id"]
    assert json.loads(got[1].content) == {
        "event_type": "order-status-update",
        "order_id": order["id"],
        "old_status": "pending",
        "new_status": "confirmed",
        "payment_ref_id": None,
    }
    assert order["total_cost"] == pytest.approx(order["cost"] + order["shipping_cost"])
    gone = await client.delete("/webhooks/delete-by-url", params={"url": "http://h/n"})
    assert gone.json() == {"deleted": 1}


async def test_faults_strike_as_told() -> None:
    _, client = sandbox()
    rule = {"kind": "error", "status": 503, "retry_after": 9, "path": "/products", "count": 1}
    await control(client, "POST", "faults", rule)
    first, second = await client.get("/products"), await client.get("/products")

    assert (first.status_code, first.headers["retry-after"]) == (503, "9")
    assert second.status_code == 200


async def test_a_request_that_is_lost_never_reached_the_store() -> None:
    async with serving(StoreSeed(products=2, categories=1), Behaviour()) as (ready, box):
        box.faults.rules.append(Rule.read({"kind": "lost"}))
        async with httpx.AsyncClient(headers={"Api-Key": ready.api_key}) as client:
            with pytest.raises(httpx.RemoteProtocolError):
                await client.post(f"{ready.api_url}/products", json={"name": "Tea", "price": 5})

        assert len(box.store.tables["products"]) == 2
        assert [one["status"] for one in box.journal.log()] == [0]


async def test_control_needs_its_token() -> None:
    _, client = sandbox()
    answer = await client.get("http://store.test/_sandbox/stats", headers={"X-Sandbox-Token": "x"})

    assert answer.status_code == 403


async def test_equal_seeds_make_equal_stores() -> None:
    one, other = Store(StoreSeed(seed=5), Clock()), Store(StoreSeed(seed=5), Clock())

    assert one.tables == other.tables
    assert Store(StoreSeed(seed=6), Clock()).tables != one.tables


async def test_store_is_served_on_a_socket() -> None:
    async with serving() as (ready, _), httpx.AsyncClient() as client:
        answer = await client.get(f"{ready.api_url}/products", headers={"Api-Key": ready.api_key})

        assert answer.status_code == 200
        assert len(answer.json()) == 10
        assert ready.api_key not in repr(ready)


def test_command_announces_the_store_and_ends_when_told() -> None:
    command = [sys.executable, "-m", "sandbox.easyorder", "--port", "0", "--products", "3"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        ready = json.loads(process.stdout.readline())
        answer = httpx.get(f"{ready['api_url']}/products", headers={"Api-Key": ready["api_key"]})
        process.terminate()

        assert process.wait(10) == 0
    assert len(answer.json()) == 3
