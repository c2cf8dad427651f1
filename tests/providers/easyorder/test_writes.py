import json
from decimal import Decimal

import httpx
import pytest

from domain.entities import Entity
from domain.errors import PermissionDeniedError, StoreSuspendedError, StoreUnavailableError
from domain.pushing import Outcome
from domain.records import Category, Customer, Order, Product
from domain.statuses import OrderStatus, ProductStatus
from tests.providers.easyorder.pushes import NEW, VARIABLE, held, push, written
from tests.providers.easyorder.stores import faked, visiting
from tests.providers.fake_store import json_answer


@pytest.mark.parametrize("answers_writes", [True, False])
async def test_new_product_is_created_and_read_back(answers_writes: bool) -> None:
    async with visiting(answers_writes=answers_writes) as visit:
        done = await push(visit.client(), Entity.PRODUCTS, record=NEW)

        assert done.outcome is Outcome.DONE
        row = visit.store.get("products", str(done.external_id))
        assert (row["price"], row["sale_price"], row["sku"]) == (175, 149.95, "LAMP-1")
        assert (row["thumb"], row["images"]) == (NEW.images[0].src, [NEW.images[1].src])
        assert (row["taager_code"], row["hidden"], row["track_stock"]) == (
            *("products-1", False),
            True,
        )
        assert done.pulled == await held(visit.client(), Entity.PRODUCTS, row["id"])
        assert done.pulled.record.model_dump()["extra"]["hub_ref"] == "products-1"
        assert len(visit.rows("products")) == 13


async def test_product_with_variants_goes_whole_in_one_body() -> None:
    async with visiting() as visit:
        done = await push(visit.client(), Entity.PRODUCTS, record=VARIABLE)

        assert done.outcome is Outcome.DONE
        assert done.pulled is not None
        product = done.pulled.record
        assert isinstance(product, Product)
        assert product.slug == "products-1"
        assert product.options == VARIABLE.options
        assert [one.sku for one in product.variants] == ["SHIRT-S", "SHIRT-M"]
        assert [one.option_values for one in product.variants] == [{"Size": "S"}, {"Size": "M"}]
        assert len(written(visit)) == 1


async def test_update_sends_only_what_changed() -> None:
    async with visiting() as visit:
        row = visit.simple()
        base = (await held(visit.client(), Entity.PRODUCTS, row["id"])).record
        changed = base.model_copy(update={"title": "Other"})

        done = await push(
            visit.client(), Entity.PRODUCTS, external_id=row["id"], record=changed, base=base
        )

        assert (done.outcome, written(visit)) == (Outcome.DONE, [f"PATCH /products/{row['id']}"])
        assert done.pulled is not None
        assert done.pulled.record == changed


async def test_nothing_to_say_sends_nothing() -> None:
    async with visiting() as visit:
        row = visit.with_variants()
        base = (await held(visit.client(), Entity.PRODUCTS, row["id"])).record

        done = await push(
            visit.client(), Entity.PRODUCTS, external_id=row["id"], record=base, base=base
        )

        assert (done.outcome, written(visit)) == (Outcome.DONE, [])


async def test_held_fields_are_not_sent() -> None:
    async with visiting() as visit:
        row = visit.simple()
        base = (await held(visit.client(), Entity.PRODUCTS, row["id"])).record
        assert isinstance(base, Product)
        dearer = base.variants[0].model_copy(update={"price": Decimal(1), "sku": "NEW-SKU"})
        changed = base.model_copy(update={"title": "Other", "variants": (dearer,)})

        await push(
            visit.client(),
            Entity.PRODUCTS,
            external_id=row["id"],
            record=changed,
            base=base,
            held=frozenset(("title", f"variants.{row['id']}.price")),
        )

        now = visit.store.get("products", row["id"])
        assert (now["name"], now["price"], now["sku"]) == (row["name"], row["price"], "NEW-SKU")


@pytest.mark.parametrize("replaces", [True, False])
async def test_variants_go_with_an_update_exactly_as_the_store_writes_them(replaces: bool) -> None:
    async with visiting(replaces_variants=replaces) as visit:
        row = visit.with_variants()
        texts = [one["variation_props"] for one in row["variants"]]
        quantities = [one["quantity"] for one in row["variants"]]
        base = (await held(visit.client(), Entity.PRODUCTS, row["id"])).record
        assert isinstance(base, Product)
        first = base.variants[0].model_copy(update={"price": Decimal("12.5")})
        changed = base.model_copy(update={"variants": (first, *base.variants[1:])})

        done = await push(
            visit.client(), Entity.PRODUCTS, external_id=row["id"], record=changed, base=base
        )

        now = visit.store.get("products", row["id"])
        assert done.outcome is Outcome.DONE
        assert [one["variation_props"] for one in now["variants"]] == texts
        assert [one["quantity"] for one in now["variants"]] == quantities
        assert now["variants"][0]["price"] == 12.5
        assert texts[0][0]["variation_prop"] == "أبيض "
        assert isinstance(done.pulled and done.pulled.record, Product)


