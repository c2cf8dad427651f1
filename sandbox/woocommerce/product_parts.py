"""The lists inside a product: terms, pictures, attributes; and how its texts are shown.

Sources: WooCommerce REST API docs (v3, products) and `class-wc-rest-products-controller.php`.
"""

import re
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

from sandbox.woocommerce.errors import RestError
from sandbox.woocommerce.php import Document
from sandbox.woocommerce.writing import created_stamps

if TYPE_CHECKING:
    from sandbox.woocommerce.shop import Shop

_BLOCK = re.compile(r"^\s*<(?:p|ul|ol|li|div|h[1-6]|table|blockquote|pre|figure)\b", re.IGNORECASE)
# A host that never answers (RFC 6761): how a test says that a picture cannot be fetched.
_UNREACHABLE = ".invalid"


def terms(shop: "Shop", name: str, items: list[Document]) -> list[Document]:
    """Categories or tags by id; an id of no term is passed over, as `wp_set_object_terms` does."""
    found = []
    for item in items:
        row = shop.tables[name].find(int(item.get("id") or 0))
        if row is not None:
            term = shop.tables[name].document(row)
            found.append({"id": row.id, "name": term["name"], "slug": term["slug"]})
    return found


def images(shop: "Shop", current: list[Document], items: list[Document]) -> list[Document]:
    """Pictures: an id names an attachment, a `src` is fetched into a new one."""
    known = {image["id"]: image for image in current} | shop.attachments
    return [_image(shop, known, item) for item in items]


def _image(shop: "Shop", known: dict[int, Document], item: Document) -> Document:
    number = int(item.get("id") or 0)
    if number and number not in known:
        message = f"#{number} is an invalid image ID."
        raise RestError("woocommerce_product_invalid_image_id", message, 400)
    image = dict(known[number]) if number else _fetched(shop, str(item.get("src") or ""))
    for name in ("name", "alt"):
        if item.get(name):
            image[name] = str(item[name])
    shop.attachments[image["id"]] = image
    return image


def _fetched(shop: "Shop", src: str) -> Document:
    """A copy in the shop's own uploads; the same picture sent again makes another one (docs)."""
    parts = urlsplit(src)
    if parts.scheme not in ("http", "https") or (parts.hostname or "").endswith(_UNREACHABLE):
        message = f"Error getting remote image {src}. Error: no answer."
        raise RestError("woocommerce_product_image_upload_error", message, 400)
    stem, _, ending = parts.path.rsplit("/", 1)[-1].rpartition(".")
    stem = stem or "image"
    uploads = f"{shop.home_url}/wp-content/uploads/2026/11"
    taken = {image["src"] for image in shop.attachments.values()}
    kept, count = f"{uploads}/{stem}.{ending}", 0
    while kept in taken:
        count += 1
        kept = f"{uploads}/{stem}-{count}.{ending}"
    return {
        "id": shop.next_id("products"),
        **created_stamps(shop.now()),
        "src": kept,
        "name": f"{stem}.{ending}",
        "alt": "",
        "srcset": "",
        "sizes": "(max-width: 64px) 100vw, 64px",
        "thumbnail": kept,
    }


def attributes(shop: "Shop", items: list[Document]) -> list[Document]:
    """Attributes: one with an id is the shop's own and bears its name, others bear theirs."""
    shown = []
    for place, item in enumerate(items):
        row = shop.tables["attributes"].find(int(item.get("id") or 0))
        name = row.name if row else str(item.get("name") or "")
        if not name:
            continue
        shown.append(
            {
                "id": row.id if row else 0,
                "name": name,
                "slug": f"pa_{name.lower()}" if row else name,
                "position": int(item.get("position") or place),
                "visible": bool(item.get("visible", False)),
                "variation": bool(item.get("variation", False)),
                "options": [str(option) for option in item.get("options") or []],
            }
        )
    return shown


def choices(shop: "Shop", items: list[Document]) -> list[Document]:
    """What a variation chose of its product's attributes."""
    chosen: list[Document] = []
    for item in items:
        row = shop.tables["attributes"].find(int(item.get("id") or 0))
        name = row.name if row else str(item.get("name") or "")
        slug = f"pa_{name.lower()}" if row else name
        option = str(item.get("option") or "")
        chosen.append({"id": row.id if row else 0, "name": name, "slug": slug, "option": option})
    return chosen


def variation_link(home: str, slug: str, chosen: list[Document]) -> str:
    """A variation's address: its product's with what it chose."""
    query = "&".join(f"attribute_{o['slug']}={quote(o['option'].lower())}" for o in chosen)
    return f"{home}/product/{slug}/?{query}"


def paragraphs(text: str) -> str:
    """A text as it is shown: `wpautop` makes paragraphs of what has no block of its own."""
    if not text.strip() or _BLOCK.match(text):
        return text
    parts = [part.strip() for part in re.split(r"\n\s*\n", text) if part.strip()]
    return "".join(f"<p>{part.replace(chr(10), '<br />' + chr(10))}</p>\n" for part in parts)


def as_edited(document: Document, data: Document) -> dict[str, Any]:
    """A product as a write answers it: in the context `edit`, texts as they were sent."""
    raw: dict[str, Any] = {
        name: data[name] for name in ("description", "short_description") if name in data
    }
    return {**document, **raw}
