from datetime import UTC, datetime

import pytest

from domain.errors import (
    CredentialsError,
    PermissionDeniedError,
    RateLimitedError,
    RequestRejectedError,
    RouteMissingError,
    StoreError,
    StoreUnavailableError,
    StoreUnreachableError,
)
from providers._kit.answers import Answer, parse_retry_after, read_json, status_error

ASKED = "GET https://shop.example/wp-json/wc/v3/orders"
NOW = datetime(2026, 11, 21, 0, 0, tzinfo=UTC)
JSON_HEADERS = {"content-type": "application/json"}
HTML = b"<!DOCTYPE html>\n<html><head><title>Busy</title></head></html>"
NOTICE = b"<br />\n<b>Notice</b>: Undefined array key [0] in {a.php} on line <b>4</b><br />\n"


def _answer(status: int, body: bytes = b"{}", **headers: str) -> Answer:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Answer(status, {**JSON_HEADERS, **named}, body)


@pytest.mark.parametrize(
    ("status", "kind", "is_retryable"),
    [
        (304, RequestRejectedError, False),
        (400, RequestRejectedError, False),
        (401, CredentialsError, False),
        (403, PermissionDeniedError, False),
        (404, RouteMissingError, False),
        (405, RouteMissingError, False),
        (408, StoreUnavailableError, True),
        (409, RequestRejectedError, False),
        (410, RequestRejectedError, False),
        (413, RequestRejectedError, False),
        (418, RequestRejectedError, False),
        (422, RequestRejectedError, False),
        (429, RateLimitedError, True),
        (500, StoreUnavailableError, True),
        (502, StoreUnavailableError, True),
        (503, StoreUnavailableError, True),
        (504, StoreUnavailableError, True),
        (520, StoreUnavailableError, True),
    ],
)
def test_each_status_is_one_error(status: int, kind: type[StoreError], is_retryable: bool) -> None:
    error = status_error(_answer(status), asked=ASKED)

    assert type(error) is kind
    assert (error.status, error.retryable, error.retry_after_s) == (status, is_retryable, None)
    assert str(error).startswith(ASKED)


@pytest.mark.parametrize("status", [200, 201, 204])
def test_success_is_no_error(status: int) -> None:
    assert status_error(_answer(status), asked=ASKED) is None


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (401, CredentialsError),
        (403, StoreUnavailableError),
        (429, RateLimitedError),
        (503, StoreUnavailableError),
    ],
)
def test_page_of_a_firewall_or_maintenance(status: int, kind: type[StoreError]) -> None:
    answer = Answer(status, {"content-type": "text/html; charset=UTF-8"}, HTML)

    assert type(status_error(answer, asked=ASKED)) is kind


def test_maintenance_carries_how_long() -> None:
    error = status_error(_answer(503, HTML, retry_after="600"), asked=ASKED)

    assert error is not None
    assert error.retry_after_s == 600
    assert str(error) == f"{ASKED}: the store is in maintenance or overloaded (503)."


@pytest.mark.parametrize(
    ("raw", "seconds"),
    [
        (None, None),
        ("", None),
        ("120", 120.0),
        (" 7 ", 7.0),
        ("86400", 86400.0),
        ("-5", 0.0),
        ("soon", None),
        ("nan", None),
        ("inf", 1e9),
        ("9" * 400, 1e9),
        ("Sat, 21 Nov 2026 00:10:00 GMT", 600.0),
        ("Fri, 20 Nov 2026 00:10:00 GMT", 0.0),
        ("Sat, 99 Nov 2026 00:10:00 GMT", None),
    ],
)
def test_retry_after_is_seconds_from_now(raw: str | None, seconds: float | None) -> None:
    assert parse_retry_after(raw, now=NOW) == seconds


def test_retry_after_as_a_date_counts_by_the_stores_own_clock() -> None:
    answer = _answer(
        429, retry_after="Sat, 21 Nov 2099 00:01:00 GMT", date="Sat, 21 Nov 2099 00:00:00 GMT"
    )

    error = status_error(answer, asked=ASKED)
    assert error is not None
    assert error.retry_after_s == 60


def test_shops_own_words_are_told_without_markup_or_keys() -> None:
    token = "ck_" + "a" * 40
    body = f'{{"code": "rest_invalid_param", "message": "<b>Bad</b>\\n key {token}"}}'.encode()

    assert str(status_error(_answer(400, body), asked=ASKED)) == (
        f"{ASKED}: the store refuses the request (400). It says: rest_invalid_param: Bad   key …"
    )


@pytest.mark.parametrize(
    "body",
    [
        b'[{"id": 1}]',
        b'\xef\xbb\xbf[{"id": 1}]',
        b'\n\n  [{"id": 1}]\n',
        NOTICE + b'[{"id": 1}]',
        b"\xef\xbb\xbf" + NOTICE * 3 + b'[{"id": 1}]',
        b'<br />Warning: bad value {"a" in x.php<br />[{"id": 1}]',
    ],
)
def test_json_is_found_behind_junk(body: bytes) -> None:
    assert read_json(_answer(200, body), asked=ASKED) == [{"id": 1}]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b'[{"id": 1}, {"id"',
        b'[{"variations": []',
        b'{"code": "x"',
        NOTICE + b'[{"id": 1}, {"variations": []',
        NOTICE + b'[{"id": 1}, {"meta": {"a": 1}',
    ],
)
def test_json_cut_short_may_come_whole_next_time(body: bytes) -> None:
    with pytest.raises(StoreUnreachableError):
        read_json(_answer(200, body), asked=ASKED)


@pytest.mark.parametrize("body", [HTML, b"OK", b"null and void", NOTICE])
def test_what_is_no_json_says_what_to_look_for(body: bytes) -> None:
    with pytest.raises(StoreUnavailableError, match=r"web page|not JSON"):
        read_json(_answer(200, body), asked=ASKED)


@pytest.mark.parametrize(
    ("escaped", "text"),
    [
        (b"\\ud800", "\ufffd"),
        (b"a\\udc00b", "a\ufffdb"),
        (b"\\ud83d\\ude00", "\U0001f600"),
        (b"a\\u0000b", "ab"),
    ],
)
def test_text_that_no_database_keeps_is_cleaned(escaped: bytes, text: str) -> None:
    body = b'[{"id": 1, "name": "' + escaped + b'"}, {"id": 2, "x": null}]'

    assert read_json(_answer(200, body), asked=ASKED) == [
        {"id": 1, "name": text},
        {"id": 2, "x": None},
    ]


def test_not_a_number_is_nothing() -> None:
    assert read_json(_answer(200, b'[{"id": 1, "x": NaN}]'), asked=ASKED) == [{"id": 1, "x": None}]


def test_search_for_json_is_bounded() -> None:
    body = b"x" * 70_000 + b'[{"id": 1}]'

    with pytest.raises(StoreUnavailableError):
        read_json(_answer(200, body), asked=ASKED)
