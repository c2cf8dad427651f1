"""Ports: the wanted one if it is free, and never one the kernel hands to clients."""

import socket

from runtime.embedded.ports import HOST, choose_port, is_free


def test_a_free_port_is_given_and_a_taken_one_is_not() -> None:
    wanted = choose_port()
    assert choose_port(wanted) == wanted
    with socket.socket() as server:
        server.bind((HOST, wanted))
        server.listen()
        assert not is_free(wanted)
        assert choose_port(wanted) != wanted


def test_ports_are_outside_the_range_of_outgoing_connections() -> None:
    drawn = [choose_port() for _ in range(50)]
    assert 20_000 <= min(drawn) <= max(drawn) <= 32_000
