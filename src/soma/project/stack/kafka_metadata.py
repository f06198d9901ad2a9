"""One question in Kafka's own protocol: how many brokers serve?

A client library would go on asking in threads of its own.
"""

import struct
from collections.abc import Callable

from soma.base.errors import Unavailable
from soma.project.stack.checks import open_socket

METADATA, VERSION, CORRELATION = 3, 1, 7
NO_TOPICS = struct.pack(">i", 0)
LONGEST = 1 << 20


def brokers(server: str) -> int:
    """How many brokers `server` (`host:port`) says serve. Raises Unavailable.

    The answer (https://kafka.apache.org/protocol#The_Messages_Metadata) begins with the correlation id and
    the length of the list of brokers.
    """
    client = b"somagent"
    head = struct.pack(">hhih", METADATA, VERSION, CORRELATION, len(client)) + client
    request = head + NO_TOPICS
    with open_socket(server) as connection:
        try:
            connection.sendall(struct.pack(">i", len(request)) + request)
            (length,) = struct.unpack(">i", _read(connection.recv, 4))
            if not 8 <= length <= LONGEST:
                raise Unavailable(f"{server} does not speak Kafka's protocol")
            correlation, count = struct.unpack(">ii", _read(connection.recv, 8))
        except OSError as error:
            raise Unavailable(f"{server} does not answer: {error}") from error
    if correlation != CORRELATION:
        raise Unavailable(f"{server} does not speak Kafka's protocol")
    return int(count)


def _read(receive: Callable[[int], bytes], size: int) -> bytes:
    raw = b""
    while len(raw) < size:
        part = receive(size - len(raw))
        if not part:
            raise ConnectionResetError("it hung up")
        raw += part
    return raw
