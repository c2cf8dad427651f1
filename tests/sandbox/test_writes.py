from typing import Any

import pytest

from sandbox.faults import ConnectionDroppedError, Rule
from sandbox.woocommerce.product_parts import paragraphs
from tests.sandbox.local import HOME, Local, local_shop


async def _post(local: Local, path: str, **data: Any) -> dict[str, Any]:
    answer = await local.ask("POST", path, json=data)
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


async def _code(local: Local, method: str, path: str, **data: Any) -> tuple[int, str, Any]:
    answer = await local.ask(method, path, json=data)
    body = answer.json()
    return answer.status_code, body["code"], body["data"].get("resource_id")


async def test_a_picture_is_fetched_anew_each_time_and_kept_by_its_id() -> None:
    async with local_shop() as local:
        source = {"src": "https://a.example/x/lamp.png", "alt": "Lamp"}
        made = await _post(local, "products", name="P", images=[source])
        (image,) = made["images"]
        assert image["src"] == f"{HOME}/wp-content/uploads/2026/11/lamp.png"
        assert image["alt"] == "Lamp"
        again = await local.ask(
            "PUT", f"products/{made['id']}", json={"images": [{"id": image["id"]}, source]}
        )
        first, second = again.json()["images"]
        assert first == image
        assert second["id"] != image["id"]
        assert second["src"].endswith("/lamp-1.png")
        # An attachment is the shop's, not the product's.
        other = await _post(local, "products", name="Q", images=[{"id": image["id"]}])
        assert other["images"] == [image]


@pytest.mark.parametrize(
    ("image", "code"),
    [
        ({"id": 987654}, "woocommerce_product_invalid_image_id"),
        ({"src": "https://gone.invalid/x.png"}, "woocommerce_product_image_upload_error"),
        ({"src": "no address"}, "woocommerce_product_image_upload_error"),
    ],
)
async def test_a_picture_that_is_none_refuses_the_product(image: dict[str, Any], code: str) -> None:
    async with local_shop() as local:
        before = len(local.shop.tables["products"])
        status, told, _ = await _code(local, "POST", "products", name="P", images=[image])
        assert (status, told) == (400, code)
        assert len(local.shop.tables["products"]) == before


async def test_terms_are_unique_below_their_parent_and_by_slug() -> None:
    async with local_shop() as local:
        top = await _post(local, "products/categories", name="Möbel")
        refused = await _code(local, "POST", "products/categories", name="Möbel")
        assert refused == (400, "term_exists", top["id"])
        below = await _post(local, "products/categories", name="Möbel", parent=top["id"])
        assert below["slug"] == f"{top['slug']}-2"
        # A slug of its own tells two of one name apart.
        other = await _post(local, "products/categories", name="Möbel", slug="andere")
        assert other["slug"] == "andere"
        taken = await _code(local, "POST", "products/categories", name="Möbel", slug="andere")
        assert taken[:2] == (400, "term_exists")


async def test_a_sku_is_unique_over_products_and_variations_and_finds_both() -> None:
    async with local_shop() as local:
        parent = local.first("variable")
        made = await _post(local, f"products/{parent}/variations", sku="ONE", regular_price="3")
        refused = await _code(local, "POST", "products", name="P", sku="ONE")
        assert refused == (400, "product_invalid_sku", made["id"])
        plain = await _post(local, "products", name="P", sku="TWO")
        found = await local.get("products", sku="ONE,TWO", status="any")
        assert {(row["id"], row["type"]) for row in found} == {
            (made["id"], "variation"),
            (plain["id"], "simple"),
        }
        assert next(row for row in found if row["id"] == made["id"])["parent_id"] == parent


async def test_meta_data_without_an_id_is_appended_again() -> None:
    async with local_shop() as local:
        entry = {"key": "_hub_ref", "value": "products-1"}
        made = await _post(local, "products", name="P", meta_data=[entry])
        (kept,) = made["meta_data"]
        path = f"products/{made['id']}"
        doubled = (await local.ask("PUT", path, json={"meta_data": [entry]})).json()
        assert [one["key"] for one in doubled["meta_data"]] == ["_hub_ref", "_hub_ref"]
        changed = {"id": kept["id"], "key": "_hub_ref", "value": "products-2"}
        updated = (await local.ask("PUT", path, json={"meta_data": [changed]})).json()
        assert [one["value"] for one in updated["meta_data"]] == ["products-2", "products-1"]


