"""What was asked: a bounded log of requests, without their credentials, and counts."""

from collections import Counter, deque
from dataclasses import asdict, dataclass
from re import compile as pattern
from typing import Any

KEPT = 20_000
_CREDENTIAL = pattern(r"((?:consumer_key|consumer_secret|oauth_[a-z_]+)=)[^&]*")
_NUMBER = pattern(r"/\d+")


@dataclass(frozen=True, slots=True)
class Entry:
    """One request; times are epoch seconds, status 0 means the connection was dropped."""

    method: str
    path: str
    query: str
    status: int
    started: float
    ended: float
    size: int


def without_credentials(query: str) -> str:
    """A query string with keys, secrets and signatures blanked."""
    return _CREDENTIAL.sub(r"\1…", query)


class Journal:
    """The last `KEPT` requests and running counts."""

    def __init__(self) -> None:
        self.entries: deque[Entry] = deque(maxlen=KEPT)
        self.by_route: Counter[str] = Counter()
        self.by_status: Counter[int] = Counter()
        self.total = 0
        self.open = 0
        self.most_open = 0

    def enter(self) -> None:
        """A request has begun."""
        self.open += 1
        self.most_open = max(self.most_open, self.open)

    def leave(self, entry: Entry) -> None:
        """A request has ended."""
        self.open -= 1
        self.total += 1
        self.entries.append(entry)
        self.by_route[f"{entry.method} {_NUMBER.sub('/{id}', entry.path)}"] += 1
        self.by_status[entry.status] += 1

    def log(self) -> list[dict[str, Any]]:
        """The kept requests, oldest first, with credentials blanked."""
        return [asdict(e) | {"query": without_credentials(e.query)} for e in self.entries]

    def stats(self) -> dict[str, Any]:
        """Counts since the start or the last `clear`."""
        return {
            "total": self.total,
            "open": self.open,
            "max_concurrent": self.most_open,
            "by_route": dict(self.by_route),
            "by_status": {str(status): n for status, n in self.by_status.items()},
        }

    def clear(self) -> None:
        """Forget everything but the requests now open."""
        self.entries.clear()
        self.by_route.clear()
        self.by_status.clear()
        self.total = 0
        self.most_open = self.open
