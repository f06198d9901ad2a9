"""What OPA's Data API answered."""

from dataclasses import dataclass
from typing import Any

import orjson

from soma.policy.adapters.decision_document import read_decision
from soma.policy.adapters.opa_reply import Reply
from soma.policy.errors import PolicyUnreachable, PolicyUnusable

OK = 200
LONGEST_ID = 200
ERRORS_OF_THE_POLICY = frozenset({400, 500})


@dataclass(frozen=True, kw_only=True, slots=True)
class OpaAnswer:
    """The value of `data.soma.decision`, and of what policy it is.

    `document` has it under "result", if it has one. `revisions` are those of the server's bundles by name;
    one without is "". `decision_id` is None where the server keeps no decision log.
    """

    document: dict[str, Any]
    revisions: dict[str, str]
    decision_id: str | None

    def decision(self) -> tuple[bool, tuple[str, ...]]:
        """Whether the policy allows, and its reasons. Raises PolicyUnusable."""
        if "result" not in self.document:
            raise PolicyUnusable("data.soma.decision has no value for this input.")
        return read_decision(self.document["result"])


def answer_of(reply: Reply) -> OpaAnswer:
    """The answer in `reply`. Raises PolicyUnreachable where OPA did not answer the question, PolicyUnusable
    where the policy has no answer to it."""
    document = json_of(reply)
    provenance = document.get("provenance")
    return OpaAnswer(
        document=document,
        revisions=_revisions(provenance if isinstance(provenance, dict) else {}),
        decision_id=_id(document.get("decision_id")),
    )


def json_of(reply: Reply) -> dict[str, Any]:
    """The document of an answer that succeeded. Raises PolicyUnreachable, PolicyUnusable."""
    try:
        document = orjson.loads(reply.body)
    except orjson.JSONDecodeError:
        document = None
    if reply.status in ERRORS_OF_THE_POLICY and isinstance(document, dict):
        raise PolicyUnusable(f"The policy failed: {_failure(document)}")
    if reply.status != OK:
        raise PolicyUnreachable(f"OPA refused the question: HTTP {reply.status}.")
    if not isinstance(document, dict):
        raise PolicyUnreachable("OPA's answer is not a JSON object.")
    return document


def _id(found: object) -> str | None:
    return found if isinstance(found, str) and 0 < len(found) <= LONGEST_ID else None


def _revisions(provenance: dict[str, Any]) -> dict[str, str]:
    bundles = provenance.get("bundles")
    if not isinstance(bundles, dict):
        return {}
    return {
        name: str(bundle.get("revision") or "") if isinstance(bundle, dict) else ""
        for name, bundle in bundles.items()
    }


def _failure(document: dict[str, Any]) -> str:
    """OPA's own words: of the first thing that went wrong, else of the request."""
    first = next(iter(document.get("errors") or ()), None)
    said = first if isinstance(first, dict) else document
    return ": ".join(str(said[name]) for name in ("code", "message") if name in said)