async def test_texts_are_answered_as_sent_and_shown_in_paragraphs() -> None:
    async with local_shop() as local:
        made = await _post(local, "products", name="P", description="a\nb\n\nc")
        assert made["description"] == "a\nb\n\nc"
        shown = await local.get(f"products/{made['id']}")
        assert shown["description"] == "<p>a<br />\nb</p>\n<p>c</p>\n"
        assert paragraphs(shown["description"]) == shown["description"]


async def test_attributes_are_the_shops_own_or_the_products() -> None:
    async with local_shop() as local:
        sent = [
            {"id": 1, "variation": True, "visible": True, "options": ["Red"]},
            {"name": "Stoff", "options": ["Leinen"]},
        ]
        made = await _post(local, "products", name="P", type="variable", attributes=sent)
        assert [(one["id"], one["name"], one["variation"]) for one in made["attributes"]] == [
            (1, "Color", True),
            (0, "Stoff", False),
        ]


async def test_variations_that_do_not_count_show_their_products_number() -> None:
    async with local_shop() as local:
        counted = {"manage_stock": True, "stock_quantity": 8}
        made = await _post(local, "products", name="P", type="variable", **counted)
        path = f"products/{made['id']}/variations"
        variation = await _post(local, path, regular_price="3", manage_stock=False)
        assert (variation["manage_stock"], variation["stock_quantity"]) == ("parent", 8)
        # Writing a number there changes nothing.
        one = f"{path}/{variation['id']}"
        same = (await local.ask("PUT", one, json={"stock_quantity": 3})).json()
        assert same["stock_quantity"] == 8
        line = {"product_id": made["id"], "variation_id": variation["id"], "quantity": 2}
        await _post(local, "orders", line_items=[line], set_paid=True)
        assert (await local.get(f"products/{made['id']}"))["stock_quantity"] == 6
        assert (await local.get(one))["stock_quantity"] == 6
        own = (await local.ask("PUT", one, json={"manage_stock": True, "stock_quantity": 1})).json()
        assert (own["manage_stock"], own["stock_quantity"]) == (True, 1)


async def test_an_e_mail_has_one_account() -> None:
    async with local_shop() as local:
        made = await _post(local, "customers", email="zoe@one.test")
        other = await _post(local, "customers", email="zoe@two.test")
        assert (made["username"], other["username"]) == ("zoe", "zoe1")
        told = await _code(local, "POST", "customers", email="ZOE@one.test")
        assert told[:2] == (400, "registration-error-email-exists")
        told = await _code(local, "PUT", f"customers/{other['id']}", email="zoe@one.test")
        assert told[:2] == (400, "woocommerce_rest_customer_invalid_email")
        assert [c["id"] for c in await local.get("customers", email="ZOE@ONE.test")] == [made["id"]]


async def test_a_write_may_be_done_and_its_answer_lost() -> None:
    async with local_shop() as local:
        local.box.faults.rules.append(Rule.read({"kind": "drop", "method": "POST", "count": 1}))
        before = len(local.shop.tables["products"])
        with pytest.raises(ConnectionDroppedError):
            await local.ask("POST", "products/batch", json={"create": [{"name": "P"}]})
        assert len(local.shop.tables["products"]) == before + 1
        assert (await local.get("products", per_page=1))[0]["name"] == "P"


async def test_a_write_may_never_arrive() -> None:
    async with local_shop() as local:
        local.box.faults.rules.append(Rule.read({"kind": "lost", "method": "POST", "count": 1}))
        before = len(local.shop.tables["products"])
        with pytest.raises(ConnectionDroppedError):
            await local.ask("POST", "products", json={"name": "P"})
        assert len(local.shop.tables["products"]) == before
        assert local.box.journal.log()[-1]["status"] == 0
        await _post(local, "products", name="P")


async def test_a_refused_item_leaves_the_others_of_its_batch() -> None:
    async with local_shop() as local:
        body = {
            "create": [{"name": "A", "sku": "S"}, {"name": "B", "sku": "S"}],
            "update": [{"id": 999_999, "name": "C"}],
        }
        answer = await local.ask("POST", "products/batch", json=body)
        made, refused = answer.json()["create"]
        (unknown,) = answer.json()["update"]

    assert answer.status_code == 200
    assert refused["id"] == 0
    assert refused["error"]["data"]["resource_id"] == made["id"]
    assert unknown["error"]["code"] == "woocommerce_rest_product_invalid_id"
    assert unknown["error"]["data"]["status"] == 400
