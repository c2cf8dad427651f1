import asyncio
import socket
from collections.abc import Iterable
from typing import Any

import httpcore
import pytest
from typing_extensions import override

from domain.errors import AddressRefusedError
from providers._kit.ssrf import GuardedBackend, check_address, check_url

PUBLIC = ["93.184.216.34", "8.8.8.8", "2606:2800:220:1::1", "::ffff:8.8.8.8", "64:ff9b::808:808"]
PRIVATE = [
    "10.0.0.1",
    "100.64.0.1",
    "127.0.0.1",
    "127.9.9.9",
    "172.16.0.1",
    "172.31.255.255",
    "192.168.1.1",
    "198.18.0.1",
    "::1",
    "fc00::1",
    "fd12:3456::1",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "64:ff9b::7f00:1",
]
NEVER = [
    "0.0.0.0",
    "169.254.169.254",
    "192.0.0.1",
    "192.0.2.1",
    "192.88.99.1",
    "198.51.100.1",
    "203.0.113.1",
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::ffff:169.254.169.254",
    "64:ff9b::a9fe:a9fe",
    "64:ff9b:1::1",
    "100::1",
    "2001::1",
    "2001:db8::1",
    "2002:7f00:1::",
    "3fff::1",
    "fe80::1",
    "fe80::1%eth0",
    "fd00:ec2::254",
    "ff02::1",
]


class _Network(httpcore.AsyncNetworkBackend):
    def __init__(self) -> None:
        self.connected: list[str] = []
        self.deaf: set[str] = set()

    @override
    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        self.connected.append(host)
        if host in self.deaf:
            raise httpcore.ConnectError("no route")
        return httpcore.AsyncMockStream([])

    @override
    async def sleep(self, seconds: float) -> None:
        raise AssertionError("nothing sleeps")


def _resolve_to(monkeypatch: pytest.MonkeyPatch, *answers: list[str]) -> list[str]:
    asked: list[str] = []
    left = list(answers)

    async def getaddrinfo(host: str, port: int, **_: Any) -> list[Any]:
        asked.append(host)
        addresses = left.pop(0) if len(left) > 1 else left[0]
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (it, port)) for it in addresses]

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", getaddrinfo)
    return asked


@pytest.mark.parametrize("address", PUBLIC)
def test_public_addresses_pass(address: str) -> None:
    assert check_address("shop.example", address, allow_private=False) == address


@pytest.mark.parametrize("address", PRIVATE)
def test_private_addresses_pass_only_with_the_switch(address: str) -> None:
    assert check_address("shop.example", address, allow_private=True) == address
    with pytest.raises(AddressRefusedError, match="ENTREPOT_ALLOW_PRIVATE_ADDRESSES"):
        check_address("shop.example", address, allow_private=False)


@pytest.mark.parametrize("address", NEVER)
@pytest.mark.parametrize("allow_private", [False, True])
def test_reserved_addresses_never_pass(address: str, allow_private: bool) -> None:
    with pytest.raises(AddressRefusedError):
        check_address("shop.example", address, allow_private=allow_private)


@pytest.mark.parametrize(
    "url",
    [
        "ftp://shop.example/",
        "file:///etc/passwd",
        "gopher://shop.example",
        "shop.example",
        "https://",
        "https://user@shop.example/",
        "https://user:secret@shop.example/",
        "https://@shop.example/",
        "https://shop.example:99999/",
        "https://shop.example:0/",
        "https://[::1",
    ],
)
def test_urls_that_are_never_called(url: str) -> None:
    with pytest.raises(AddressRefusedError) as caught:
        check_url(url)
    assert "secret" not in str(caught.value)


async def test_connection_goes_to_the_checked_address(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = _resolve_to(monkeypatch, ["8.8.8.8"], ["127.0.0.1"])
    network = _Network()

    await GuardedBackend(network, allow_private=False).connect_tcp("shop.example", 443)

    assert (asked, network.connected) == (["shop.example"], ["8.8.8.8"])


async def test_one_refused_address_refuses_the_name(monkeypatch: pytest.MonkeyPatch) -> None:
    _resolve_to(monkeypatch, ["8.8.8.8", "10.0.0.5"])
    network = _Network()

    with pytest.raises(AddressRefusedError):
        await GuardedBackend(network, allow_private=False).connect_tcp("shop.example", 443)
    assert network.connected == []


@pytest.mark.parametrize("host", ["127.0.0.1", "2130706433", "0x7f.1", "localhost"])
async def test_other_ways_to_write_this_machine_are_seen(host: str) -> None:
    network = _Network()

    with pytest.raises(AddressRefusedError):
        await GuardedBackend(network, allow_private=False).connect_tcp(host, 80)
    assert network.connected == []


async def test_next_address_is_tried_when_one_does_not_answer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    _resolve_to(monkeypatch, ["8.8.8.8", "8.8.4.4"])
    network = _Network()
    network.deaf.add("8.8.8.8")

    await GuardedBackend(network, allow_private=False).connect_tcp("shop.example", 443)

    assert network.connected == ["8.8.8.8", "8.8.4.4"]


async def test_name_that_does_not_resolve(monkeypatch: pytest.MonkeyPatch) -> None:
    async def getaddrinfo(*_: Any, **__: Any) -> list[Any]:
        raise socket.gaierror

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", getaddrinfo)

    with pytest.raises(httpcore.ConnectError, match="does not resolve"):
        await GuardedBackend(_Network(), allow_private=False).connect_tcp("no.example", 443)
