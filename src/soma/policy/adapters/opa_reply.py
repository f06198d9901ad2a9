"""An HTTP response, put together as it arrives."""

from dataclasses import dataclass

import httptools


class Spoilt(Exception):
    """What arrived is no single, complete response within the limit. The text goes on after a name."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Reply:
    """A complete response."""

    status: int
    body: bytes


class ReplyReader:
    """Reads one response of at most `maximum` bytes, head included."""

    def __init__(self, maximum: int) -> None:
        self._maximum = maximum
        self._body: list[bytes] = []
        self._parser = httptools.HttpResponseParser(self)
        self._begun = 0
        self._status = 0
        self.size = 0
        self.complete = False
        self.reusable = False

    def feed(self, data: bytes) -> None:
        """More of it. Raises Spoilt, and HttpParserError where it is no HTTP."""
        self.size += len(data)
        if self.size > self._maximum:
            raise Spoilt(f"gave an answer of more than {self._maximum} bytes")
        self._parser.feed_data(data)
        if self._begun > 1:
            raise Spoilt("answered twice")

    def reply(self) -> Reply:
        """The response, once it is complete."""
        del self._parser  # it holds this reader, which would wait for the garbage collector
        return Reply(status=self._status, body=b"".join(self._body))

    def on_message_begin(self) -> None:
        """See httptools."""
        self._begun += 1

    def on_body(self, data: bytes) -> None:
        """See httptools."""
        self._body.append(data)

    def on_message_complete(self) -> None:
        """See httptools."""
        self.complete = True
        self.reusable = self._parser.should_keep_alive()
        self._status = self._parser.get_status_code()
