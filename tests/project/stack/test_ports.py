"""Free ports are found without taking anybody's."""

import socket
import threading

import pytest

from soma.project.stack.ports import HOST, RANGE, any_port, comes_free, is_free
from soma.project.stack.servers import KINDS

pytestmark = pytest.mark.req("STACK-001")


def listener(port: int) -> socket.socket:
    """A socket that listens there."""
    listening = socket.socket()
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listening.bind((HOST, port))
    listening.listen()
    return listening


def test_a_port_is_free_until_somebody_listens() -> None:
    port = any_port()
    assert is_free(port)
    with listener(port):
        assert not is_free(port)
    assert is_free(port)


def test_a_port_that_is_given_up_comes_free() -> None:
    port = any_port()
    listening = listener(port)
    closing = threading.Timer(0.2, listening.close)
    closing.start()

    assert comes_free(port)

    closing.join()


def test_the_servers_ports_are_their_own() -> None:
    ports = {kind.port for kind in KINDS.values()}
    assert len(ports) == len(KINDS)
    assert not any(port in RANGE for port in ports)
