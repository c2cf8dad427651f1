import asyncio
import socket
from typing import Any

import pytest

from domain.errors import AddressRefusedError
from providers._kit.ssrf import check_address, check_url, resolve

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


async def test_name_is_resolved_once_to_checked_addresses(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked = _resolve_to(monkeypatch, ["8.8.8.8", "8.8.4.4", "8.8.8.8"], ["127.0.0.1"])

    assert await resolve("shop.example", 443, allow_private=False) == ("8.8.8.8", "8.8.4.4")
    assert asked == ["shop.example"]


async def test_one_refused_address_refuses_the_name(monkeypatch: pytest.MonkeyPatch) -> None:
    _resolve_to(monkeypatch, ["8.8.8.8", "10.0.0.5"])

    with pytest.raises(AddressRefusedError):
        await resolve("shop.example", 443, allow_private=False)


@pytest.mark.parametrize("host", ["127.0.0.1", "2130706433", "0x7f.1", "localhost"])
async def test_other_ways_to_write_this_machine_are_seen(host: str) -> None:
    with pytest.raises(AddressRefusedError):
        await resolve(host, 80, allow_private=False)


@pytest.mark.parametrize("host", ["a" * 70 + ".example", "no..example"])
async def test_what_is_no_host_name_does_not_resolve(host: str) -> None:
    with pytest.raises(socket.gaierror):
        await resolve(host, 443, allow_private=False)
