"""Nobody gives a key more than they have."""

from datetime import UTC, datetime, timedelta

import pytest

from domain.key_reach import Reach, beyond

END = datetime(2026, 12, 1, tzinfo=UTC)
LATER = END + timedelta(seconds=1)
READS = frozenset({"stores:read"})
CLERK = frozenset({"stores:read", "keys:write"})
ALL = frozenset({"*"})


def reach(
    permissions: frozenset[str] = READS,
    *networks: str,
    ends_at: datetime | None = None,
    limit: int | None = None,
) -> Reach:
    return Reach(permissions, networks, ends_at, limit)


@pytest.mark.parametrize(
    ("wanted", "own", "expected"),
    [
        (reach(READS), reach(CLERK), ()),
        (reach(CLERK), reach(CLERK), ()),
        (reach(CLERK), reach(READS), ("keys:write",)),
        (reach(ALL), reach(CLERK), ("*",)),
        (reach(CLERK), reach(ALL), ()),
        # From where.
        (reach(READS, "10.0.0.0/8"), reach(), ()),
        (reach(), reach(READS, "10.0.0.0/8"), ("use from any address",)),
        (reach(READS, "10.1.0.0/16", "10.2.3.4"), reach(READS, "10.0.0.0/8"), ()),
        (reach(READS, "10.0.0.0/7"), reach(READS, "10.0.0.0/8"), ("use from 10.0.0.0/7",)),
        (reach(READS, "10.0.0.0/24"), reach(READS, "10.0.0.128/25", "10.0.0.0/25"), ()),
        (reach(READS, "10.0.0.0/24"), reach(READS, "10.0.0.0/25"), ("use from 10.0.0.0/24",)),
        (reach(READS, "2001:db8::1"), reach(READS, "2001:db8::/32", "10.0.0.1"), ()),
        (reach(READS, "10.0.0.1"), reach(READS, "::/0"), ("use from 10.0.0.1",)),
        (reach(READS, "::1"), reach(READS, "0.0.0.0/0"), ("use from ::1",)),
        # Until when.
        (reach(ends_at=END), reach(ends_at=END), ()),
        (reach(ends_at=END), reach(), ()),
        (reach(ends_at=LATER), reach(ends_at=END), ("an end after 2026-12-01T00:00:00Z",)),
        (reach(), reach(ends_at=END), ("no end",)),
        # How often.
        (reach(limit=60), reach(limit=60), ()),
        (reach(limit=60), reach(), ()),
        (reach(limit=61), reach(limit=60), ("61 requests per minute",)),
        (reach(), reach(limit=60), ("any number of requests",)),
        # All of it.
        (
            reach(ALL, "10.0.0.1", ends_at=LATER, limit=2),
            reach(CLERK, "10.0.0.2", ends_at=END, limit=1),
            (
                *("*", "use from 10.0.0.1", "an end after 2026-12-01T00:00:00Z"),
                "2 requests per minute",
            ),
        ),
    ],
)
def test_what_goes_beyond_is_named(wanted: Reach, own: Reach, expected: tuple[str, ...]) -> None:
    assert beyond(wanted, own) == expected
