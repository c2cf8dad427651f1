import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.latencies import BUCKETS, add, bucket_of, empty, percentile, upper_bound

DURATIONS = st.floats(min_value=0, max_value=600_000, allow_nan=False)


def counted(durations: list[float]) -> list[int]:
    counts = empty()
    for one in durations:
        counts[bucket_of(one)] += 1
    return counts


@given(DURATIONS)
def test_a_duration_lies_within_its_bucket(ms: float) -> None:
    bucket = bucket_of(ms)
    assert ms <= upper_bound(bucket)
    if bucket:
        assert ms > upper_bound(bucket - 1) or bucket == BUCKETS - 1


@given(st.lists(DURATIONS, min_size=1, max_size=200), st.floats(min_value=0.01, max_value=1))
def test_a_percentile_is_off_by_less_than_a_bucket(durations: list[float], share: float) -> None:
    exact = sorted(durations)[max(1, math.ceil(share * len(durations) - 1e-9)) - 1]
    told = percentile(counted(durations), share)
    assert told is not None
    # The rank between two durations may be told from either bucket.
    near = sorted(durations)[max(0, math.floor(share * len(durations)) - 1)]
    assert min(exact, near) / 1.19 - 1 <= told <= max(exact, near) * 1.19 + 1


@given(st.lists(DURATIONS, min_size=1, max_size=50))
def test_a_higher_share_is_never_quicker(durations: list[float]) -> None:
    counts = counted(durations)
    told = [percentile(counts, share / 20) or 0 for share in range(21)]
    assert told == sorted(told)


@given(st.lists(DURATIONS, max_size=50), st.lists(DURATIONS, max_size=50))
def test_histograms_add_up(some: list[float], more: list[float]) -> None:
    assert add(counted(some), counted(more)) == counted(some + more)
    assert add([], counted(more)) == counted(more)


@pytest.mark.parametrize("ms", [0, -1, 1, math.inf, 1e12, math.nan])
def test_whatever_the_clock_says_is_counted(ms: float) -> None:
    assert 0 <= bucket_of(ms) < BUCKETS


def test_nothing_has_no_percentile() -> None:
    assert percentile(empty(), 0.5) is None
    assert percentile([], 0.5) is None
