"""A product's pictures: which the shop has already, and which it must fetch. Pure.

Source: WooCommerce REST API docs (v3, products): sending `src` makes the shop fetch the picture
and keep a copy under an address of its own; sending it again makes another copy, sending the id
back does not. So the shop keeps, as meta data of the product, which of its copies came from where,
and the copies read as what was sent.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final
from urllib.parse import unquote, urlsplit

from domain.records import Image
from providers.woocommerce.writing import find_meta

HUB_IMAGES: Final = "_hub_images"
"""The key of the meta data: a line `{attachment id} {source address}` for each copy."""

_LINE: Final = re.compile(r"([1-9][0-9]{0,15}) (\S{1,2000})")
# What WordPress appends to a file's name: a counter, a size, an edit.
_FILE_SUFFIX: Final = re.compile(r"(?:-scaled|-e[0-9]{10,}|-[0-9]{1,3}|-[0-9]+x[0-9]+)+$")


def read_sources(meta: Any) -> dict[str, str]:
    """Where the shop's copies came from, by attachment id."""
    entry = find_meta(meta, HUB_IMAGES)
    value = entry.get("value") if entry is not None else None
    lines = value.splitlines() if isinstance(value, str) else ()
    matches = (_LINE.fullmatch(line) for line in lines)
    return {match[1]: match[2] for match in matches if match is not None}


def image_rows(
    images: Sequence[Image], current: Sequence[Image], *, shop_host: str
) -> list[dict[str, Any]] | None:
    """The pictures to send; None if the shop has exactly these.

    Args:
        current: those the shop has, as far as both sides agreed.
        shop_host: the shop's host name: an address there is a copy of unknown origin.
    """
    left = list(current)
    matches: list[Image | None] = []
    for image in images:
        match = _same_source(image, left) or _same_file(image, left, shop_host)
        if match is not None:
            left.remove(match)
        matches.append(match)
    rows = [_row(image, match) for image, match in zip(images, matches, strict=True)]
    if not left and all(set(row) == {"id"} for row in rows) and matches == list(current):
        return None
    return rows


def fetches(rows: Sequence[Mapping[str, Any]] | None) -> bool:
    """Whether the shop has to fetch any of these."""
    return any("src" in row for row in rows or ())


def sources_entry(sent: Sequence[Mapping[str, Any]], row: Mapping[str, Any]) -> dict[str, Any]:
    """The meta data that remembers where the copies came from.

    Args:
        sent: the pictures as they were sent.
        row: the product as the shop answered; it lists its copies in the same order.
    """
    copies = row.get("images")
    numbers = [str(one.get("id")) for one in copies] if isinstance(copies, list) else []
    sources = {
        number: source
        for number, source in read_sources(row.get("meta_data")).items()
        if number in numbers
    }
    if len(numbers) == len(sent):
        fetched = zip(numbers, sent, strict=True)
        sources |= {number: one["src"] for number, one in fetched if "src" in one}
    value = "\n".join(f"{number} {source}" for number, source in sources.items())
    entry = find_meta(row.get("meta_data"), HUB_IMAGES)
    known = {"id": entry["id"]} if entry is not None and "id" in entry else {}
    return {**known, "key": HUB_IMAGES, "value": value}


def _same_source(image: Image, left: Sequence[Image]) -> Image | None:
    return next((one for one in left if one.src == image.src), None)


def _same_file(image: Image, left: Sequence[Image], shop_host: str) -> Image | None:
    """A copy of unknown origin that has the picture's file name."""
    if urlsplit(image.src).hostname == shop_host:
        return None
    name = _file_name(image.src)
    return next(
        (
            one
            for one in left
            if urlsplit(one.src).hostname == shop_host and name and _file_name(one.src) == name
        ),
        None,
    )


def _file_name(src: str) -> str:
    name = unquote(urlsplit(src).path).rsplit("/", 1)[-1].lower()
    return _FILE_SUFFIX.sub("", name.rsplit(".", 1)[0])


def _row(image: Image, match: Image | None) -> dict[str, Any]:
    if match is None or not match.external_id.isdigit():
        named = {"src": image.src, "name": image.name, "alt": image.alt}
        return {name: value for name, value in named.items() if value}
    row: dict[str, Any] = {"id": int(match.external_id)}
    if image.alt != match.alt:
        row["alt"] = image.alt
    if image.name and image.name != match.name:
        row["name"] = image.name
    return row
