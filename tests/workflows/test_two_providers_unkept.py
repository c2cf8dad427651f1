"""What EasyOrder has no place for: it is told to WooCommerce alone, and never blanked."""

import pytest

from tests.workflows.teas import tea, woo_variants
from tests.workflows.two_stores import CURRENCY, Pair

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_what_easyorder_cannot_keep_is_not_told_to_it(pair: Pair) -> None:
    drinks = await pair.post("/api/categories", {"name": "Drinks", "description": "All drinks"})
    made = await pair.post("/api/products", tea())
    await pair.settled()
    pair.forget_requests()

    path = f"/api/products/{made['id']}"
    sizes = [{"id": one["id"], "barcode": "5", "weight": "9"} for one in made["variants"]]
    changes = {"tags": ["green"], "shortDescription": "Shorter", "variants": sizes}
    await pair.patch(path, changes)
    await pair.patch(f"/api/categories/{drinks['id']}", {"description": "None"})
    await pair.settled()
    assert pair.easy_writes() == []
    [woo] = pair.woo_rows("products")
    assert [one["name"] for one in woo["tags"]] == ["green"]
    await pair.patch(path, {"title": "Green tea"})
    await pair.settled()
    assert len(pair.easy_writes()) == 1
    assert await pair.rows("select entity, status from pushes") == []


async def test_easyorders_word_never_blanks_what_it_cannot_keep(pair: Pair) -> None:
    shop = pair.woo.shop
    drinks = await pair.post(
        "/api/categories", {"name": "Drinks", "slug": "drinks", "description": "All drinks"}
    )
    made = await pair.post("/api/products", tea())
    cup = await pair.post(
        "/api/products",
        {
            "title": "Cup",
            "currency": CURRENCY,
            "tags": ["clay"],
            "variants": [{"sku": "CUP", "price": "5", "weight": "1", "barcode": "77"}],
        },
    )
    await pair.settled()
    kept = {one["id"]: await pair.kept(one["id"]) for one in (made, cup)}
    # Its word, in every way it can be taken: an edit, an edit on both sides, with force.
    for row in pair.easy_rows("products"):
        pair.easy.store.update("products", row["id"], {"name": f"{row['name']} of easy"})
    pair.easy.store.update("categories", pair.easy_rows("categories")[0]["id"], {"position": 4})
    await pair.sync(pair.easy_id)
    await pair.settled()
    titles = sorted(row["name"] for row in pair.woo_rows("products"))
    assert titles == ["Cup of easy", "Tea of easy"]
    assert {key: await pair.kept(key) for key in kept} == kept

    await pair.sync(pair.easy_id, force=True)
    await pair.settled()
    assert {key: await pair.kept(key) for key in kept} == kept
    shown = await pair.get(f"/api/categories/{drinks['id']}")
    assert (shown["description"], shown["position"]) == ("All drinks", 4)
    [tea_row] = [row for row in pair.woo_rows("products") if row["name"].startswith("Tea")]
    assert [one["name"] for one in tea_row["tags"]] == ["black"]
    assert "In short" in tea_row["short_description"]
    assert {row["weight"] for row in woo_variants(pair).values()} == {"0.25"}
    assert shop.document("categories", pair.woo_rows("categories")[-1]["id"])["description"]


async def test_a_first_meeting_blanks_nothing(pair: Pair) -> None:
    """EasyOrder turns out to have what the hub knows already: its word counts where it has one."""
    await pair.patch(f"/api/stores/{pair.easy_id}", {"syncDirections": {"products": "pull"}})
    cup = {"sku": "CUP", "price": "5", "weight": "1", "barcode": "77", "inStock": False}
    made = await pair.post(
        "/api/products",
        {"title": "Cup", "currency": CURRENCY, "tags": ["clay"], "variants": [cup]},
    )
    await pair.settled()
    assert pair.easy_rows("products") == []
    kept = await pair.kept(made["id"])
    theirs = {"name": "Cup of easy", "sku": "CUP", "price": 6}
    pair.easy.store.create("products", theirs)
    await pair.sync(pair.easy_id, "products")
    await pair.settled()
    shown = await pair.get(f"/api/products/{made['id']}")
    assert (shown["title"], shown["variants"][0]["price"]) == ("Cup of easy", "6.00")
    assert await pair.kept(made["id"]) == kept
    [woo] = pair.woo_rows("products")
    assert (woo["name"], woo["weight"], [one["name"] for one in woo["tags"]]) == (
        *("Cup of easy", "1"),
        ["clay"],
    )

    pair.forget_requests()
    await pair.patch(f"/api/stores/{pair.easy_id}", {"syncDirections": {"products": "both"}})
    await pair.settled()
    await pair.sync(pair.easy_id, "products", force=True)
    await pair.settled()
    assert pair.easy_writes() == []
    assert await pair.kept(made["id"]) == kept
    assert await pair.rows("select count(*) from products") == [(1,)]
