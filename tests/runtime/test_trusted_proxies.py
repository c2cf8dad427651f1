"""Whom a proxy may speak for, as the server of the API decides it."""

from typing import Any

import pytest
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from domain.ip_allow_list import spell_both_ways

TRUSTED = ("10.0.0.7", "10.1.0.0/16", "2001:db8::/32")


async def seen_from(client: str, forwarded: str) -> str:
    seen: list[str] = []

    async def app(scope: Any, _receive: Any, _send: Any) -> None:
        seen.append(scope["client"][0])

    headers = [(b"x-forwarded-for", forwarded.encode())]
    server: Any = ProxyHeadersMiddleware(app, trusted_hosts=spell_both_ways(TRUSTED))
    await server({"type": "http", "client": (client, 1), "headers": headers}, None, None)
    return seen[0]


@pytest.mark.parametrize(
    "proxy",
    ["10.0.0.7", "10.1.2.3", "2001:db8::1", "::ffff:10.0.0.7", "::ffff:10.1.2.3"],
)
async def test_a_trusted_proxy_is_believed_on_sockets_of_either_kind(proxy: str) -> None:
    assert await seen_from(proxy, "203.0.113.9") == "203.0.113.9"
    # What the client said itself stands before what the proxies added.
    assert await seen_from(proxy, "192.0.2.1, 203.0.113.9, 10.1.0.1") == "203.0.113.9"


@pytest.mark.parametrize("stranger", ["10.0.0.8", "::ffff:10.0.0.8", "::10.0.0.7", "::1"])
async def test_nobody_else_is(stranger: str) -> None:
    assert await seen_from(stranger, "203.0.113.9") == stranger
