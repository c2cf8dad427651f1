"""Products that are written in the hub, with variants and opening stock."""

import asyncio
from typing import Any

import pytest

from tests.api.hub import Caller, Hub, connect
from tests.api.samples import only, stock
from tests.api.test_record_writes import changes, due, made, wants_all

TWO = [
    {"sku": "TEA-1", "price": "1250.50", "optionValues": {"Size": "100 g"}, "quantity": "14"},
    {"sku": "TEA-2", "price": "9900", "optionValues": {"Size": "1 kg"}},
]


async def patched(caller: Caller, product: dict[str, Any], **body: Any) -> dict[str, Any]:
    answer = await caller.patch(f"/api/products/{product['id']}", json=body)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


async def test_a_product_with_variants(hub: Hub, caller: Caller) -> None:
    category = await made(caller, "categories")
    product = await made(
        caller,
        "products",
        categoryIds=[category["id"]],
        tags=["black"],
        images=[{"src": "https://cdn.example/tea.jpg", "alt": "Tea"}],
        variants=TWO,
    )
    assert (product["kind"], product["slug"], product["status"]) == ("variable", "tea", "active")
    assert product["categoryIds"] == [category["id"]]
    assert product["options"] == [{"name": "Size", "values": ["100 g", "1 kg"]}]
    first, second = product["variants"]
    assert (first["sku"], first["price"], first["currency"]) == ("TEA-1", "1250.50", "LKR")
    assert (first["tracksStock"], first["onHand"], first["available"]) == (True, "14", "14")
    assert (second["tracksStock"], second["onHand"], second["inStock"]) == (False, None, True)
    assert (first["position"], second["position"]) == (1, 2)
    assert await changes(hub, caller) == [
        ("categories", "created"),
        ("inventory", "updated"),
        ("products", "created"),
    ]
    ledger = (await caller.get("/api/inventory/movements")).json()["data"]
    assert [(one["kind"], one["quantity"]) for one in ledger] == [("opening", "14")]


async def test_the_currency_is_the_stores_where_they_agree(hub: Hub, caller: Caller) -> None:
    refused = await caller.post("/api/products", json={"title": "Tea"})
    assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, "/currency")
    await connect(caller)
    await hub.execute(caller.tenant, """update stores set facts = '{"currency": "OMR"}'""")
    answer = await caller.post(
        "/api/products", json={"title": "Tea", "variants": [{"price": "1.5"}]}
    )
    assert answer.json()["variants"][0]["price"] == "1.500"


async def test_variants_are_changed_added_and_removed(hub: Hub, caller: Caller) -> None:
    product = await made(caller, "products", variants=TWO)
    first, second = product["variants"]
    changed = await patched(
        caller,
        product,
        title="Fine tea",
        variants=[
            {"id": first["id"], "price": "1100", "compareAtPrice": "1250.50"},
            {"id": second["id"], "remove": True},
            {"sku": "TEA-3", "price": "5000", "quantity": "3"},
        ],
    )
    assert (changed["title"], changed["kind"]) == ("Fine tea", "variable")
    one, three = changed["variants"]
    assert (one["id"], one["price"], one["sku"], one["onHand"]) == (
        first["id"],
        "1100.00",
        "TEA-1",
        "14",
    )
    assert (three["sku"], three["onHand"], three["position"]) == ("TEA-3", "3", 3)
    assert (await changes(hub, caller))[2:] == [
        ("inventory", "updated"),
        ("products", "updated"),
        ("variants", "deleted"),
    ]


async def test_stock_that_is_tracked_no_longer_is_withdrawn_and_opened_again(
    hub: Hub, caller: Caller
) -> None:
    product = await made(caller, "products", variants=TWO[:1])
    (variant,) = product["variants"]
    untracked = await patched(
        caller, product, variants=[{"id": variant["id"], "tracksStock": False}]
    )
    assert untracked["variants"][0]["onHand"] is None
    assert (await caller.get("/api/inventory/levels")).json()["data"] == []
    again = await patched(
        caller, product, variants=[{"id": variant["id"], "tracksStock": True, "quantity": 5}]
    )
    assert again["variants"][0]["onHand"] == "5"
    ledger = (await caller.get("/api/inventory/movements")).json()["data"]
    assert [(one["kind"], one["quantity"], one["balance"]) for one in ledger] == [
        ("opening", "5", "5"),
        ("withdrawal", "-14", "0"),
        ("opening", "14", "14"),
    ]


