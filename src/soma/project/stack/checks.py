"""How servers are asked whether they can work: one question over HTTP, gRPC or a bare connection."""

import socket
from urllib.parse import urlsplit

import httpx

from soma.base.errors import Unavailable

SECONDS = 2.0
SILENT = {"UNAVAILABLE", "DEADLINE_EXCEEDED", "CANCELLED", "UNKNOWN", "INTERNAL"}
"""gRPC's codes that no working server answers with to these questions."""


def check_http(url: str) -> None:
    """Expect a 2xx. Raises Unavailable."""
    try:
        answer = httpx.get(url, timeout=SECONDS, trust_env=False, verify=url.startswith("https"))
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise Unavailable(f"{url} does not answer: {type(error).__name__} {error}") from error
    if not answer.is_success:
        raise Unavailable(f"{url} answers {answer.status_code}")


def check_grpc(address: str, method: str) -> bytes:
    """Call `method` with an empty message; what it answers. A refusal is an answer too, and is empty.

    Raises Unavailable.
    """
    try:
        import grpc
    except ImportError as error:
        raise Unavailable(
            "the Python package grpcio is not installed here; `make stack` installs it"
        ) from error
    with grpc.insecure_channel(address, options=[("grpc.enable_http_proxy", 0)]) as channel:
        call = channel.unary_unary(method, request_serializer=bytes, response_deserializer=bytes)
        try:
            answer: bytes = call(b"", timeout=SECONDS)
        except grpc.RpcError as error:
            code = error.code().name
            if code in SILENT:
                raise Unavailable(f"{address} does not answer: {code}, {error.details()}") from error
            return b""
    return answer


def check_grpc_health(address: str) -> None:
    """Expect SERVING of gRPC's health service. Raises Unavailable."""
    if check_grpc(address, "/grpc.health.v1.Health/Check") != b"\x08\x01":
        raise Unavailable(f"{address} answers that it does not serve")


def open_socket(address: str) -> socket.socket:
    """A connection to `host:port`. Raises Unavailable."""
    host, port = host_and_port(address)
    try:
        return socket.create_connection((host, port), timeout=SECONDS)
    except OSError as error:
        raise Unavailable(f"{address} does not answer: {error}") from error


def host_and_port(address: str) -> tuple[str, int]:
    """The two parts of `host:port`, with or without a scheme. Raises Unavailable."""
    try:
        parts = urlsplit(address if "://" in address else f"//{address}")
        if parts.hostname and parts.port:
            return parts.hostname, parts.port
    except ValueError:
        pass
    raise Unavailable(f"{address!r} is not an address with a port")
