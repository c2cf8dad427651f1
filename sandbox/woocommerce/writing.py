"""What every write shares: type checks, metadata merging, fresh sub-ids, stamps."""

from typing import Any

from sandbox.woocommerce import clock
from sandbox.woocommerce.errors import invalid_param
from sandbox.woocommerce.php import Document

_TYPES: dict[str, type | tuple[type, ...]] = {
    "string": str,
    "integer": int,
    "boolean": bool,
    "array": list,
    "object": dict,
}


def check(data: Document, schema: dict[str, str]) -> None:
    """Raise `rest_invalid_param` for a member of the wrong JSON type.

    Integers are taken from digit strings, as WordPress does; null is not checked.
    """
    for name, wanted in schema.items():
        value = data.get(name)
        if value is None:
            continue
        if wanted == "integer" and isinstance(value, str) and value.lstrip("-").isdigit():
            data[name] = int(value)
        elif not isinstance(value, _TYPES[wanted]) or (
            wanted == "integer" and isinstance(value, bool)
        ):
            message = f"{name} is not of type {wanted}."
            raise invalid_param(name, "rest_invalid_type", message, {"param": name})


def check_one_of(name: str, value: object, allowed: tuple[str, ...]) -> None:
    """Raise `rest_invalid_param` for a value outside a fixed set (wording captured)."""
    if value not in allowed:
        listed = f"{', '.join(allowed[:-1])}, and {allowed[-1]}"
        message = f"{name} is not one of {listed}."
        raise invalid_param(name, "rest_not_in_enum", message)


def merge_meta(current: list[Document], sent: list[Document], next_id: int) -> list[Document]:
    """Metadata as WooCommerce merges it: a known id is changed (or, with a null value, removed),
    anything else is appended, doubling the key if need be."""
    merged = [dict(item) for item in current]
    for item in sent:
        known = next((m for m in merged if m["id"] == item.get("id")), None)
        if known is None:
            merged.append({"id": next_id, "key": item.get("key"), "value": item.get("value")})
            next_id += 1
        elif item.get("value", known["value"]) is None:
            merged.remove(known)
        else:
            known.update({k: item[k] for k in ("key", "value") if k in item})
    return merged


def merge_address(current: Document, sent: Document) -> Document:
    """An address with the sent members put in place; unknown ones are ignored."""
    return {key: str(sent.get(key, value) or "") for key, value in current.items()}


def created_stamps(now: int) -> Document:
    """The four dates of something made now."""
    return {"date_created": clock.local(now), "date_created_gmt": clock.gmt(now)} | modified_stamps(
        now
    )


def modified_stamps(now: int) -> Document:
    """The two modification dates of something changed now."""
    return {"date_modified": clock.local(now), "date_modified_gmt": clock.gmt(now)}


def slugify(text: str) -> str:
    """A slug: ASCII letters and digits kept, everything else a dash."""
    kept = "".join(c if c.isascii() and c.isalnum() else "-" for c in text.lower())
    return "-".join(part for part in kept.split("-") if part) or "item"


def pick(data: Document, names: tuple[str, ...]) -> dict[str, Any]:
    """The sent members among `names`."""
    return {name: data[name] for name in names if name in data}
