"""Ports on this machine's own address, and on no other."""

import random
import socket
import time

HOST = "127.0.0.1"
RANGE = range(20000, 25000)
"""Below those that systems give to outgoing connections, one of which might take the port of a server that is
down for a moment; and apart from the servers' own."""
RELEASE_SECONDS = 3.0


def is_free(port: int) -> bool:
    """Whether nobody listens on `port`, so that a server could."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def comes_free(port: int) -> bool:
    """Whether `port` is free within a moment: a killed server's threads may hold it a little longer."""
    deadline = time.monotonic() + RELEASE_SECONDS
    while not is_free(port):
        if time.monotonic() >= deadline:
            return False
        time.sleep(0.02)
    return True


def any_port() -> int:
    """A port that nobody listens on."""
    return next(port for port in iter(lambda: random.choice(RANGE), None) if is_free(port))  # noqa: S311
