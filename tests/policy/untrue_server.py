"""A server that answers HTTP as no OPA would: what stands at the address need not be one."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager


class AnswerOf:
    """`parts`, with `pause` seconds before each; with `hang` the connection stays open after them."""

    def __init__(self, *parts: bytes, pause: float = 0.0, hang: bool = False) -> None:
        self.parts = parts
        self.pause = pause
        self.hang = hang


@contextmanager
def answering(answer: AnswerOf) -> Iterator[str]:
    """The address of a server that gives `answer` to each question and then ends the connection."""
    over = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=_serve, args=(listening, answer, over))
        thread.start()
        try:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        finally:
            over.set()
            listening.shutdown(socket.SHUT_RDWR)
            thread.join()


def http(body: bytes, *, status: str = "200 OK", head: str = "") -> bytes:
    """A complete response."""
    return f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n{head}\r\n".encode() + body


def _serve(listening: socket.socket, answer: AnswerOf, over: threading.Event) -> None:
    while True:
        try:
            connection, _ = listening.accept()
        except OSError:
            return
        with connection:
            _answer(connection, answer, over)


def _answer(connection: socket.socket, answer: AnswerOf, over: threading.Event) -> None:
    try:
        connection.recv(65_536)
        for part in answer.parts:
            over.wait(answer.pause)
            connection.sendall(part)
        if answer.hang:
            over.wait()
    except OSError:
        return
