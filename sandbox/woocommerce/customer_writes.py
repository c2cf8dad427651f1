"""Creating and changing customers."""

from typing import TYPE_CHECKING

from sandbox.woocommerce.catalogue import links
from sandbox.woocommerce.errors import RestError, missing_param
from sandbox.woocommerce.people import avatar, blank_address
from sandbox.woocommerce.php import Document
from sandbox.woocommerce.table import Row
from sandbox.woocommerce.writing import check, created_stamps, merge_address, merge_meta, pick

if TYPE_CHECKING:
    from sandbox.woocommerce.shop import Shop

_TYPES = {"email": "string", "first_name": "string", "last_name": "string", "meta_data": "array"}


def create(shop: "Shop", data: Document) -> Row:
    """Add a customer; an e-mail in use is refused."""
    email = data.get("email")
    if not email:
        raise missing_param("email")
    check(data, _TYPES)
    username = _free_name(shop, str(data.get("username") or str(email).split("@")[0]))
    if _has_account(shop, str(email), 0):
        raise RestError(
            "registration-error-email-exists",
            f"An account is already registered with {email}. Please log in or use a different"
            " email address.",
            400,
        )
    now = shop.now()
    record_id = shop.next_id("customers")
    document: Document = {
        "id": record_id,
        **created_stamps(now),
        "email": email,
        "first_name": "",
        "last_name": "",
        "role": "customer",
        "username": username,
        "billing": blank_address("billing"),
        "shipping": blank_address("shipping"),
        "is_paying_customer": False,
        "avatar_url": avatar(str(email)),
        "meta_data": [],
        "_links": links(shop.home_url, "customers", record_id),
    }
    _apply(shop, document, data)
    row = Row(record_id, now, now, kind="customer", name=username)
    shop.tables["customers"].insert(row, document)
    return row


def update(shop: "Shop", row: Row, document: Document, data: Document) -> None:
    """Change the sent fields; an e-mail in use is refused."""
    check(data, _TYPES)
    if data.get("email") and _has_account(shop, str(data["email"]), row.id):
        message = "Email address is invalid."
        raise RestError("woocommerce_rest_customer_invalid_email", message, 400)
    _apply(shop, document, data)
    shop.save("customers", row, document)


def _has_account(shop: "Shop", email: str, own_id: int) -> bool:
    table = shop.tables["customers"]
    wanted = b'"email":"%s"' % email.lower().encode()
    return any(
        row.id != own_id
        and wanted in table.body(row).lower()
        and _email(shop, row) == email.lower()
        for row in table.rows.values()
    )


def _email(shop: "Shop", row: Row) -> str:
    return str(shop.tables["customers"].document(row)["email"]).lower()


def _free_name(shop: "Shop", wanted: str) -> str:
    """A user name nobody has: WooCommerce appends a number."""
    taken = {row.name for row in shop.tables["customers"].rows.values()}
    name, count = wanted, 0
    while name in taken:
        count += 1
        name = f"{wanted}{count}"
    return name


def _apply(shop: "Shop", document: Document, data: Document) -> None:
    document |= pick(data, ("email", "first_name", "last_name"))
    for kind in ("billing", "shipping"):
        if isinstance(data.get(kind), dict):
            document[kind] = merge_address(document[kind], data[kind])
    if "meta_data" in data:
        fresh = 20_000_000 + shop.tables["customers"].version * 100
        document["meta_data"] = merge_meta(document["meta_data"], data["meta_data"], fresh)
