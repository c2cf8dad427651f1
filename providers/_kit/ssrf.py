"""The guard against server-side request forgery: which addresses the hub calls.

The check sits where the connection is made. A host name is resolved once, every address it has is
checked, and the connection goes to a checked address, so a name that resolves differently a
moment later (DNS rebinding) reaches nothing.
"""

import asyncio
import socket
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from urllib.parse import SplitResult, urlsplit

from domain.errors import AddressRefusedError

_SWITCH = "ENTREPOT_ALLOW_PRIVATE_ADDRESSES=true"

# IANA IPv4 special-purpose address registry (RFC 6890 and its updates).
_PRIVATE_V4 = tuple(
    IPv4Network(network)
    for network in (
        "10.0.0.0/8",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "172.16.0.0/12",
        "192.168.0.0/16",
        "198.18.0.0/15",
    )
)
_NEVER_V4 = tuple(
    IPv4Network(network)
    for network in (
        "0.0.0.0/8",
        "169.254.0.0/16",  # link-local: cloud metadata services live here
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.88.99.0/24",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/4",
        "240.0.0.0/4",
    )
)
_METADATA_V6 = IPv6Address("fd00:ec2::254")
_PRIVATE_V6 = (IPv6Network("::1/128"), IPv6Network("fc00::/7"))
# IANA IPv6 special-purpose address registry: global unicast (RFC 4291, 2.4) without its exceptions.
_GLOBAL_V6 = IPv6Network("2000::/3")
_NEVER_V6 = tuple(
    IPv6Network(network) for network in ("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20")
)
_MAPPED_V6 = ip_network("::ffff:0:0/96")
_NAT64_V6 = ip_network("64:ff9b::/96")

Address = IPv4Address | IPv6Address


def check_url(url: str) -> SplitResult:
    """Check what can be known of a URL without asking the network.

    Raises:
        AddressRefusedError: not http or https, no host, or a user name or password in it.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise AddressRefusedError("The address is not a URL we can read.") from None
    if parts.scheme not in ("http", "https"):
        raise AddressRefusedError("Only http:// and https:// addresses can be called.")
    if not parts.hostname or port == 0:
        raise AddressRefusedError("The address names no host.")
    if parts.username is not None or parts.password is not None:
        raise AddressRefusedError("An address may not carry a user name or password.")
    return parts


def check_address(host: str, address: str, *, allow_private: bool) -> str:
    """Check one resolved address of `host`; returns it.

    Raises:
        AddressRefusedError: it is not a public address. Addresses of private networks pass with
            `allow_private`; link-local (metadata), multicast and reserved ones never do.
    """
    parsed = _unwrap(ip_address(address.partition("%")[0]))
    if _is_private(parsed):
        if allow_private:
            return address
        raise AddressRefusedError(
            f"{host} is at a private address, which is not called. If this store really is in"
            f" your own network, set {_SWITCH}."
        )
    if _is_never_called(parsed):
        raise AddressRefusedError(f"{host} is at a reserved address, which is never called.")
    return address


def _unwrap(address: Address) -> Address:
    """The IPv4 address inside an IPv4-mapped (RFC 4291) or NAT64 (RFC 6052) address."""
    if isinstance(address, IPv6Address) and (address in _MAPPED_V6 or address in _NAT64_V6):
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address


def _is_private(address: Address) -> bool:
    if isinstance(address, IPv4Address):
        return any(address in network for network in _PRIVATE_V4)
    return address != _METADATA_V6 and any(address in network for network in _PRIVATE_V6)


def _is_never_called(address: Address) -> bool:
    if isinstance(address, IPv4Address):
        return any(address in network for network in _NEVER_V4)
    return address not in _GLOBAL_V6 or any(address in network for network in _NEVER_V6)


async def resolve(host: str, port: int, *, allow_private: bool) -> tuple[str, ...]:
    """The addresses of a host, all of them checked; connect to these and not to the name.

    Raises:
        AddressRefusedError: any of them is refused.
        OSError: the name does not resolve.
    """
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except UnicodeError:
        raise socket.gaierror(socket.EAI_NONAME, "not a host name") from None
    addresses = dict.fromkeys(str(info[4][0]) for info in found)
    return tuple(check_address(host, address, allow_private=allow_private) for address in addresses)
