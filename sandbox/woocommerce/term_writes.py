"""Creating and changing categories, tags, attributes, coupons and tax rates."""

from typing import TYPE_CHECKING

from sandbox.woocommerce.catalogue import links
from sandbox.woocommerce.errors import RestError, missing_param
from sandbox.woocommerce.php import Document
from sandbox.woocommerce.table import Row
from sandbox.woocommerce.writing import check, created_stamps, pick, slugify

if TYPE_CHECKING:
    from sandbox.woocommerce.shop import Shop

PATHS = {
    "categories": "products/categories",
    "tags": "products/tags",
    "attributes": "products/attributes",
    "coupons": "coupons",
    "taxes": "taxes",
}
_FIELDS = {
    "categories": ("name", "slug", "parent", "description", "display", "menu_order"),
    "tags": ("name", "slug", "description"),
    "attributes": ("name", "slug", "type", "order_by", "has_archives"),
    "coupons": ("code", "amount", "discount_type", "description", "free_shipping"),
    "taxes": ("country", "state", "rate", "name", "priority", "compound", "shipping", "class"),
}
_TERMS = ("categories", "tags")
_TYPES = {"name": "string", "slug": "string", "parent": "integer", "code": "string"}


def create(shop: "Shop", name: str, data: Document) -> Row:
    """Add one; a category or tag of the same name and parent is refused with its id."""
    required = {"coupons": "code", "taxes": ""}.get(name, "name")
    if required and not data.get(required):
        raise missing_param(required)
    check(data, _TYPES)
    table = shop.tables[name]
    label = str(data.get(required) or "")
    if name in _TERMS:
        _check_unique(shop, name, data, label)
    now = shop.now()
    record_id = shop.next_id(name)
    template = table.document(next(iter(table.rows.values()))) if len(table) else {}
    document = template | {"id": record_id, "_links": links(shop.home_url, PATHS[name], record_id)}
    if name in ("categories", "tags"):
        document |= {"slug": slugify(label), "description": "", "count": 0}
    if name == "categories":
        document |= {"parent": 0, "display": "default", "image": None, "menu_order": 0}
    if name == "coupons":
        document |= created_stamps(now)
    document |= pick(data, _FIELDS[name])
    if name in _TERMS:
        document["slug"] = _free_slug(shop, name, str(data.get("slug") or "") or slugify(label), 0)
    row = Row(record_id, now, now, parent=int(document.get("parent") or 0), name=label)
    table.insert(row, document)
    return row


def update(shop: "Shop", name: str, row: Row, document: Document, data: Document) -> None:
    """Change the sent fields."""
    check(data, _TYPES)
    if name in _TERMS and data.get("slug"):
        data = data | {"slug": _free_slug(shop, name, str(data["slug"]), row.id)}
    document |= pick(data, _FIELDS[name])
    row.name = str(document.get("name") or document.get("code") or "")
    row.parent = int(document.get("parent") or 0)
    shop.save(name, row, document)


def _check_unique(shop: "Shop", name: str, data: Document, label: str) -> None:
    """`wp_insert_term`: one name below a parent, unless a slug of its own tells them apart."""
    slug = str(data.get("slug") or "")
    slugs = _slugs(shop, name)
    for row in shop.tables[name].rows.values():
        is_sibling = row.name == label and row.parent == int(data.get("parent") or 0)
        if is_sibling and (not slug or slug in slugs.values()):
            raise RestError(
                "term_exists",
                "A term with the name provided already exists with this parent.",
                400,
                resource_id=row.id,
            )


def _free_slug(shop: "Shop", name: str, wanted: str, own_id: int) -> str:
    """The slug, with a number if another term has it."""
    taken = {slug for number, slug in _slugs(shop, name).items() if number != own_id}
    slug, count = wanted, 1
    while slug in taken:
        count += 1
        slug = f"{wanted}-{count}"
    return slug


def _slugs(shop: "Shop", name: str) -> dict[int, str]:
    table = shop.tables[name]
    return {row.id: table.document(row)["slug"] for row in table.rows.values()}