async def test_variants_stay_home_where_that_is_switched_off() -> None:
    async with visiting() as visit:
        row = visit.with_variants()
        base = (await held(visit.client(), Entity.PRODUCTS, row["id"])).record
        assert isinstance(base, Product)
        first = base.variants[0].model_copy(update={"price": Decimal("12.5")})
        changed = base.model_copy(update={"variants": (first, *base.variants[1:])})

        done = await push(
            visit.client(variantsOnUpdate=False),
            Entity.PRODUCTS,
            external_id=row["id"],
            record=changed,
            base=base,
        )

        assert done.outcome is Outcome.UNSUPPORTED
        assert "switched off" in done.reason
        assert written(visit) == []


async def test_taking_off_sale_hides() -> None:
    async with visiting() as visit:
        product, category = visit.simple(), visit.rows("categories")[0]

        hidden = await push(visit.client(), Entity.PRODUCTS, external_id=product["id"], record=None)
        await push(visit.client(), Entity.CATEGORIES, external_id=category["id"], record=None)
        never = await push(visit.client(), Entity.PRODUCTS, record=None)

        assert hidden.pulled is not None
        assert isinstance(hidden.pulled.record, Product)
        assert hidden.pulled.record.status is ProductStatus.HIDDEN
        assert visit.store.get("categories", category["id"])["hidden"] is True
        assert never.outcome is Outcome.DONE


async def test_category_is_created_below_its_parent_and_updated() -> None:
    async with visiting() as visit:
        parent = visit.rows("categories")[0]["id"]
        record = Category(name="Lamps", slug="lamps", parent_external_id=parent)
        created = await push(visit.client(), Entity.CATEGORIES, record=record)
        renamed = record.model_copy(update={"name": "Lights"})
        updated = await push(
            visit.client(),
            Entity.CATEGORIES,
            external_id=created.external_id,
            record=renamed,
            base=record,
        )

        assert updated.pulled is not None
        assert isinstance(updated.pulled.record, Category)
        assert updated.pulled.record.name == "Lights"
        assert updated.pulled.record.parent_external_id == parent
        assert len(visit.rows("categories")) == 5


async def test_what_the_store_cannot_do_is_said() -> None:
    async with visiting() as visit:
        client = visit.client()
        customer = await push(client, Entity.CUSTOMERS, record=Customer(email="a@b.example"))
        order = Order(number="1", status=OrderStatus.PENDING, currency="EGP", total=Decimal(1))
        created = await push(client, Entity.ORDERS, record=order)
        deleted = await push(client, Entity.ORDERS, external_id="x", record=None)
        waiting = await push(
            client,
            Entity.ORDERS,
            external_id="x",
            record=order.model_copy(update={"status": OrderStatus.ON_HOLD}),
        )

        told = (customer, created, deleted, waiting)
        assert {one.outcome for one in told} == {Outcome.UNSUPPORTED}
        assert all(one.reason for one in told)
        assert visit.asked == []


async def test_refusal_is_one_records_and_missing_is_told() -> None:
    async with visiting() as visit:
        taken = NEW.model_copy(update={"slug": visit.simple()["slug"]})
        free = NEW.model_copy(
            update={"variants": (NEW.variants[0].model_copy(update={"price": None}),)}
        )

        refused = await push(visit.client(), Entity.PRODUCTS, record=taken)
        priceless = await push(visit.client(), Entity.PRODUCTS, record=free)
        missing = await push(
            visit.client(), Entity.PRODUCTS, external_id="gone", record=NEW, base=None
        )

        assert (refused.outcome, refused.is_permanent) == (Outcome.REFUSED, True)
        assert "slug already exists" in refused.reason
        assert (priceless.outcome, priceless.is_permanent) == (Outcome.REFUSED, True)
        assert missing.outcome is Outcome.MISSING


async def test_failure_of_the_store_is_no_records_failure() -> None:
    async with visiting() as visit:
        visit.box.permissions = frozenset(("products:read",))
        with pytest.raises(PermissionDeniedError):
            await push(visit.client(), Entity.PRODUCTS, record=NEW)
        visit.box.permissions = None
        visit.store.behaviour.is_active = False
        with pytest.raises(StoreSuspendedError):
            await push(visit.client(), Entity.PRODUCTS, record=NEW)


async def test_create_whose_answer_tells_nothing_and_is_not_found_is_tried_again() -> None:
    def answering(request: httpx.Request) -> httpx.Response:
        return json_answer({} if request.method == "POST" else [])

    client, _ = faked(answering)

    with pytest.raises(StoreUnavailableError, match="tells no id"):
        await push(client, Entity.PRODUCTS, record=NEW)


async def test_amount_that_json_cannot_carry_is_refused() -> None:
    async with visiting() as visit:
        many = Decimal("99999999999999.9999")
        dear = NEW.model_copy(
            update={
                "variants": (
                    NEW.variants[0].model_copy(update={"price": many, "compare_at_price": None}),
                )
            }
        )

        refused = await push(visit.client(), Entity.PRODUCTS, record=dear)

        assert refused.outcome is Outcome.REFUSED
        assert "too many digits" in refused.reason
        assert json.dumps(visit.asked) == "[]"
