"""Invoices, which lower stock."""

import asyncio
from typing import Any

import pytest

from tests.api.hub import Caller, Hub
from tests.api.samples import only, stock
from tests.api.test_inventory import hold, levels, variant
from tests.api.test_record_writes import due, wants_all


async def book(caller: Caller, number: str, *lines: tuple[int, Any], **body: Any) -> Any:
    told = [{"variantId": one, "quantity": quantity} for one, quantity in lines]
    return await caller.post("/api/invoices", json={"number": number, "lines": told, **body})


async def test_an_invoice_lowers_stock_and_stores_are_told(hub: Hub, caller: Caller) -> None:
    await stock(hub, caller)
    await wants_all(hub, caller)
    tea = (await only(caller, "products"))["variants"][0]["id"]
    answer = await book(caller, "INV-1", (tea, "4"))
    assert answer.status_code == 201
    invoice = answer.json()
    assert (invoice["number"], invoice["lines"]) == ("INV-1", [{"variantId": tea, "quantity": "4"}])
    assert list((await levels(caller, tea)).values()) == [("10", "2", "8")]
    assert await due(hub, caller) == [("inventory", tea)]
    (entry, *_) = (await caller.get("/api/inventory/movements")).json()["data"]
    assert (entry["kind"], entry["quantity"], entry["note"]) == ("invoice", "-4", "invoice INV-1")
    assert (await caller.get(answer.headers["location"])).json() == invoice
    assert (await caller.get("/api/invoices")).json()["data"] == [invoice]


async def test_a_number_is_booked_once(caller: Caller) -> None:
    tea = await variant(caller, 10)
    answers = await asyncio.gather(*(book(caller, "INV-1", (tea, 4)) for _ in range(3)))
    assert [answer.status_code for answer in answers] == [201] * 3
    assert answers[0].json() == answers[1].json() == answers[2].json()
    assert list((await levels(caller, tea)).values()) == [("6", "0", "6")]
    for other in ({"lines": ((tea, 5),)}, {"lines": ((tea, 4),), "note": "x"}):
        lines = other.pop("lines")
        assert (await book(caller, "INV-1", *lines, **other)).status_code == 409  # type: ignore[arg-type]
    assert list((await levels(caller, tea)).values()) == [("6", "0", "6")]


async def test_an_invoice_is_booked_whole_or_not_at_all(hub: Hub, caller: Caller) -> None:
    tea, coffee, cocoa = [await variant(caller, number) for number in (10, 2, 5)]
    await hold(hub, caller, cocoa, 4)
    answer = await book(caller, "INV-1", (tea, 4), (coffee, 3), (cocoa, 2))
    assert answer.status_code == 409
    assert [(one["pointer"], one["detail"]) for one in answer.json()["errors"]] == [
        ("/lines/1", f"variant {coffee} has 2 to give, 3 are wanted"),
        ("/lines/2", f"variant {cocoa} has 1 to give, 2 are wanted"),
    ]
    assert (await caller.get("/api/invoices")).json()["data"] == []
    assert list((await levels(caller, tea)).values()) == [("10", "0", "10")]
    assert (await book(caller, "INV-1", (tea, 4), (coffee, 2))).status_code == 201


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"number": ""}, 422),
        ({"number": "x" * 65}, 422),
        ({"lines": []}, 422),
        ({"lines": [{"variantId": 1, "quantity": 0}]}, 422),
        ({"lines": [{"variantId": 1, "quantity": 1}] * 2}, 422),
        ({"lines": [{"variantId": 999_999, "quantity": 1}]}, 404),
        ({"warehouseId": 999_999}, 404),
    ],
)
async def test_a_bad_invoice_is_refused(caller: Caller, body: dict[str, Any], status: int) -> None:
    tea = await variant(caller)
    whole = {"number": "INV-1", "lines": [{"variantId": tea, "quantity": 1}]} | body
    assert (await caller.post("/api/invoices", json=whole)).status_code == status
