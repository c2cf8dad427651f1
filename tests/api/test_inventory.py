"""Warehouses, and movements of stock."""

import asyncio
from typing import Any

import pytest

from domain.entities import Entity
from tests.api.hub import Caller, Hub, connect
from tests.api.samples import only, sale, stock
from tests.api.test_idempotency import KEY
from tests.api.test_record_writes import changes, due, made, wants_all


async def variant(caller: Caller, quantity: int = 10, sku: str = "") -> int:
    """A new variant with stock; its id."""
    product = await made(caller, "products", variants=[{"sku": sku, "quantity": quantity}])
    return int(product["variants"][0]["id"])


async def main_warehouse(caller: Caller) -> int:
    listed = (await caller.get("/api/warehouses")).json()["data"]
    return int(next(one["id"] for one in listed if one["isDefault"]))


async def new_warehouse(caller: Caller, **body: Any) -> dict[str, Any]:
    answer = await caller.post("/api/warehouses", json={"name": "Colombo", **body})
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


async def move(caller: Caller, **body: Any) -> Any:
    return await caller.post("/api/inventory/movements", json=body)


async def levels(caller: Caller, variant_id: int) -> dict[int, tuple[str, str, str]]:
    answer = await caller.get("/api/inventory/levels", params={"variantId": variant_id})
    return {
        one["warehouseId"]: (one["onHand"], one["reserved"], one["available"])
        for one in answer.json()["data"]
    }


async def hold(hub: Hub, caller: Caller, variant_id: int, quantity: int) -> None:
    """Some order has reserved this."""
    await hub.execute(
        caller.tenant,
        "update inventory_levels set reserved = :quantity where variant_id = :variant",
        quantity=quantity,
        variant=variant_id,
    )


async def test_stock_is_moved_and_explained(hub: Hub, caller: Caller) -> None:
    store_id = await stock(hub, caller)
    await wants_all(hub, caller)
    product = await only(caller, "products")
    tea = product["variants"][0]["id"]
    place = await main_warehouse(caller)
    answer = await move(caller, variantId=tea, quantity="2.5", kind="receipt", note="delivery 12")
    (movement,) = answer.json()["data"]
    assert answer.status_code == 201
    assert {name: movement[name] for name in ("kind", "quantity", "balance", "note")} == {
        "kind": "receipt",
        "quantity": "2.5",
        "balance": "16.5",
        "note": "delivery 12",
    }
    assert await levels(caller, tea) == {place: ("16.5", "2", "14.5")}
    assert (await changes(hub, caller))[-1] == ("inventory", "updated")
    assert await due(hub, caller) == [("inventory", tea)]
    assert [store for _, _, store in hub.waker.woken] == [store_id]
    listed = (await caller.get("/api/inventory/movements", params={"variantId": tea})).json()
    assert [one["kind"] for one in listed["data"]] == ["receipt", "opening"]


async def test_nothing_goes_that_is_not_there_or_is_reserved(hub: Hub, caller: Caller) -> None:
    tea = await variant(caller, 10)
    await hold(hub, caller, tea, 4)
    place = await main_warehouse(caller)
    answer = await move(caller, variantId=tea, quantity=-7, kind="adjustment")
    assert answer.status_code == 409
    assert f"variant {tea} has 6 to give, 7 are wanted" in answer.json()["detail"]
    assert await levels(caller, tea) == {place: ("10", "4", "6")}
    assert (await move(caller, variantId=tea, quantity=-6, kind="adjustment")).status_code == 201
    assert await levels(caller, tea) == {place: ("4", "4", "0")}


async def test_a_transfer_moves_both_sides_or_none(caller: Caller) -> None:
    tea = await variant(caller, 10)
    here, there = await main_warehouse(caller), (await new_warehouse(caller))["id"]
    moved = await move(caller, variantId=tea, quantity=4, kind="transfer", toWarehouseId=there)
    assert [(one["warehouseId"], one["quantity"]) for one in moved.json()["data"]] == [
        (here, "-4"),
        (there, "4"),
    ]
    assert await levels(caller, tea) == {here: ("6", "0", "6"), there: ("4", "0", "4")}
    refused = await move(
        caller, variantId=tea, quantity=5, kind="transfer", warehouseId=there, toWarehouseId=here
    )
    assert refused.status_code == 409
    assert await levels(caller, tea) == {here: ("6", "0", "6"), there: ("4", "0", "4")}


async def test_movements_at_once_take_no_more_than_there_is(caller: Caller) -> None:
    tea = await variant(caller, 5)
    answers = await asyncio.gather(
        *(move(caller, variantId=tea, quantity=-2, kind="adjustment") for _ in range(4))
    )
    assert sorted(answer.status_code for answer in answers) == [201, 201, 409, 409]
    assert list((await levels(caller, tea)).values()) == [("1", "0", "1")]


@pytest.mark.parametrize(
    ("changed", "status"),
    [
        ({"quantity": 0}, 422),
        ({"quantity": "0.00001"}, 422),
        ({"quantity": "NaN"}, 422),
        ({"quantity": -1}, 422),
        ({"kind": "opening"}, 422),
        ({"kind": "damage"}, 422),
        ({"kind": "transfer"}, 422),
        ({"toWarehouseId": 1}, 422),
        ({"variantId": 999_999}, 404),
        ({"warehouseId": 999_999}, 404),
    ],
)
async def test_a_bad_movement_is_refused(
    caller: Caller, changed: dict[str, Any], status: int
) -> None:
    tea = await variant(caller)
    body = {"variantId": tea, "quantity": 1, "kind": "receipt"}
    assert (await move(caller, **(body | changed))).status_code == status


