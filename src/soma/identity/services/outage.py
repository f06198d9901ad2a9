"""Leaving a server that does not answer alone, so that it does not cost every caller its time-out."""

import threading
import time

RETRY_SECONDS = 1.0


class Outage:
    """Whether to ask a server, told of each success and failure. While it fails, one caller a second asks."""

    def __init__(self, retry_seconds: float = RETRY_SECONDS) -> None:
        self._retry_seconds = retry_seconds
        self._lock = threading.Lock()
        self._next = 0.0
        self.reason: str | None = None

    def may_ask(self) -> bool:
        """Whether the caller should ask now, and then tell how it went."""
        if self.reason is None:
            return True
        with self._lock:
            now = time.monotonic()
            if now < self._next:
                return False
            self._next = now + self._retry_seconds
            return True

    def failed(self, reason: str) -> bool:
        """The server did not answer; whether this is news."""
        with self._lock:
            news = self.reason is None
            self.reason = reason
            self._next = time.monotonic() + self._retry_seconds
        return news

    def worked(self) -> bool:
        """The server answered; whether this is news."""
        if self.reason is None:
            return False
        with self._lock:
            news, self.reason = self.reason is not None, None
        return news
