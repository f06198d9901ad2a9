"""Whom a server speaks to."""

from collections.abc import Iterator

import psutil

from soma.project.stack.server import Server


def hosts(server: Server) -> set[str]:
    """The addresses that the server and its children listen on or are connected to."""
    record = server.record
    assert record is not None
    process = psutil.Process(record.pid)
    family = (process, *process.children(recursive=True))
    return {host.removeprefix("::ffff:") for each in family for host in _hosts(each)}


def _hosts(process: psutil.Process) -> Iterator[str]:
    try:
        for connection in process.net_connections(kind="inet"):
            yield from (place.ip for place in (connection.laddr, connection.raddr) if hasattr(place, "ip"))
    except psutil.NoSuchProcess:
        # A worker of the server that is done meanwhile.
        return
