"""Which of a store's records somebody asked for, once."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Selection:
    """A part of one of a store's lists. Nothing named: all of it.

    Attributes:
        external_ids: these records and no others; the rest is ignored then.
        status: the store's own word, or `any`.
        after: created at or after (aware UTC).
        modified_since: changed at or after, by the store's clock (aware UTC).
        page_size: records a page.
    """

    external_ids: tuple[str, ...] = ()
    status: str | None = None
    after: datetime | None = None
    modified_since: datetime | None = None
    page_size: int = 100
