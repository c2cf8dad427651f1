"""Lanes: the ordered work for one outside party, and the ladder of its retries. Pure."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import StrEnum


class LaneKind(StrEnum):
    """What a lane is for. The key is a store's id, for `ALERT` the tenant's."""

    INBOX = "inbox"
    PUSH = "push"
    ALERT = "alert"


def next_attempt(failures: int, ladder_s: Sequence[float], now: datetime) -> datetime | None:
    """When to try again what has failed so often (at least once); None: not any more.

    The first rung is the first try itself: `(0, 300, 900)` tries at once, 5 minutes after the
    first failure, 15 minutes after the second, and gives up after the third.
    """
    if failures < 1:
        raise ValueError("nothing has failed yet")
    if failures >= len(ladder_s):
        return None
    return now + timedelta(seconds=ladder_s[failures])
