"""Milvus's protocol over one gRPC channel.

The generated messages of `pymilvus` are used, and not its client: that repeats a failed call until the
time-out has passed again, reconnects for up to ten seconds under a lock which all its users share, and
prints three stack traces for each failure. Here a call ends at its deadline, whatever happens, and the
channel comes back by itself once the server does.
"""

import base64
from typing import Any, NoReturn
from urllib.parse import unquote, urlsplit

from soma.base.errors import InvalidInput
from soma.fractalmemory.adapters.deadline import Deadline
from soma.fractalmemory.adapters.milvus_protocol import protocol
from soma.fractalmemory.errors import StoreUnavailable

COLLECTION_NOT_FOUND, COLLECTION_NOT_LOADED, INDEX_NOT_FOUND = 100, 101, 700
DEFAULT_PORT = 19530
OPTIONS = (
    ("grpc.max_send_message_length", -1),
    ("grpc.max_receive_message_length", -1),
    ("grpc.keepalive_time_ms", 10_000),
    ("grpc.keepalive_timeout_ms", 5_000),
    # gRPC's own default lets two minutes pass before it looks again for a server that was away for long.
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 1_000),
    ("grpc.use_local_subchannel_pool", 1),
)


class MilvusRefusal(StoreUnavailable):
    """Milvus answered that it will not; `status` is its code."""

    def __init__(self, detail: str, status: int) -> None:
        super().__init__(detail)
        self.status = status

    @property
    def collection_away(self) -> bool:
        """Whether the collection is not there, or not loaded, as after a restart."""
        return self.status in {COLLECTION_NOT_FOUND, COLLECTION_NOT_LOADED}


class MilvusConnection:
    """Calls Milvus at `url`: http(s)://[user:password@]host[:port][/database]."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise InvalidInput(f"{url!r} is no address of a Milvus server; one is http://127.0.0.1:19530")
        self.address = f"{parts.hostname}:{parts.port or DEFAULT_PORT}"
        self._metadata = _metadata(unquote(parts.username or ""), unquote(parts.password or ""), parts.path)
        self._channel = _channel(self.address, secure=parts.scheme == "https")
        self._stub = protocol().stub(self._channel)

    def call(self, method: str, request: Any, deadline: Deadline) -> Any:
        """The reply to `method`. Raises StoreUnavailable at the deadline at the latest, MilvusRefusal."""
        try:
            reply = getattr(self._stub, method)(request, timeout=deadline.left, metadata=self._metadata)
        except protocol().grpc.RpcError as error:
            self._fail(method, error, deadline)
        status = getattr(reply, "status", reply)
        code = status.code or status.error_code
        if code:
            detail = f"Milvus at {self.address} refuses {method} with {code}: {status.reason}"
            raise MilvusRefusal(detail, code)
        return reply

    def close(self) -> None:
        """End the channel."""
        self._channel.close()

    def _fail(self, method: str, error: Any, deadline: Deadline) -> NoReturn:
        if error.code() is protocol().grpc.StatusCode.DEADLINE_EXCEEDED:
            reason = f"did not answer {method} within {deadline.seconds:g} s"
        else:
            reason = f"does not answer {method}: {error.details() or error.code().name}"
        raise StoreUnavailable(f"Milvus at {self.address} {reason}") from error


def _channel(address: str, *, secure: bool) -> Any:
    grpc = protocol().grpc
    if secure:
        return grpc.secure_channel(address, grpc.ssl_channel_credentials(), options=OPTIONS)
    return grpc.insecure_channel(address, options=OPTIONS)


def _metadata(user: str, password: str, path: str) -> tuple[tuple[str, str], ...]:
    metadata = [("dbname", path.strip("/"))]
    if user:
        token = f"{user}:{password}" if password else user
        metadata.append(("authorization", base64.b64encode(token.encode()).decode()))
    return tuple(metadata)
