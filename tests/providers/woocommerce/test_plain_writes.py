from decimal import Decimal

import pytest

from domain.entities import Entity
from domain.pushing import Outcome, Outgoing, Wanted
from domain.records import Address, Category, Customer, Order
from domain.statuses import OrderStatus
from providers.woocommerce.plain_writes import order_word
from sandbox.faults import Rule
from tests.providers.woocommerce.visits import Visit, visit

BUYER = Customer(
    email="Mia@Example.test",
    first_name="Mia",
    last_name="Ä",
    phone="+49 30 1",
    billing=Address(first_name="Mia", city="Berlin", country="DE"),
    shipping=Address(city="Köln", country="DE"),
)


def order(status: OrderStatus, raw: str = "") -> Order:
    return Order(number="1", status=status, raw_status=raw, currency="EUR", total=Decimal(1))


async def test_categories_are_made_below_their_parent_and_changed_by_field() -> None:
    async with visit() as shop:
        (parent,) = await shop.push(
            Entity.CATEGORIES, Outgoing("categories-1", None, Category(name="Möbel & mehr"))
        )
        child = Category(
            name="Stühle",
            slug="stuehle",
            parent_external_id=parent.external_id,
            description="Zum Sitzen",
            position=3,
        )
        (made,) = await shop.push(Entity.CATEGORIES, Outgoing("categories-2", None, child))
        assert made.outcome is Outcome.DONE
        assert made.pulled is not None
        assert made.pulled.record == child
        shop.box.journal.clear()
        renamed = await shop.change(Entity.CATEGORIES, made.external_id or "", name="Sessel")
        document = shop.document("categories", made.external_id)
        assert (document["name"], document["slug"]) == ("Sessel", "stuehle")
        assert renamed.pulled is not None
        same = await shop.change(Entity.CATEGORIES, made.external_id or "", name="Sessel")
        assert same.outcome is Outcome.DONE
        assert shop.writes() == ["products/categories/batch"]


async def test_a_category_is_not_made_twice() -> None:
    async with visit() as shop:
        before = len(shop.box.shop.tables["categories"])
        shop.box.faults.rules.append(Rule.read({"kind": "drop", "method": "POST", "count": 1}))
        category = Category(name="Möbel", slug="moebel")
        item = Outgoing("categories-1", None, category)
        with pytest.raises(Exception, match="connection broke"):
            await shop.push(Entity.CATEGORIES, item)
        wanted = [
            Wanted("categories-1", Entity.CATEGORIES, slug="moebel", name="Möbel"),
            Wanted("categories-2", Entity.CATEGORIES, name="Möbel"),
            Wanted("categories-3", Entity.CATEGORIES, slug="m", name="M", parent_external_id="1"),
        ]
        found = await shop.client.find(wanted)
        assert set(found) == {"categories-1", "categories-2"}
        # Made all the same, the shop refuses it: found at the next try.
        (told,) = await shop.push(Entity.CATEGORIES, item)
        assert (told.outcome, told.is_permanent, told.external_id) == (Outcome.REFUSED, False, None)
        assert "term_exists" in told.reason
        assert len(shop.box.shop.tables["categories"]) == before + 1


async def test_a_slug_that_got_a_number_is_still_ours() -> None:
    async with visit() as shop:
        top = await shop.push(
            Entity.CATEGORIES, Outgoing("categories-1", None, Category(name="A", slug="x"))
        )
        below = Category(name="B", slug="x", parent_external_id=top[0].external_id)
        (made,) = await shop.push(Entity.CATEGORIES, Outgoing("categories-2", None, below))
        assert shop.document("categories", made.external_id)["slug"] == "x-2"
        wanted = Wanted(
            "categories-2",
            Entity.CATEGORIES,
            slug="x",
            name="B",
            parent_external_id=top[0].external_id,
        )
        other = Wanted(
            "categories-3",
            Entity.CATEGORIES,
            slug="y",
            name="B",
            parent_external_id=top[0].external_id,
        )
        found = await shop.client.find([wanted, other])

    assert {key: one.external_id for key, one in found.items()} == {
        "categories-2": made.external_id
    }


async def test_an_unknown_category_is_missing() -> None:
    async with visit() as shop:
        item = Outgoing("categories-1", "99999", Category(name="X"), base=Category(name="Y"))
        (told,) = await shop.push(Entity.CATEGORIES, item)

    assert told.outcome is Outcome.MISSING


@pytest.mark.parametrize("entity", [Entity.CATEGORIES, Entity.CUSTOMERS, Entity.ORDERS])
async def test_what_has_no_trash_is_not_deleted_and_says_so(entity: Entity) -> None:
    async with visit() as shop:
        number = shop.box.shop.tables[entity.value].ids()[2]
        (told,) = await shop.push(entity, Outgoing(f"{entity}-1", str(number), None))

        assert told.outcome is Outcome.UNSUPPORTED
        assert told.reason
        assert shop.writes() == []


