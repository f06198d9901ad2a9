"""Answering a request once, however often it is sent."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from soma.base.canonical import json_bytes, json_value, sha256_hex
from soma.base.errors import Conflict
from soma.base.tenancy import Principal
from soma.identity.ports import KeyValueStore

KEPT = timedelta(hours=24)
"""How long an answer is given again."""
WORKING = timedelta(minutes=5)
"""How long a request may take; what took longer has ended without an answer, and may be sent again."""


class Idempotency:
    """The answers to requests that carried an idempotency key, each user's apart."""

    def __init__(self, store: KeyValueStore) -> None:
        self._store = store

    def once(
        self, principal: Principal, operation: str, key: str, request: object, act: Callable[[], Any]
    ) -> Any:
        """The JSON value that `act` gives, or gave to the first request with `key`, if that was the same:
        `request` is its JSON value. `act` that fails may be tried again.

        Raises Conflict for a key that was used for another request, or whose request is at work.
        """
        place = f"idempotency:{principal.user_id}:{operation}:{sha256_hex(key.encode())}"
        digest = sha256_hex(json_bytes(request))
        claim = json_bytes({"request": digest, "answer": None})
        tenant_id = principal.tenant_id
        if not self._store.set(tenant_id, place, claim, ttl=WORKING, only_if_absent=True):
            return self._given(principal, place, digest)
        try:
            answer = act()
        except BaseException:
            self._store.delete(tenant_id, place)
            raise
        self._store.set(tenant_id, place, json_bytes({"request": digest, "answer": answer}), ttl=KEPT)
        return answer

    def _given(self, principal: Principal, place: str, digest: str) -> Any:
        standing = self._store.get(principal.tenant_id, place)
        known = {"request": digest, "answer": None} if standing is None else json_value(standing)
        if known["request"] != digest:
            raise Conflict("this idempotency key was used for another request")
        if known["answer"] is None:
            raise Conflict("the request with this idempotency key is at work; ask again")
        return known["answer"]
