"""An OPA server that decides, by the same Rego files."""

import logging
import re
import time

from soma.base.canonical import json_bytes, sha256_hex
from soma.policy.adapters.input_document import document_bytes
from soma.policy.adapters.opa_answer import OpaAnswer, answer_of
from soma.policy.adapters.opa_connections import OpaConnections
from soma.policy.adapters.opa_contents import OpaContents
from soma.policy.domain.decision import Decision
from soma.policy.domain.policy_input import PolicyInput
from soma.policy.errors import InputNotDecidable, PolicyUnreachable, PolicyUnusable

log = logging.getLogger(__name__)

DEADLINE_S = 0.1
PATH = "/v1/data/soma/decision?provenance=true"
MAXIMUM_BYTES = 262_144
"""The largest answer, head included."""
MAXIMUM_REASON = 1000
SHA256 = re.compile("[0-9a-f]{64}")


class OpaPolicyEngine:
    """Asks OPA for every decision, and takes no decision for a denial. See PolicyEngine.

    The server keeps its policy by itself (a bundle); its revision is the policy's hash.
    """

    def __init__(self, url: str, *, deadline_s: float = DEADLINE_S) -> None:
        """`url` is http(s)://host[:port]; the server may be away. Raises InvalidInput."""
        self._connections = OpaConnections(url)
        self._contents = OpaContents(self._connections)
        self._deadline_s = deadline_s
        self._digest = ""
        self._sound = ""

    @property
    def policy_hash(self) -> str:
        """See PolicyEngine. The policy of the latest answer."""
        if not self._digest:
            self._find_fault()
        return self._digest

    @property
    def fault(self) -> str | None:
        """See PolicyEngine. Asks the server."""
        return self._find_fault()

    def reload(self) -> None:
        """See PolicyEngine. The server reads its policy by itself; this forgets what is known of it."""
        self._contents.forget()
        self._digest = self._sound = ""
        self._find_fault()

    def close(self) -> None:
        """Close the connections."""
        self._connections.close()

    def decide(self, policy_input: PolicyInput) -> Decision:
        """See PolicyEngine."""
        started = time.perf_counter()
        asked = _Asked()
        allow, reasons = self._answer(policy_input, asked, time.monotonic() + self._deadline_s)
        return Decision(
            allow=allow,
            reasons=reasons,
            policy_hash=asked.digest,
            latency_ms=(time.perf_counter() - started) * 1000,
            decision_id=asked.decision_id,
        )

    def _answer(
        self, policy_input: PolicyInput, asked: "_Asked", deadline: float
    ) -> tuple[bool, tuple[str, ...]]:
        try:
            answer = self._ask(document_bytes(policy_input.document()), deadline)
            asked.decision_id = answer.decision_id
            asked.digest = self._digest_of(answer, deadline)
            if asked.digest != self._sound:
                self._require_sound(deadline)
            return answer.decision()
        except (PolicyUnusable, PolicyUnreachable, InputNotDecidable) as error:
            return False, (f"engine.{error.code}: {error.detail}"[:MAXIMUM_REASON],)
        except Exception as error:
            # The boundary of fail-closed: whatever else breaks here is a denial too, and is recorded.
            log.exception("a policy decision on %s failed", policy_input.action)
            return False, (f"engine.failed: {type(error).__name__} while deciding.",)

    def _find_fault(self) -> str | None:
        try:
            self._require_sound(time.monotonic() + self._deadline_s)
        except (PolicyUnusable, PolicyUnreachable) as error:
            return error.detail
        return None

    def _require_sound(self, deadline: float) -> None:
        """A policy without an answer to the empty question may lack one to others: none of it is used.
        Raises PolicyUnusable, PolicyUnreachable."""
        answer = self._ask(b"{}", deadline)
        digest = self._digest_of(answer, deadline)
        answer.decision()
        self._sound = digest

    def _ask(self, document: bytes, deadline: float) -> OpaAnswer:
        question = b'{"input":' + document + b"}"
        reply = self._connections.exchange("POST", PATH, question, deadline=deadline, maximum=MAXIMUM_BYTES)
        return answer_of(reply)

    def _digest_of(self, answer: OpaAnswer, deadline: float) -> str:
        """The hash of the policy that gave `answer`."""
        revisions = answer.revisions
        if not revisions or "" in revisions.values():
            self._digest = self._contents.digest(deadline)
        elif len(revisions) == 1:
            self._digest = _as_hash(*revisions.values())
        else:
            self._digest = sha256_hex(json_bytes(revisions))
        return self._digest


class _Asked:
    """What is known of a decision by the time it is taken, or fails."""

    def __init__(self) -> None:
        self.digest = ""
        self.decision_id: str | None = None


def _as_hash(revision: str) -> str:
    """A revision that is our hash, as it is; the SHA-256 of any other text."""
    return revision if SHA256.fullmatch(revision) else sha256_hex(revision.encode())
