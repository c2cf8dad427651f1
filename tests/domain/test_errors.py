import re

from domain import errors
from domain.errors import EntrepotError, RetryableStoreError, StoreError


def _all_below(kind: type[EntrepotError]) -> list[type[EntrepotError]]:
    return [kind, *(one for child in kind.__subclasses__() for one in _all_below(child))]


def test_the_tree_in_the_module_names_every_error_of_it() -> None:
    drawn = re.findall(r"[├└]── (\w+)", errors.__doc__ or "")
    ours = [one.__name__ for one in _all_below(EntrepotError) if one.__module__ == errors.__name__]
    assert sorted(ours) == sorted(["EntrepotError", *drawn])


def test_a_store_error_says_whether_the_same_request_may_succeed_later() -> None:
    below = [one for one in _all_below(StoreError) if issubclass(one, StoreError)]
    assert {one for one in below if one.retryable} == set(_all_below(RetryableStoreError))


def test_a_store_error_carries_what_the_store_answered() -> None:
    error = errors.RateLimitedError("too many requests", status=429, retry_after_s=1.5)
    assert (str(error), error.status, error.retry_after_s) == ("too many requests", 429, 1.5)
