"""Tags by name: a product names them by id, so a new name has to be made a tag first.

Source: WooCommerce REST API docs (v3, product tags): one of the same name is refused with
`term_exists` and the id of the one that is there.
"""

from collections.abc import Iterable
from typing import Any, Final

from providers._kit.wire_values import read_name
from providers.woocommerce.access import ShopAccess, header_number
from providers.woocommerce.batches import send_batch

_ROUTE: Final = "products/tags"
_PAGE_SIZE: Final = 100
_MOST_PAGES: Final = 50
_BATCH: Final = 50


async def resolve_tags(access: ShopAccess, names: Iterable[str]) -> dict[str, int]:
    """The ids of tags by their name as people read it; those that are not there are made.

    A name the shop does not take is left out. Raises StoreError.
    """
    wanted = {name for name in names if name.strip()}
    if not wanted:
        return {}
    found = await _find(access, wanted)
    missing = sorted(wanted - found.keys())
    for start in range(0, len(missing), _BATCH):
        chunk = missing[start : start + _BATCH]
        made, _ = await send_batch(access, _ROUTE, create=[{"name": name} for name in chunk])
        for name, done in zip(chunk, made, strict=True):
            if done.refusal is None:
                found[name] = int(done.row["id"])
            elif done.refusal.holder is not None:
                found[name] = int(done.refusal.holder)
    return found


async def _find(access: ShopAccess, wanted: set[str]) -> dict[str, int]:
    found: dict[str, int] = {}
    for page in range(1, _MOST_PAGES + 1):
        answer = await access.get(
            _ROUTE,
            (
                ("per_page", str(_PAGE_SIZE)),
                ("page", str(page)),
                ("orderby", "id"),
                ("order", "asc"),
                ("_fields", "id,name"),
            ),
        )
        rows = access.rows(answer, _ROUTE)
        for row in rows:
            _add(row, wanted, found)
        pages = header_number(answer, "x-wp-totalpages")
        if len(found) == len(wanted) or len(rows) < _PAGE_SIZE or page == pages:
            break
    return found


def _add(row: Any, wanted: set[str], found: dict[str, int]) -> None:
    name = read_name(str(row.get("name", ""))) if isinstance(row, dict) else ""
    if name in wanted and isinstance(row.get("id"), int):
        found.setdefault(name, row["id"])