async def test_a_customer_is_made_with_an_address_and_changed_by_member() -> None:
    async with visit() as shop:
        (made,) = await shop.push(Entity.CUSTOMERS, Outgoing("customers-1", None, BUYER))
        assert made.outcome is Outcome.DONE, made
        document = shop.document("customers", made.external_id)
        assert (document["email"], document["billing"]["phone"]) == (BUYER.email, BUYER.phone)
        assert document["shipping"]["city"] == "Köln"
        assert made.pulled is not None
        record = made.pulled.record
        assert isinstance(record, Customer)
        assert record.extra["hub_ref"] == "customers-1"
        assert (record.phone, record.shipping) == (BUYER.phone, BUYER.shipping)
        # The shop's own edit of another member of the address stays.
        shop.box.shop.edit(
            "customers", int(made.external_id or 0), {"billing": {"postcode": "10115"}}
        )
        moved = record.billing.model_copy(update={"city": "Bonn"})
        changed = record.model_copy(update={"billing": moved, "phone": "+49 228 2"})
        item = Outgoing("customers-1", made.external_id, changed, base=record)
        (told,) = await shop.push(Entity.CUSTOMERS, item)
        assert told.outcome is Outcome.DONE
        billing = shop.document("customers", made.external_id)["billing"]
        assert (billing["city"], billing["postcode"], billing["phone"]) == (
            "Bonn",
            "10115",
            "+49 228 2",
        )
        found = await shop.client.find(
            [
                Wanted("customers-1", Entity.CUSTOMERS, email="mia@example.test"),
                Wanted("customers-2", Entity.CUSTOMERS, email="none@example.test"),
                Wanted("customers-3", Entity.CUSTOMERS),
            ]
        )
        assert {key: one.external_id for key, one in found.items()} == {
            "customers-1": made.external_id
        }


async def test_an_account_in_use_is_looked_up_next_time() -> None:
    async with visit() as shop:
        await shop.push(Entity.CUSTOMERS, Outgoing("customers-1", None, BUYER))
        (told,) = await shop.push(Entity.CUSTOMERS, Outgoing("customers-2", None, BUYER))

    assert (told.outcome, told.is_permanent) == (Outcome.REFUSED, False)
    assert "email-exists" in told.reason


@pytest.mark.parametrize(
    "buyer", [Customer(first_name="X"), BUYER.model_copy(update={"is_guest": True})]
)
async def test_who_can_have_no_account_gets_none(buyer: Customer) -> None:
    async with visit() as shop:
        (told,) = await shop.push(Entity.CUSTOMERS, Outgoing("customers-1", None, buyer))

        assert told.outcome is Outcome.UNSUPPORTED
        assert shop.writes() == []


async def _move(shop: Visit, status: OrderStatus, raw: str = "", start: str = "processing") -> str:
    table = shop.box.shop.tables["orders"]
    number = next(row.id for row in table.rows.values() if row.status == start)
    told = await shop.change(Entity.ORDERS, number, status=status, raw_status=raw)
    assert told.outcome is Outcome.DONE, told
    assert told.pulled is not None
    shown = shop.document("orders", number)["status"]
    record = told.pulled.record
    assert isinstance(record, Order)
    assert record.raw_status == shown
    return str(shown)


async def test_of_an_order_the_status_alone_is_written() -> None:
    async with visit() as shop:
        assert await _move(shop, OrderStatus.COMPLETED, "processing") == "completed"
        assert await _move(shop, OrderStatus.ON_HOLD) == "on-hold"
        assert await _move(shop, OrderStatus.SHIPPED) == "completed"
        # A word of the shop's own, from the store's settings.
        assert await _move(shop, OrderStatus.SHIPPED, "awaiting-shipment") == "awaiting-shipment"
        assert set(shop.writes()) == {"orders/batch"}


async def test_what_a_status_cannot_do_is_said() -> None:
    async with visit() as shop:
        table = shop.box.shop.tables["orders"]
        number = next(row.id for row in table.rows.values() if row.status == "processing")
        refund = await shop.change(Entity.ORDERS, number, status=OrderStatus.REFUNDED)
        unknown = await shop.change(Entity.ORDERS, number, status=OrderStatus.UNKNOWN)
        odd = await shop.change(
            Entity.ORDERS, number, status=OrderStatus.SHIPPED, raw_status="no-such-status"
        )
        (new,) = await shop.push(
            Entity.ORDERS, Outgoing("orders-1", None, order(OrderStatus.PENDING))
        )

    assert (refund.outcome, unknown.outcome, new.outcome) == (Outcome.UNSUPPORTED,) * 3
    assert "refund" in refund.reason
    assert (odd.outcome, odd.is_permanent) == (Outcome.REFUSED, True)


@pytest.mark.parametrize(
    ("record", "base", "word"),
    [
        (order(OrderStatus.COMPLETED, "processing"), None, "completed"),
        (order(OrderStatus.COMPLETED, "wc-completed"), None, "completed"),
        (
            order(OrderStatus.COMPLETED, "awaiting-shipment"),
            order(OrderStatus.PROCESSING, "awaiting-shipment"),
            "completed",
        ),
        (
            order(OrderStatus.PROCESSING, "awaiting-shipment"),
            order(OrderStatus.PROCESSING, "awaiting-shipment"),
            "awaiting-shipment",
        ),
        (
            order(OrderStatus.PROCESSING),
            order(OrderStatus.PROCESSING, "awaiting-shipment"),
            "awaiting-shipment",
        ),
        (order(OrderStatus.SHIPPED, "versandt"), order(OrderStatus.PENDING, "pending"), "versandt"),
        (order(OrderStatus.REFUNDED), order(OrderStatus.PENDING, "pending"), "refunded"),
        (order(OrderStatus.UNKNOWN), None, ""),
        (order(OrderStatus.CANCELLED, "completed"), None, "cancelled"),
    ],
)
def test_the_word_for_a_status(record: Order, base: Order | None, word: str) -> None:
    assert order_word(record, base) == word


async def test_only_what_can_be_written_is_pushed() -> None:
    async with visit() as shop:
        with pytest.raises(ValueError, match="inventory"):
            await shop.push(Entity.INVENTORY, Outgoing("inventory-1", "1", None))
        assert await shop.client.find([]) == {}
        assert await shop.client.find([Wanted("orders-1", Entity.ORDERS)]) == {}
