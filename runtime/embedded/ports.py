"""Choosing TCP ports of the loopback interface."""

import random
import socket

HOST = "127.0.0.1"

# Below the range the kernel draws from for outgoing connections (32768 on Linux, 49152 on macOS),
# so that no client takes the port while its server is being restarted.
_FIRST, _LAST = 20_000, 32_000
_TRIES = 200


def is_free(port: int) -> bool:
    """Whether a server could listen on this port now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def choose_port(preferred: int | None = None) -> int:
    """`preferred` when it is free, else any free port.

    Raises:
        OSError: no free port was found.
    """
    if preferred is not None and is_free(preferred):
        return preferred
    drawn = random.SystemRandom()
    for _ in range(_TRIES):
        if is_free(port := drawn.randint(_FIRST, _LAST)):
            return port
    raise OSError(f"no free port between {_FIRST} and {_LAST}")
