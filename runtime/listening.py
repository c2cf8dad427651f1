"""Sockets that listen, and handing one to a program of ours."""

import errno
import socket

from runtime.embedded.ports import choose_port
from runtime.failures import WRONG_INPUT, CommandError

_BACKLOG = 2_048
_TRIES = 20


class ListenError(CommandError):
    """An address cannot be listened on."""

    exit_code = WRONG_INPUT


class PortTakenError(ListenError):
    """Somebody else listens there."""


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens.

    Raises:
        PortTakenError: the port is in use.
        ListenError: the host is not one of this machine, or the port is for the system alone.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # With the protocol named, asyncio sets TCP_NODELAY on what it accepts.
    bound = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((host, port))
        bound.listen(_BACKLOG)
    except OSError as error:
        bound.close()
        kind = PortTakenError if error.errno == errno.EADDRINUSE else ListenError
        reason = (error.strerror or str(error)).lower()
        raise kind(f"cannot listen on {host} port {port}: {reason}") from None
    return bound


def listen_near(host: str, preferred: int) -> socket.socket:
    """A socket that listens on the preferred port, else on any free one. Raises ListenError."""
    port = preferred
    for _ in range(_TRIES):
        try:
            return listen(host, port)
        except PortTakenError:
            port = choose_port()
    return listen(host, port)


def adopt(descriptor: int) -> socket.socket:
    """The listening socket that our starter left open for us. Raises ListenError."""
    try:
        return socket.socket(fileno=descriptor)
    except OSError:
        raise ListenError(f"descriptor {descriptor} is no socket of our starter's") from None
