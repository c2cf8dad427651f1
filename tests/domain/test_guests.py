from datetime import UTC, datetime
from decimal import Decimal

from domain.guests import buyer_key, guest_key, guest_of
from domain.pages import Pulled
from domain.records import Address, Customer, Order
from domain.statuses import OrderStatus

PLACED = datetime(2026, 3, 1, 12, 30, tzinfo=UTC)


def order(*, email: str = "", phone: str = "", customer: str | None = None) -> Order:
    return Order(
        number="1",
        status=OrderStatus.COMPLETED,
        currency="EUR",
        total=Decimal(1),
        customer_external_id=customer,
        billing=Address(first_name="Ann", last_name="Lee", email=email, phone=phone),
        shipping=Address(city="Galle"),
        placed_at=PLACED,
    )


def test_one_guest_is_one_address_however_it_is_written() -> None:
    written = [" Ann@Example.TEST ", "ann@example.test"]
    assert len({guest_key(order(email=one)) for one in written}) == 1


def test_without_an_address_one_guest_is_one_telephone_number() -> None:
    keys = {guest_key(order(phone=number)) for number in ("+94 77-123", "9477123", "94 77 124")}
    assert len(keys) == 2


def test_the_key_of_a_guest_tells_nothing_of_the_address() -> None:
    assert guest_key(order(email="ann@example.test")) == "guest:eff90234b5c0d7bb3000e7e2faa01214"


def test_who_leaves_neither_address_nor_number_is_no_guest() -> None:
    assert (guest_key(order(phone="---")), guest_of(Pulled("9", order()))) == (None, None)


def test_a_registered_buyer_is_no_guest() -> None:
    registered = order(email="ann@example.test", customer="44")
    assert (guest_key(registered), buyer_key(registered)) == (None, "44")


def test_the_buyer_of_a_guests_order_is_the_guest() -> None:
    one = order(email="ann@example.test")
    assert buyer_key(one) == guest_key(one)


def test_a_guests_profile_is_what_the_order_says() -> None:
    one = order(email="Ann@example.test", phone="+94 77")
    guest = guest_of(Pulled("1000123", one, version=datetime(2026, 5, 5, tzinfo=UTC)))
    assert guest == Pulled(
        guest_key(one) or "",
        Customer(
            email="ann@example.test",
            phone="+94 77",
            first_name="Ann",
            last_name="Lee",
            is_guest=True,
            billing=one.billing,
            shipping=one.shipping,
        ),
        version=datetime(2026, 3, 1, 12, 30, 0, 123, tzinfo=UTC),
    )


def test_of_two_orders_in_one_second_the_higher_id_is_the_newer_profile() -> None:
    one = order(email="ann@example.test")
    older, newer = guest_of(Pulled("99", one)), guest_of(Pulled("100", one))
    assert older is not None
    assert newer is not None
    assert older.version is not None
    assert newer.version is not None
    assert older.version < newer.version
