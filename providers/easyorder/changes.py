"""Walking what changed since a moment, by modification time.

Whether `updated_at` can be filtered is not documented. Each step asks for what is as new as the
last product seen or newer, so nothing is lost while products are edited; one that is edited during
the walk moves to its end. A store that refuses or ignores the filter is read whole.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Self

from pydantic import ValidationError

from domain.errors import InvalidRecordError
from providers._kit.protocols import Params
from providers.easyorder.wire import ProductWire


@dataclass(frozen=True, slots=True)
class ChangesCursor:
    """Where a walk is: a page of what changed at or after `since`; None: a page of everything."""

    since: str | None
    page: int = 1

    @classmethod
    def parse(cls, raw: str) -> Self:
        """Read what `str` wrote. Raises ValueError."""
        since, page = json.loads(raw)
        return cls(since, int(page))

    def __str__(self) -> str:
        return json.dumps([self.since, self.page])

    @classmethod
    def start(cls, since: str, *, filters: bool) -> Self:
        """The first step. Raises ValueError: `since` is no time."""
        moment = datetime.fromisoformat(since).astimezone(UTC)
        return cls(moment.isoformat() if filters else None)

    def params(self) -> Params:
        """The query of the step."""
        if self.since is None:
            return ()
        return (("filter", f"updated_at||gte||{self.since}"), ("sort", "updated_at,ASC"))

    def everything(self) -> Self:
        """The first step of reading everything instead."""
        return type(self)(None)

    def after(self, rows: Sequence[Any]) -> Self | None:
        """The next step; None at the end."""
        if not rows:
            return None
        newest = max((moment for row in rows if (moment := changed_at(row))), default=None)
        if self.since is None or newest is None or newest <= datetime.fromisoformat(self.since):
            return type(self)(self.since, self.page + 1)
        return type(self)(newest.isoformat())

    def is_ignored_by(self, rows: Sequence[Any]) -> bool:
        """Whether the store showed what is older than asked for, or in another order."""
        if self.since is None:
            return False
        moments = [moment for row in rows if (moment := changed_at(row))]
        if len(moments) < len(rows):
            return True
        return moments != sorted(moments) or (
            bool(moments) and moments[0] < datetime.fromisoformat(self.since)
        )


def changed_at(row: Any) -> datetime | None:
    """When a product was changed, if its row tells."""
    try:
        told = ProductWire.model_validate({"id": "x", "name": "x", "updated_at": row["updated_at"]})
    except (KeyError, TypeError, ValidationError, InvalidRecordError):
        return None
    return told.updated_at
