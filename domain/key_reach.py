"""What an API key can do: which permissions, from where, until when and how often."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from ipaddress import IPv4Network, IPv6Network, collapse_addresses, ip_network
from typing import Final

EVERYTHING: Final = "*"

_Network = IPv4Network | IPv6Network


@dataclass(frozen=True, slots=True)
class Reach:
    """What a caller can do, or a key that they make or change.

    Attributes:
        permissions: words of `db.keys.Permission`; `*` is all.
        networks: where from, as `domain.ip_allow_list` writes them; empty: from anywhere.
        ends_at: until when; None: for ever.
        requests_per_minute: how often; None: as often as it likes, as people may decide.
    """

    permissions: frozenset[str]
    networks: tuple[str, ...] = ()
    ends_at: datetime | None = None
    requests_per_minute: int | None = None


def beyond(wanted: Reach, own: Reach) -> tuple[str, ...]:
    """In what `wanted` goes beyond `own`, in words; nothing when it is within.

    What a key makes or changes is within itself, so none comes to more by way of another, or of
    itself.
    """
    return (
        *_permissions_beyond(wanted.permissions, own.permissions),
        *_networks_beyond(wanted.networks, own.networks),
        *_end_beyond(wanted.ends_at, own.ends_at),
        *_limit_beyond(wanted.requests_per_minute, own.requests_per_minute),
    )


def _permissions_beyond(wanted: frozenset[str], own: frozenset[str]) -> Iterable[str]:
    return () if EVERYTHING in own else sorted(wanted - own)


def _networks_beyond(wanted: tuple[str, ...], own: tuple[str, ...]) -> Iterable[str]:
    if not own:
        return ()
    if not wanted:
        return ("use from any address",)
    held = _merged(own)
    return [f"use from {one}" for one in wanted if not _lies_in(ip_network(one), held)]


def _merged(networks: Iterable[str]) -> list[_Network]:
    """Two halves of a network are the whole of it."""
    read = [ip_network(one) for one in networks]
    return [
        *collapse_addresses(one for one in read if isinstance(one, IPv4Network)),
        *collapse_addresses(one for one in read if isinstance(one, IPv6Network)),
    ]


def _lies_in(network: _Network, held: Iterable[_Network]) -> bool:
    if isinstance(network, IPv4Network):
        return any(isinstance(one, IPv4Network) and network.subnet_of(one) for one in held)
    return any(isinstance(one, IPv6Network) and network.subnet_of(one) for one in held)


def _end_beyond(wanted: datetime | None, own: datetime | None) -> Iterable[str]:
    if own is None or (wanted is not None and wanted <= own):
        return ()
    return (f"an end after {own:%Y-%m-%dT%H:%M:%SZ}",) if wanted else ("no end",)


def _limit_beyond(wanted: int | None, own: int | None) -> Iterable[str]:
    if own is None or (wanted is not None and wanted <= own):
        return ()
    return (f"{wanted} requests per minute",) if wanted else ("any number of requests",)
