"""Somebody with a session of their own tenant, and what is stored for that tenant."""

import socket
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import httpx
from django.apps import apps
from django.db.models import Model

from soma.base.database import tenant_transaction
from soma.events.api import Relay
from soma.events.models import AuditCheckpoint

CONVERSATIONS = "/api/v2/chat/conversations"
TURNS = "/api/v2/chat/turns"


@dataclass(frozen=True, kw_only=True, slots=True)
class Person:
    """`client` sends the session's token; `key` is the API key that it was minted with."""

    tenant_id: UUID
    key: str
    jwt: str
    client: httpx.Client
    relay: Relay
    turns: list[str] = field(default_factory=list)

    def rows(self) -> dict[str, int]:
        """How many rows each table holds for the tenant, once the relay has nothing left to move."""
        assert self.relay.drain(10)
        with tenant_transaction(self.tenant_id):
            return {model._meta.db_table: model._default_manager.count() for model in _of_tenants()}

    def conversation(self) -> str:
        """The id of a new conversation."""
        answer = self.client.post(CONVERSATIONS, json={})
        assert answer.status_code == 201, answer.text
        identity: str = answer.json()["id"]
        return identity

    def ask(self, text: str, **more: Any) -> str:
        """The id of a turn begun with `text` in a new conversation."""
        answer = self.client.post(
            f"{CONVERSATIONS}/{self.conversation()}/messages", json={"message": text, **more}
        )
        assert answer.status_code == 202, answer.text
        turn: str = answer.json()["turn_id"]
        self.turns.append(turn)
        return turn

    def leave(self) -> None:
        """Stop what was begun: the model answers one after the other."""
        for turn in self.turns:
            self.client.post(f"{TURNS}/{turn}/cancel")
        self.client.close()


def _of_tenants() -> list[type[Model]]:
    """All but checkpoints, of which the relay makes one when it is time."""
    return [
        model
        for model in apps.get_models()
        if any(field.name in {"tenant", "tenant_id"} for field in model._meta.get_fields())
        and model is not AuditCheckpoint
    ]


def raw(url: str, request: bytes) -> bytes:
    """What the server at `url` answers to bytes that a well-behaved client would not send."""
    parts = urlsplit(url)
    with socket.create_connection((parts.hostname, parts.port or 80), timeout=10) as connection:
        connection.sendall(request)
        connection.shutdown(socket.SHUT_WR)
        return b"".join(iter(lambda: connection.recv(65536), b""))


def problem(answer: httpx.Response, status: int, code: str) -> dict[str, Any]:
    """The problem details of `answer`, which must be one of `status` and `code`."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    document: dict[str, Any] = answer.json()
    assert document["status"] == status
    assert document["code"] == code, document
    assert document["type"].endswith(code)
    assert document["trace_id"] == answer.headers["x-trace-id"]
    assert len(document["trace_id"]) == 32
    assert document["title"]
    assert document["instance"].startswith("/")
    return document