async def test_stock_that_nobody_counts_is_not_moved(caller: Caller) -> None:
    product = await made(caller, "products")
    answer = await move(caller, variantId=product["variants"][0]["id"], quantity=1, kind="receipt")
    assert answer.status_code == 409
    assert "tracksStock" in answer.json()["detail"]


async def test_what_comes_in_goes_to_an_oversold_order_first(hub: Hub, caller: Caller) -> None:
    store_id = await stock(hub, caller)
    tea = (await only(caller, "products"))["variants"][0]["id"]
    await move(caller, variantId=tea, quantity=-12, kind="adjustment")
    await hub.take_in(caller.tenant, store_id, Entity.ORDERS, sale("1043"))
    oversold = "select number, oversold from orders order by number"
    assert await hub.execute(caller.tenant, oversold) == [("1042", False), ("1043", True)]
    await move(caller, variantId=tea, quantity=1, kind="receipt")
    assert list((await levels(caller, tea)).values()) == [("3", "2", "1")]
    await move(caller, variantId=tea, quantity=5, kind="receipt")
    assert list((await levels(caller, tea)).values()) == [("8", "4", "4")]
    assert await hub.execute(caller.tenant, oversold) == [("1042", False), ("1043", False)]
    assert await hub.execute(caller.tenant, "select status from alerts") == [("resolved",)]


async def test_levels_and_movements_are_paged(caller: Caller) -> None:
    ids = [await variant(caller, number + 1) for number in range(5)]
    seen: list[int] = []
    cursor: dict[str, str] = {}
    while True:
        page = (await caller.get("/api/inventory/levels", params={"limit": 2, **cursor})).json()
        seen += [one["variantId"] for one in page["data"]]
        if page["nextCursor"] is None:
            break
        cursor = {"cursor": page["nextCursor"]}
    assert seen == ids
    page = (await caller.get("/api/inventory/movements", params={"limit": 3})).json()
    rest = await caller.get("/api/inventory/movements", params={"cursor": page["nextCursor"]})
    told = [one["variantId"] for one in (*page["data"], *rest.json()["data"])]
    assert told == ids[::-1]


async def test_one_warehouse_is_the_default(caller: Caller) -> None:
    first = await main_warehouse(caller)
    second = await new_warehouse(caller, code="CMB")
    assert (second["isDefault"], second["isActive"], second["code"]) == (False, True, "CMB")
    path = f"/api/warehouses/{second['id']}"
    assert (await caller.patch(path, json={"isDefault": True})).json()["isDefault"] is True
    listed = (await caller.get("/api/warehouses")).json()["data"]
    assert [(one["id"], one["isDefault"]) for one in listed] == [
        (first, False),
        (second["id"], True),
    ]
    for body in ({"isDefault": False}, {"isActive": False}):
        assert (await caller.patch(path, json=body)).status_code == 409
    assert (
        await caller.post("/api/warehouses", json={"name": "x", "code": "CMB"})
    ).status_code == 409


async def test_only_an_empty_warehouse_is_switched_off(caller: Caller) -> None:
    tea = await variant(caller, 10)
    other = await new_warehouse(caller)
    path = f"/api/warehouses/{other['id']}"
    there = {"variantId": tea, "kind": "transfer"}
    await move(caller, quantity=4, toWarehouseId=other["id"], **there)
    refused = await caller.patch(path, json={"isActive": False})
    assert (refused.status_code, "transfer" in refused.json()["detail"]) == (409, True)
    await move(
        caller,
        quantity=4,
        warehouseId=other["id"],
        toWarehouseId=await main_warehouse(caller),
        **there,
    )
    assert (await caller.patch(path, json={"isActive": False})).json()["isActive"] is False
    refused = await move(caller, quantity=1, toWarehouseId=other["id"], **there)
    assert refused.status_code == 404


async def test_a_key_moves_stock_once(hub: Hub, caller: Caller) -> None:
    await connect(caller)
    tea = await variant(caller, 10)
    body = {"variantId": tea, "quantity": 5, "kind": "receipt"}
    for _ in range(2):
        answer = await caller.post(
            "/api/inventory/movements", json=body, headers={"Idempotency-Key": "k"}
        )
        assert answer.status_code == 201
    assert list((await levels(caller, tea)).values()) == [("15", "0", "15")]


async def test_who_dies_right_after_a_movement_has_made_it_for_good(
    hub: Hub, caller: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    await stock(hub, caller)
    await wants_all(hub, caller)
    tea = (await only(caller, "products"))["variants"][0]["id"]
    body = {"variantId": tea, "quantity": "3", "kind": "receipt", "note": "delivery 77"}

    async def die(*_: object) -> None:
        raise MemoryError

    with monkeypatch.context() as patch:
        patch.setattr(type(hub.waker), "wake", die)
        first = await caller.post("/api/inventory/movements", json=body, headers=KEY)
    second = await caller.post("/api/inventory/movements", json=body, headers=KEY)
    assert (first.status_code, second.status_code) == (500, 201)
    assert second.headers["idempotency-replayed"] == "true"
    listed = (await caller.get("/api/inventory/movements", params={"variantId": tea})).json()
    assert [one["note"] for one in listed["data"]].count("delivery 77") == 1
