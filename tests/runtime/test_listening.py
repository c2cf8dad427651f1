import os
import socket

import pytest

from runtime.listening import ListenError, adopt, listen, listen_near


def test_a_taken_port_is_refused_in_words_or_replaced() -> None:
    with listen("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(ListenError) as refused:
            listen("127.0.0.1", port)
        assert (
            str(refused.value) == f"cannot listen on 127.0.0.1 port {port}: address already in use"
        )
        with listen_near("127.0.0.1", port) as other:
            assert other.getsockname()[1] != port


def test_a_free_port_is_taken_as_preferred() -> None:
    with listen("127.0.0.1", 0) as drawn:
        port = drawn.getsockname()[1]
    with listen_near("127.0.0.1", port) as bound:
        assert bound.getsockname() == ("127.0.0.1", port)


def test_a_host_of_another_machine_is_refused() -> None:
    with pytest.raises(ListenError, match=r"^cannot listen on 192\.0\.2\.1 port 0: "):
        listen_near("192.0.2.1", 0)


def test_an_inherited_socket_is_adopted_and_nothing_else() -> None:
    with listen("127.0.0.1", 0) as ours, adopt(os.dup(ours.fileno())) as theirs:
        assert theirs.getsockname() == ours.getsockname()
        assert theirs.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN) == 1
    with pytest.raises(ListenError, match="is no socket of our starter's"):
        adopt(9_999)
