"""A SpiceDB server, by gRPC: the calls that we make, each with a time limit, and what can become of them."""

from collections.abc import Callable, Iterable
from typing import Any, TypeVar

import grpc
from authzed.api.v1 import (
    CheckBulkPermissionsRequest,
    CheckBulkPermissionsResponse,
    DeleteRelationshipsRequest,
    ReadRelationshipsRequest,
    ReadRelationshipsResponse,
    ReadSchemaRequest,
    WriteRelationshipsRequest,
    WriteSchemaRequest,
)
from authzed.api.v1.permission_service_pb2_grpc import PermissionsServiceStub
from authzed.api.v1.schema_service_pb2_grpc import SchemaServiceStub

from soma.base.errors import Unavailable

T = TypeVar("T")

TLS = "grpcs://"
"""Before an address: encrypt, and trust whom this machine trusts."""
CALL_SECONDS = 2.0
"""For everything but checks, which have their own limit."""
OPTIONS = (
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.min_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 1_000),
    # A host that vanished without a word: unanswered bytes end the connection after the second of these.
    ("grpc.keepalive_time_ms", 10_000),
    ("grpc.keepalive_timeout_ms", 2_000),
    ("grpc.enable_retries", 0),
    ("grpc.use_local_subchannel_pool", 1),
)
AWAY = frozenset({grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED, grpc.StatusCode.CANCELLED})


class SpiceDbFailed(Unavailable):
    """SpiceDB did not do it. `status` is what it answered, or what kept it from answering."""

    code = "spicedb_unavailable"
    title = "SpiceDB does not answer"

    def __init__(self, detail: str, status: grpc.StatusCode) -> None:
        super().__init__(detail)
        self.status = status

    @property
    def answered(self) -> bool:
        """Whether it was reached, and refused."""
        return self.status not in AWAY


class SpiceDbServer:
    """The server at `address` (host:port, with grpcs:// before it for TLS), for whoever has `token`.

    Any thread may call. The connection comes back by itself, at the latest a second after the server.
    """

    def __init__(self, address: str, token: str) -> None:
        self._metadata = (("authorization", f"Bearer {token}"),)
        target = address.removeprefix(TLS)
        if address.startswith(TLS):
            self._channel = grpc.secure_channel(target, grpc.ssl_channel_credentials(), OPTIONS)
        else:
            self._channel = grpc.insecure_channel(target, OPTIONS)
        self._permissions = PermissionsServiceStub(self._channel)
        self._schema = SchemaServiceStub(self._channel)

    def check(self, request: CheckBulkPermissionsRequest, seconds: float) -> CheckBulkPermissionsResponse:
        """CheckBulkPermissions. Raises SpiceDbFailed."""
        answer: CheckBulkPermissionsResponse = self._call(
            self._permissions.CheckBulkPermissions, request, seconds
        )
        return answer

    def write(self, request: WriteRelationshipsRequest) -> str:
        """WriteRelationships; the token of what was written. Raises SpiceDbFailed."""
        written = self._call(self._permissions.WriteRelationships, request, CALL_SECONDS)
        return str(written.written_at.token)

    def delete(self, request: DeleteRelationshipsRequest) -> None:
        """DeleteRelationships. Raises SpiceDbFailed."""
        self._call(self._permissions.DeleteRelationships, request, CALL_SECONDS)

    def read(self, request: ReadRelationshipsRequest) -> list[ReadRelationshipsResponse]:
        """ReadRelationships, all of them. Raises SpiceDbFailed."""

        def whole(*arguments: Any, **options: Any) -> list[ReadRelationshipsResponse]:
            found: Iterable[ReadRelationshipsResponse] = self._permissions.ReadRelationships(
                *arguments, **options
            )
            return list(found)

        return self._call(whole, request, CALL_SECONDS)

    def schema(self, seconds: float = CALL_SECONDS) -> str:
        """The text of the schema, empty where there is none. Raises SpiceDbFailed."""
        try:
            return str(self._call(self._schema.ReadSchema, ReadSchemaRequest(), seconds).schema_text)
        except SpiceDbFailed as failed:
            if failed.status is grpc.StatusCode.NOT_FOUND:
                return ""
            raise

    def write_schema(self, text: str) -> None:
        """WriteSchema, in place of the one there is. Raises SpiceDbFailed."""
        self._call(self._schema.WriteSchema, WriteSchemaRequest(schema=text), CALL_SECONDS)

    def close(self) -> None:
        """End the connection."""
        self._channel.close()

    def _call(self, remote: Callable[..., T], request: object, seconds: float) -> T:
        try:
            return remote(request, timeout=seconds, metadata=self._metadata, wait_for_ready=False)
        except grpc.RpcError as error:
            raise _failure(error, seconds) from error
        except ValueError as error:
            raise SpiceDbFailed("the connection to spicedb is closed", grpc.StatusCode.CANCELLED) from error


def _failure(error: grpc.RpcError, seconds: float) -> SpiceDbFailed:
    status: grpc.StatusCode = error.code()
    if status is grpc.StatusCode.DEADLINE_EXCEEDED:
        return SpiceDbFailed(f"spicedb gave no answer within {seconds * 1000:.0f} ms", status)
    if status is grpc.StatusCode.UNAVAILABLE:
        return SpiceDbFailed("spicedb cannot be reached", status)
    return SpiceDbFailed(f"spicedb answers {status.name}: {error.details()}", status)
