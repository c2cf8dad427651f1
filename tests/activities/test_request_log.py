"""The closer log of a provider's requests: never a secret, whatever the request holds."""

import json
import logging
from collections.abc import Iterator

import httpx
import pytest
import structlog

from activities.request_log import LoggedSession
from domain.entities import Entity
from domain.errors import StoreUnreachableError
from providers._kit.http import StoreSession
from providers.woocommerce.client import WooCommerceClient
from runtime.logging import configure_logging
from tests.providers.fake_store import json_answer
from tests.providers.woocommerce.shops import KEY, SECRET, URL, config, facts


@pytest.fixture(autouse=True)
def logging_as_before() -> Iterator[None]:
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    yield
    structlog.reset_defaults()
    root.handlers[:] = before
    root.setLevel(level)


def session(answer: httpx.Response | Exception) -> LoggedSession:
    def answering(_: httpx.Request) -> httpx.Response:
        if isinstance(answer, Exception):
            raise answer
        return answer

    return LoggedSession(StoreSession(httpx.MockTransport(answering)), store_id=7)


@pytest.mark.parametrize("auth", ["basic", "query", "oauth"])
async def test_a_request_is_one_line_without_query_keys_or_body(
    capsys: pytest.CaptureFixture[str], auth: str
) -> None:
    configure_logging(level="info", log_format="json")
    shop = facts(auth=auth, signing_url=URL)
    body = [{"id": 1, "email": "buyer@example.com", "billing": {"phone": "0771234567"}}]
    client = WooCommerceClient(config(), shop, session(json_answer(body, total=1, pages=1)))
    await client.fetch_page(Entity.CUSTOMERS, 1)
    text = capsys.readouterr().err
    [line] = [json.loads(one) for one in text.splitlines()]
    ms = line.pop("ms")
    line.pop("timestamp")
    assert line == {
        "event": "store_request",
        "level": "debug",
        "logger": "activities.request_log",
        "store_id": 7,
        "method": "GET",
        "path": "/wp-json/wc/v3/customers",
        "status": 200,
        "attempt": 1,
    }
    assert ms >= 0
    hidden = (KEY, SECRET, "consumer_key", "oauth_signature", "buyer@", "0771234567", "per_page")
    assert [one for one in hidden if one in text] == []


async def test_a_request_without_an_answer_is_told_too(
    capsys: pytest.CaptureFixture[str],
) -> None:
    configure_logging(level="info", log_format="json")
    with pytest.raises(StoreUnreachableError):
        await session(httpx.ReadTimeout("")).request(
            "POST", f"{URL}/wp-json/wc/v3/orders", params=(("consumer_key", KEY),), content=b"{}"
        )
    line = json.loads(capsys.readouterr().err)
    assert (line["status"], line["method"]) == ("StoreUnreachableError", "POST")
    assert KEY not in str(line)
