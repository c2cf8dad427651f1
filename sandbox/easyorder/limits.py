"""The rate limit: so many requests in any minute of the store's clock, then 429.

The docs say "40 requests per minute, wait for the next minute" and no more; a sliding minute is the
strictest reading.
"""

from collections import deque
from dataclasses import dataclass, field

_MINUTE_S = 60.0


@dataclass(slots=True)
class RateLimit:
    """Counts requests. `most` is the largest number seen within a minute."""

    _seen: deque[float] = field(default_factory=deque)
    refused: int = 0
    most: int = 0

    def admits(self, now: float, limit: int) -> bool:
        """Whether a request is within the limit; counts it if it is."""
        while self._seen and now - self._seen[0] >= _MINUTE_S:
            self._seen.popleft()
        if len(self._seen) >= limit:
            self.refused += 1
            return False
        self._seen.append(now)
        self.most = max(self.most, len(self._seen))
        return True
