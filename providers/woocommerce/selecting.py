"""Reading a part of a shop's list: what somebody asked for once.

Source: WooCommerce REST API docs (v3), list parameters of products, orders, customers and product
categories. `after` and `modified_after` (since 5.8.0) leave out the very second they name and are
read as the shop's local time unless `dates_are_gmt` says otherwise (measured on 11.0.1).
"""

from datetime import UTC, datetime, timedelta
from typing import Final

from domain.entities import Entity
from domain.pages import Page
from domain.records import Record
from domain.selection import Selection
from providers._kit.protocols import Params
from providers.woocommerce.lists import WooCommerceReader
from providers.woocommerce.manifest import MANIFEST, PAGE_SIZE

_NEWEST_FIRST: Final[Params] = (("orderby", "id"), ("order", "desc"))
_HAS_STATUS: Final = frozenset((Entity.PRODUCTS, Entity.ORDERS))
_HAS_DATES: Final = frozenset((Entity.PRODUCTS, Entity.ORDERS))
_SECOND: Final = timedelta(seconds=1)


class WooCommerceSelector(WooCommerceReader):
    """Reads parts of lists."""

    async def fetch_selected(
        self, entity: Entity, selection: Selection, number: int
    ) -> Page[Record]:
        """One page (1-based) of what was selected, newest id first.

        Raises:
            ValueError: the list has no such filter.
            StoreError: as ever; 400 (`RequestRejectedError`) for a status the shop does not know.
        """
        size = min(selection.page_size, PAGE_SIZE)
        if selection.external_ids:
            first = (number - 1) * size
            return await self.fetch_by_ids(entity, selection.external_ids[first : first + size])
        answer, rows = await self._list(
            entity,
            (
                *_NEWEST_FIRST,
                ("per_page", str(size)),
                ("page", str(number)),
                *_filters(entity, selection),
            ),
        )
        return await self.read_rows(entity, rows, answer)


def _filters(entity: Entity, selection: Selection) -> Params:
    params: list[tuple[str, str]] = []
    if selection.status is not None:
        _check(entity, entity in _HAS_STATUS, "status")
        params.append(("status", selection.status))
    if selection.after is not None:
        _check(entity, entity in _HAS_DATES, "creation date")
        params.append(("after", _just_before(selection.after)))
    if selection.modified_since is not None:
        _check(entity, entity in MANIFEST.tracks_changes, "modification date")
        params.append(("modified_after", _just_before(selection.modified_since)))
    if selection.after is not None or selection.modified_since is not None:
        params.append(("dates_are_gmt", "true"))
    return tuple(params)


def _check(entity: Entity, is_there: bool, name: str) -> None:
    if not is_there:
        raise ValueError(f"{entity.value} cannot be asked for by {name}")


def _just_before(moment: datetime) -> str:
    """The bound that takes in the moment's own second, as the shop writes times: naive UTC."""
    whole = moment.astimezone(UTC).replace(tzinfo=None, microsecond=0)
    return (whole - _SECOND).isoformat()
