import asyncio
import csv
import io
import json
import logging
import select
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
import uvicorn
from structlog.testing import capture_logs

from api.app import create_app
from db.export import ExportFormat, ExportReader, ExportRequest
from db.export_records import ExportKind
from domain.entities import Entity
from domain.pages import Pulled
from domain.records import Address, Customer
from tests.api.hub import Caller, Hub
from tests.api.samples import sale, tea
from tests.db.room import new_store

EXPORT = "/api/woocommerce-sync/export"
PEOPLE = """
insert into customers (tenant_id, email, phone, first_name, last_name, is_guest, is_paying, extra)
select :owner, 'c' || i || '@example.test', '', '', '', false, true,
  jsonb_build_object('note', repeat('x', 1000))
from generate_series(1, 20000) i
"""


async def stocked(hub: Hub, caller: Caller) -> int:
    """A WooCommerce store with a product of two variants, a customer and an order."""
    store_id = await new_store(hub.database, caller.tenant.id)
    customer = Customer(
        email="n@example.com",
        first_name="Nimal",
        last_name="Pe\u2028re\u2029ra\x85",
        is_paying=True,
        billing=Address(first_name="Nimal", address_1="12 Galle Road", country="LK"),
    )
    await hub.take_in(caller.tenant, store_id, Entity.PRODUCTS, tea())
    await hub.take_in(caller.tenant, store_id, Entity.CUSTOMERS, Pulled("8", customer))
    await hub.take_in(caller.tenant, store_id, Entity.ORDERS, sale())
    return store_id


async def exported(caller: Caller, entity: str, **query: Any) -> list[dict[str, Any]]:
    answer = await caller.get(f"{EXPORT}/{entity}", params=query)
    assert answer.status_code == 200, answer.text
    if query.get("format") == "csv":
        return list(csv.DictReader(io.StringIO(answer.text, newline="")))
    if query.get("format") == "ndjson":
        return [json.loads(line) for line in answer.text.splitlines()]
    return list(answer.json())


@asynccontextmanager
async def served(hub: Hub) -> AsyncIterator[str]:
    """The API on a port, as it runs in production."""
    server = uvicorn.Server(
        uvicorn.Config(create_app(hub.services), log_config=None, lifespan="off")
    )
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        serving = asyncio.create_task(server.serve(sockets=[bound]))
        try:
            yield f"http://127.0.0.1:{bound.getsockname()[1]}"
        finally:
            server.should_exit = True
            await serving


@pytest.mark.parametrize("entity", ["customers", "orders"])
@pytest.mark.parametrize("form", ["json", "ndjson"])
async def test_records_are_told_as_the_records_api_tells_them(
    hub: Hub, caller: Caller, entity: str, form: str
) -> None:
    store_id = await stocked(hub, caller)
    (record,) = (await caller.get(f"/api/{entity}")).json()["data"]
    (one,) = await exported(caller, entity, format=form)
    assert one.pop("externalId") == record["externalReferences"][0]["externalId"]
    assert one["storeId"] == store_id
    record.setdefault("storeId", store_id)
    for moment in ("createdAt", "updatedAt"):
        assert one[moment][:19] == record[moment][:19]
        record[moment] = one[moment]
    assert one == record


async def test_products_are_told_with_a_row_for_each_variant(hub: Hub, caller: Caller) -> None:
    store_id = await stocked(hub, caller)
    (product,) = (await caller.get("/api/products")).json()["data"]
    rows = await exported(caller, "products")
    assert len(rows) == 2
    for row, variant in zip(rows, product["variants"], strict=True):
        assert (row["productId"], row["variantId"]) == (product["id"], variant["id"])
        assert row["storeId"] == store_id
        for name in (
            *("title", "slug", "status", "images", "options", "tags", "extra", "listedAt"),
            "supplier",
        ):
            assert (name, row[name]) == (name, product[name])
        for name in ("sku", "price", "compareAtPrice", "optionValues", "onHand", "available"):
            assert (name, row[name]) == (name, variant[name])
    (first, _) = await exported(caller, "inventory", format="csv")
    # The order holds two of fourteen that were free besides.
    assert first["externalId"] == "4711-1"
    level = (await caller.get("/api/inventory/levels")).json()["data"][0]
    assert (first["onHand"], first["reserved"], first["available"]) == (
        level["onHand"],
        level["reserved"],
        level["available"],
    )


async def test_a_csv_file_is_flat(hub: Hub, caller: Caller) -> None:
    await stocked(hub, caller)
    answer = await caller.get(f"{EXPORT}/orders", params={"format": "csv"})
    assert answer.headers["content-type"] == "text/csv; charset=utf-8; header=present"
    assert answer.headers["cache-control"] == "no-store"
    name = answer.headers["content-disposition"]
    assert name.startswith('attachment; filename="orders-')
    assert name.endswith('Z.csv"')
    (row,) = csv.DictReader(io.StringIO(answer.text, newline=""))
    assert (row["lineCount"], row["total"], row["oversold"]) == ("2", "2801.00", "false")
    assert row["billingAddress1"] == "12 Galle Road"
    assert [line["quantity"] for line in json.loads(row["lines"])] == ["2", "0.25"]
    (person,) = await exported(caller, "customers", format="csv")
    assert (person["isPaying"], person["billingCountry"]) == ("true", "LK")


async def test_only_what_woocommerce_has(hub: Hub, caller: Caller) -> None:
    store_id = await stocked(hub, caller)
    made = await caller.post("/api/customers", json={"email": "own@example.com"})
    assert made.status_code == 201
    assert len(await exported(caller, "customers")) == 2
    for query in ({"wc_only": "true"}, {"storeId": store_id}):
        (one,) = await exported(caller, "customers", **query)
        assert (one["externalId"], one["storeId"]) == ("8", store_id)