async def test_a_deleted_product_takes_its_stock_with_it(hub: Hub, caller: Caller) -> None:
    product = await made(caller, "products", variants=TWO)
    assert (await caller.delete(f"/api/products/{product['id']}")).status_code == 204
    assert (await caller.get("/api/inventory/levels")).json()["data"] == []
    assert (await changes(hub, caller))[2:] == [
        ("inventory", "deleted"),
        ("products", "deleted"),
        ("variants", "deleted"),
        ("variants", "deleted"),
    ]
    assert (await made(caller, "products", variants=TWO))["id"] != product["id"]


async def test_a_sku_stands_for_one_product(caller: Caller) -> None:
    await made(caller, "products", variants=TWO)
    other = await made(caller, "products", title="Coffee", variants=[{"sku": "COFFEE"}])
    doubled = await caller.post(
        "/api/products", json={"title": "x", "currency": "LKR"} | {"variants": [{"sku": "TEA-1"}]}
    )
    assert doubled.status_code == 409
    assert "TEA-1" in doubled.json()["detail"]
    path = f"/api/products/{other['id']}"
    taken = {"variants": [{"id": other["variants"][0]["id"], "sku": "TEA-2"}]}
    assert (await caller.patch(path, json=taken)).status_code == 409
    twice = {"variants": [{"sku": "COFFEE"}]}
    assert (await caller.patch(path, json=twice)).status_code == 409


async def test_of_two_that_make_the_same_sku_at_once_one_is_refused(caller: Caller) -> None:
    body = {"title": "Tea", "currency": "LKR", "variants": [{"sku": "TEA-1"}]}
    answers = await asyncio.gather(*(caller.post("/api/products", json=body) for _ in range(4)))
    assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409]


@pytest.mark.parametrize(
    ("changed", "pointer"),
    [
        ({"currency": "XXX"}, "/currency"),
        ({"currency": "lkr"}, "/currency"),
        ({"status": "unknown"}, "/status"),
        ({"categoryIds": [999_999]}, "/categoryIds"),
        ({"images": [{"src": "ftp://x"}]}, "/images/0/src"),
        ({"variants": []}, "/variants"),
        ({"variants": [{"price": 12.5}]}, "/variants/0/price"),
        ({"variants": [{"price": "-1"}]}, "/variants/0/price"),
        ({"variants": [{"price": "10", "compareAtPrice": "9"}]}, "/variants/0"),
        ({"variants": [{"quantity": -1}]}, "/variants/0/quantity"),
        ({"variants": [{"quantity": 1, "tracksStock": False}]}, "/variants/0"),
        ({"variants": [{"sku": "A"}, {"sku": "A"}]}, ""),
        ({"options": [{"name": "Size"}], "variants": [{"optionValues": {"Colour": "x"}}]}, ""),
    ],
)
async def test_a_bad_product_is_refused(
    caller: Caller, changed: dict[str, Any], pointer: str
) -> None:
    answer = await caller.post("/api/products", json={"title": "Tea", "currency": "LKR"} | changed)
    assert answer.status_code == 422, answer.text
    assert [one["pointer"] for one in answer.json()["errors"]] == [pointer]


async def test_a_variant_of_another_product_is_not_changed(caller: Caller) -> None:
    tea = await made(caller, "products", variants=TWO)
    other = await made(caller, "products", title="Coffee")
    answer = await caller.patch(
        f"/api/products/{other['id']}", json={"variants": [{"id": tea["variants"][0]["id"]}]}
    )
    assert answer.status_code == 404


async def test_the_last_variant_stays(caller: Caller) -> None:
    product = await made(caller, "products")
    removed = {"variants": [{"id": product["variants"][0]["id"], "remove": True}]}
    answer = await caller.patch(f"/api/products/{product['id']}", json=removed)
    assert answer.status_code == 409


async def test_stock_that_is_there_is_moved_and_not_opened(caller: Caller) -> None:
    product = await made(caller, "products", variants=TWO)
    for variant in product["variants"]:
        body = {"variants": [{"id": variant["id"], "quantity": 3}]}
        answer = await caller.patch(f"/api/products/{product['id']}", json=body)
        assert answer.status_code == 409
        assert "/api/inventory/movements" in answer.json()["detail"]


async def test_what_a_store_brought_is_changed_here_and_due_there(hub: Hub, caller: Caller) -> None:
    store_id = await stock(hub, caller)
    await wants_all(hub, caller)
    product = await only(caller, "products")
    picture = {"src": product["images"][0]["src"], "alt": "Tea"}
    changed = await patched(caller, product, title="Fine tea", images=[picture])
    assert changed["images"] == [{**picture, "name": "", "externalId": "9"}]
    assert await due(hub, caller) == [("products", product["id"])]
    differs = await hub.execute(
        caller.tenant, "select differs from links where entity = 'products'"
    )
    assert differs == [(True,)]
    assert changed["externalReferences"] == [{"storeId": store_id, "externalId": "4711"}]
