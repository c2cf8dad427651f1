"""What a write sends: only the fields that are different from what both sides agreed on."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final, Generic, TypeVar

HUB_REF: Final = "_hub_ref"
"""The key of the meta data that keeps our own key. A leading underscore hides it in the shop."""

RecordT = TypeVar("RecordT")
_EMPTIES: Final[tuple[object, ...]] = ("", None, [], {})


@dataclass(frozen=True, slots=True)
class Field(Generic[RecordT]):
    """One member of what is sent.

    Attributes:
        name: the shop's name for it.
        source: the canonical field it comes from, for what is held back.
        render: its value, in the shop's terms.
        keep_filled: whether an empty value is never sent: the shop would make one up.
    """

    name: str
    source: str
    render: Callable[[RecordT], Any]
    keep_filled: bool = False


def changed_fields(
    fields: Sequence[Field[RecordT]],
    record: RecordT,
    base: RecordT | None,
    held: frozenset[str] = frozenset(),
    *,
    prefix: str = "",
) -> dict[str, Any]:
    """The members that differ from the base; without a base all of them."""
    found = {}
    for field in fields:
        if is_held(held, f"{prefix}{field.source}"):
            continue
        value = field.render(record)
        if base is not None and value == field.render(base):
            continue
        if field.keep_filled and value in _EMPTIES:
            continue
        found[field.name] = value
    return found


def new_fields(fields: Sequence[Field[RecordT]], record: RecordT) -> dict[str, Any]:
    """The members of a record that is to be created; what is empty is left to the shop."""
    values = ((field.name, field.render(record)) for field in fields)
    return {name: value for name, value in values if value not in _EMPTIES}


def is_held(held: frozenset[str], path: str) -> bool:
    """Whether a field, or what it is a part of, waits for a person."""
    parts = path.split(".")
    return any(".".join(parts[: count + 1]) in held for count in range(len(parts)))


def amount_text(amount: Decimal | None) -> str:
    """An amount as WooCommerce takes it: a decimal string, empty for none."""
    return "" if amount is None else f"{amount:f}"


def store_number(external_id: str | None) -> int:
    """An id as the number the shop knows it by; 0 if it is none."""
    text = external_id or ""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 16 else 0


def find_meta(meta: Any, key: str) -> Mapping[str, Any] | None:
    """The first entry of meta data with a key."""
    entries = meta if isinstance(meta, list) else ()
    return next((one for one in entries if isinstance(one, dict) and one.get("key") == key), None)