async def test_an_export_is_in_the_audit_trail(hub: Hub, caller: Caller) -> None:
    await stocked(hub, caller)
    await exported(caller, "orders", format="ndjson", wc_only="true")
    ((action, subject, details),) = await hub.execute(
        caller.tenant, "select action, subject, details from audit_log where action like 'export%'"
    )
    assert (action, subject) == ("export.started", "export/orders")
    assert details == {"format": "ndjson", "woocommerceOnly": True, "storeId": None}


async def test_what_cannot_be_exported_is_refused(hub: Hub, caller: Caller) -> None:
    stranger = await hub.new_caller()
    theirs = await new_store(hub.database, stranger.tenant.id)
    poor = await hub.new_caller(permissions=("stores:read",), tenant=caller.tenant)
    for path, asked, status in (
        ("users", {}, 422),
        ("customers", {"format": "xml"}, 422),
        ("customers", {"wc_only": "perhaps"}, 422),
        ("customers", {"storeId": theirs}, 404),
        ("customers", {"storeId": 10**12}, 404),
    ):
        answer = await caller.get(f"{EXPORT}/{path}", params=asked)
        assert (path, asked, answer.status_code) == (path, asked, status)
        assert answer.headers["content-type"] == "application/problem+json"
    assert (await poor.get(f"{EXPORT}/customers")).status_code == 403
    assert (await hub.http.get(f"{EXPORT}/customers")).status_code == 401
    assert (await exported(caller, "customers")) == []
    assert (await caller.get(f"{EXPORT}/customers", params={"format": "ndjson"})).content == b""


@pytest.mark.parametrize("form", ["json", "csv", "ndjson"])
async def test_an_export_that_fails_midway_breaks_off(hub: Hub, caller: Caller, form: str) -> None:
    await hub.execute(caller.tenant, PEOPLE, owner=caller.tenant.id)
    # Traces are not rendered: they would take seconds.
    with capture_logs() as logs:
        await break_off(hub, caller, form)
    assert "request_failed" in {one["event"] for one in logs}


async def break_off(hub: Hub, caller: Caller, form: str) -> None:
    async with served(hub) as url, httpx.AsyncClient(base_url=url) as http:
        path = f"{EXPORT}/customers?format={form}"
        async with http.stream("GET", path, headers=caller.headers) as answer:
            assert answer.status_code == 200
            parts = answer.aiter_raw()
            assert await anext(parts)
            # The database fails: the table is gone under the export's feet.
            async with hub.owner.lookup() as connection:
                await connection.exec_driver_sql("alter table customers rename to elsewhere")
            try:
                with pytest.raises(httpx.RemoteProtocolError):
                    await drain(parts)
            finally:
                async with hub.owner.lookup() as connection:
                    await connection.exec_driver_sql("alter table elsewhere rename to customers")


async def test_a_failure_before_the_first_byte_is_a_problem(hub: Hub, caller: Caller) -> None:
    async with hub.owner.lookup() as connection:
        await connection.exec_driver_sql("alter table customers rename to elsewhere")
    try:
        with capture_logs():
            answer = await caller.get(f"{EXPORT}/customers")
    finally:
        async with hub.owner.lookup() as connection:
            await connection.exec_driver_sql("alter table elsewhere rename to customers")
    assert answer.status_code == 500
    assert answer.headers["content-type"] == "application/problem+json"


async def test_a_slow_client_holds_nothing_and_one_that_leaves_frees_all(
    hub: Hub, caller: Caller
) -> None:
    await hub.execute(caller.tenant, PEOPLE, owner=caller.tenant.id)
    async with served(hub) as url, httpx.AsyncClient(base_url=url) as http:
        before = tasks()
        async with http.stream("GET", f"{EXPORT}/customers", headers=caller.headers) as answer:
            parts = answer.aiter_raw()
            assert await anext(parts)
            await until(lambda: hub.database.connections_in_use == 0)
            assert tasks() - before
        await until(lambda: not tasks() - before)
        assert hub.database.connections_in_use == 0


async def test_reading_that_is_stopped_as_a_copy_begins_leaves_no_broken_connection(
    hub: Hub, caller: Caller, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    await stocked(hub, caller)
    begun: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
    copy = ExportReader._copy

    async def noted(self: ExportReader, driver: Any, *rest: Any, **named: Any) -> bytes:
        begun.set_result(driver)
        return await copy(self, driver, *rest, **named)

    monkeypatch.setattr(ExportReader, "_copy", noted)
    wanted = ExportRequest(ExportKind.CUSTOMERS, ExportFormat.JSON, ())
    reading = asyncio.create_task(ExportReader(hub.database, caller.tenant.id, wanted).read())
    driver = await begun
    # The loop stands still until the server's answer is there, so the task has not seen it.
    assert select.select([driver.fileno()], [], [], 10)[0]
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading
    assert [one.getMessage() for one in caplog.records if one.levelno >= logging.WARNING] == []
    assert (hub.database.connections_in_use, driver.closed) == (0, True)


async def drain(parts: AsyncIterator[bytes]) -> None:
    async for _ in parts:
        pass


def tasks() -> set[str]:
    return {
        repr(one.get_coro()) for one in asyncio.all_tasks() if one is not asyncio.current_task()
    }


async def until(holds: Any) -> None:
    async with asyncio.timeout(10):
        while True:
            if holds():
                return
            await asyncio.sleep(0.01)
