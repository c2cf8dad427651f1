"""From where a key may be used: addresses and networks, IPv4 and IPv6."""

from collections.abc import Iterable
from ipaddress import IPv4Network, IPv6Address, ip_address, ip_interface, ip_network
from typing import Final

_MAPPED_BITS: Final = 96  # of an IPv4 address as IPv6 shows it (RFC 4291, 2.5.5.2)


def read_network(text: str) -> str:
    """An address or network in its one spelling: `10.1.2.3`, `10.0.0.0/8`, `2001:db8::/32`.

    Raises:
        ValueError: it is neither, or an address with the mask of its network (RFC 4632: a prefix
            has no bits behind its length), which would let in more than it names.
    """
    text = text.strip()
    try:
        meant = ip_interface(text)
    except ValueError:
        raise ValueError(
            f"{text[:60]!r} is neither an address nor a network: write it like 203.0.113.7, "
            "203.0.113.0/24 or 2001:db8::/32"
        ) from None
    try:
        network = ip_network(text)
    except ValueError:
        raise ValueError(
            f"{text!r} is an address with a mask: write {meant.ip} for the address or "
            f"{meant.network} for its network"
        ) from None
    first = network.network_address
    if isinstance(first, IPv6Address) and first.ipv4_mapped and network.prefixlen >= _MAPPED_BITS:
        # As its callers are looked for, see below.
        network = ip_network((str(first.ipv4_mapped), network.prefixlen - _MAPPED_BITS))
    is_one = network.prefixlen == network.max_prefixlen
    return str(network.network_address) if is_one else str(network)


def spell_both_ways(networks: Iterable[str]) -> list[str]:
    """What `read_network` wrote, and the IPv4 of it also as a dual-stack socket shows it."""
    read = [ip_network(one) for one in networks]
    return [
        *(str(one) for one in read),
        *(
            f"::ffff:{one.network_address}/{one.prefixlen + _MAPPED_BITS}"
            for one in read
            if isinstance(one, IPv4Network)
        ),
    ]


def is_allowed(address: str, allowed: Iterable[str]) -> bool:
    """Whether an address is in a list that `read_network` wrote. An empty list lets all in.

    What is no address (a socket without a peer, say) is in no list.
    """
    networks = [ip_network(one) for one in allowed]
    if not networks:
        return True
    try:
        caller = ip_address(address.partition("%")[0])
    except ValueError:
        return False
    # RFC 4291, 2.5.5.2: an IPv4 caller as a dual-stack socket shows it.
    if isinstance(caller, IPv6Address) and caller.ipv4_mapped is not None:
        caller = caller.ipv4_mapped
    return any(caller in network for network in networks)
