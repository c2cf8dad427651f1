"""Looking for orders that no webhook told of, by their short numbers.

`GET /orders/short/{n}` is not documented; several clients use it. The number grows by one for each
order of a store, with gaps. So it is off unless switched on, and bounded. The cursor is the highest
number known; the first scan only needs one, which the webhooks bring.
"""

from typing import Any, Final

from domain.entities import Entity
from domain.pages import ChangesPage, Page
from domain.records import Record
from providers._kit.answers import Answer
from providers.easyorder.access import ShopAccess
from providers.easyorder.reading import read_rows

_MOST_MISSES: Final = 3
"""So many numbers in a row without an order are taken for the end."""


async def scan(access: ShopAccess, cursor: str | None) -> ChangesPage[Record]:
    """Orders after `cursor` (a short number); the new cursor is the highest number found.

    Without a cursor, or switched off, nothing is asked.

    Raises StoreError.
    """
    config = access.config
    if not config.order_scan or cursor is None or not cursor.isascii() or not cursor.isdigit():
        return ChangesPage(Page(), cursor)
    highest, misses = int(cursor), 0
    rows: list[Any] = []
    for number in range(highest + 1, highest + 1 + config.order_scan_limit):
        found = await access.find_listed(f"orders/short/{number}")
        if found is None:
            misses += 1
            if misses >= _MOST_MISSES:
                break
            continue
        misses, highest = 0, number
        rows.append(found)
    page = read_rows(config, Entity.ORDERS, rows, Answer(200, {}, b""), mapping=access.mapping)
    return ChangesPage(page, str(highest))
