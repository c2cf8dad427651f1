"""From WooCommerce's customers and addresses to canonical ones. Pure."""

from typing import Final

from domain.pages import Pulled
from domain.records import Address, Customer
from providers._kit.assemble import assemble
from providers._kit.wire_values import read_utc
from providers.woocommerce import leftovers
from providers.woocommerce.rows import AddressRow, CustomerRow
from providers.woocommerce.wire import Row
from providers.woocommerce.writing import HUB_REF, find_meta

_NO_ADDRESS: Final = Address().model_dump()


def to_address(wire: AddressRow | None) -> Address:
    """An address; the fields have the same names on both sides."""
    return assemble(Address, {**_NO_ADDRESS, **wire} if wire else _NO_ADDRESS.copy())


def to_customer(row: Row[CustomerRow]) -> Pulled[Customer]:
    """A registered customer; guests are known from their orders alone."""
    wire = row.wire
    billing, shipping = to_address(wire.get("billing")), to_address(wire.get("shipping"))
    extra = leftovers.CUSTOMER.of(row.raw)
    meta = leftovers.lasting_meta(row.raw.get("meta_data"))
    reference = find_meta(meta, HUB_REF)
    if reference is not None and isinstance(reference.get("value"), str):
        extra["hub_ref"] = reference["value"]
        meta = [entry for entry in meta if entry != reference]
    if meta:
        extra["meta_data"] = meta
    return Pulled(
        str(wire["id"]),
        assemble(
            Customer,
            {
                "email": wire.get("email") or billing.email,
                "phone": billing.phone or shipping.phone,
                "first_name": wire.get("first_name", ""),
                "last_name": wire.get("last_name", ""),
                "is_guest": False,
                "is_paying": wire.get("is_paying_customer", False),
                "billing": billing,
                "shipping": shipping,
                "created_at": read_utc(wire.get("date_created_gmt"), "date_created_gmt"),
                "extra": extra,
            },
        ),
        read_utc(wire.get("date_modified_gmt"), "date_modified_gmt"),
    )
