"""Which policy an OPA server holds whose bundles do not say."""

import threading
import time
from typing import Any

from soma.base.canonical import json_bytes, sha256_hex
from soma.policy.adapters.opa_answer import json_of
from soma.policy.adapters.opa_connections import OpaConnections
from soma.policy.errors import PolicyUnreachable

MAXIMUM_BYTES = 16 * 1_048_576
KEPT_SECONDS = 1.0
"""How late a change is seen. Only a bundle's revision comes with the answer that was decided by it."""


class OpaContents:
    """The SHA-256 over all policies and data of the server."""

    def __init__(self, connections: OpaConnections) -> None:
        self._connections = connections
        self._reading = threading.Lock()
        self._digest = ""
        self._until = 0.0

    def digest(self, deadline: float) -> str:
        """The digest, at most KEPT_SECONDS old. Raises PolicyUnreachable, PolicyUnusable."""
        if not self._reading.acquire(timeout=max(0.0, deadline - time.monotonic())):
            raise PolicyUnreachable("OPA's policy was not read in time; a bundle's revision would name it.")
        try:
            if time.monotonic() >= self._until:
                self._digest = self._read(deadline)
                self._until = time.monotonic() + KEPT_SECONDS
            return self._digest
        finally:
            self._reading.release()

    def forget(self) -> None:
        """Read anew the next time."""
        self._until = 0.0

    def _read(self, deadline: float) -> str:
        policies = self._get("/v1/policies", deadline)
        data = self._get("/v1/data", deadline)
        try:
            modules = sorted((policy["id"], policy["raw"]) for policy in policies or ())
        except (TypeError, KeyError) as error:
            raise PolicyUnreachable("OPA's list of policies cannot be read.") from error
        return sha256_hex(json_bytes([modules, data]))

    def _get(self, path: str, deadline: float) -> Any:
        reply = self._connections.exchange("GET", path, deadline=deadline, maximum=MAXIMUM_BYTES)
        return json_of(reply).get("result")
