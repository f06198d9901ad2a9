"""The record of an iteration: what the log names by hash, and replay goes by."""

from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any
from uuid import UUID

from soma.agent.domain.capsule import Capsule, document_of_capsule
from soma.agent.domain.iteration_inputs import IterationInputs
from soma.agent.domain.message import Message
from soma.agent.services.progress import Progress
from soma.base.canonical import canonical_bytes, json_bytes, sha256_hex
from soma.base.clock import iso
from soma.events.api import Content

FORMAT = 1
KNOWN = 256
"""Capsules whose document is kept ready: it takes a millisecond to make, and every turn names it."""


def record_of(progress: Progress, document: dict[str, Any], inputs: IterationInputs) -> list[Content]:
    """The record of the iteration with this document, as the first of the contents to keep. A turn's first
    says what the turn began with: the capsule by its hash, messages by theirs, which are kept already."""
    record: dict[str, Any] = {"format": FORMAT, "iteration": document, "inputs": inputs.to_dict()}
    beginning: list[Content] = []
    if document["number"] == 0:
        capsule = capsule_content(progress.capsule)
        record["beginning"] = _beginning(progress, capsule.hash)
        beginning = [capsule]
    return [Content(owner_id=progress.turn.conversation_id, data=json_bytes(record)), *beginning]


def capsule_content(capsule: Capsule) -> Content:
    """All that an agent's version is, for its blobs: its turns share it."""
    return _content(_Version(id=capsule.id, number=capsule.version, capsule=capsule))


@dataclass(frozen=True, kw_only=True, slots=True)
class _Version:
    """A capsule, told from others by its id and version: a version never changes."""

    id: UUID
    number: int
    capsule: Capsule = field(compare=False)


@lru_cache(KNOWN)
def _content(version: _Version) -> Content:
    document = document_of_capsule(version.capsule)
    return Content(owner_id=version.id, data=canonical_bytes(document), lasting=True)


def words(conversation_id: UUID, text: str) -> Content:
    """What somebody says in a conversation: later turns name it, too."""
    return Content(owner_id=conversation_id, data=text.encode(), lasting=True)


def _beginning(progress: Progress, capsule_hash: str) -> dict[str, Any]:
    turn = progress.turn
    return {
        "capsule": capsule_hash,
        "message": _message(progress.message),
        "history": [_message(each) for each in progress.history],
        "rlm": turn.rlm,
        "seeded": turn.seeded,
        "created_at": iso(turn.created_at),
    }


def _message(message: Message) -> dict[str, Any]:
    return {
        "id": str(message.id),
        "turn_id": str(message.turn_id),
        "role": message.role,
        "created_at": iso(message.created_at),
        "hash": sha256_hex(message.content.encode()),
    }
