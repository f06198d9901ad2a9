"""A block of a memory capsule as a memory: what it may hold, and what is remembered of it."""

from soma.brain.domain.capsule_fault import CapsuleFault
from soma.brain.domain.capsule_reference import namespace_of
from soma.brain.domain.guard import MAX_CONTENT, refusal
from soma.brain.domain.memory_capsule import CapsuleBlock, MemoryCapsule
from soma.brain.domain.remember import RefusalReason, RememberItem
from soma.brain.domain.utterance import UtteranceKind
from soma.brain.errors import CapsuleRefused, CapsuleTooLarge

MAX_MEMBERS, MAX_MEMBER = 32, 1_000
"""Members of a block's provenance, and characters in the text of one."""

RESERVED = "capsule_"
"""What members of the provenance begin with that say which capsule a memory came in."""

EXACT = 2**53 - 1
"""The largest whole number that JSON carries exactly."""


def check_block(block: CapsuleBlock) -> None:
    """Raise CapsuleTooLarge (block_oversize) or CapsuleRefused (bad_block) unless memory takes `block`."""
    _check_provenance(block)
    why = refusal(plain_item(block))
    if why is not None and why.reason is RefusalReason.OVERSIZE:
        raise CapsuleTooLarge(
            CapsuleFault.BLOCK_OVERSIZE,
            f"the block {block.key[:100]!r}",
            maximum=MAX_CONTENT,
            actual=block.size,
            unit="bytes",
        )
    if why is not None:
        raise _bad(block, f"{why.detail} ({why.reason})")


def plain_item(block: CapsuleBlock) -> RememberItem:
    """What the rules of memory see of `block`. Its future place and trace do not matter to them, except that
    there are some."""
    return _item(block, namespace="memory-capsule", trace_id="capsule", marks={})


def memories_of(capsule: MemoryCapsule, *, trace_id: str) -> list[RememberItem]:
    """What is to be remembered of `capsule`, in the order of its blocks. `trace_id` is that of the upload."""
    namespace = namespace_of(capsule.id, capsule.version)
    return [
        _item(block, namespace=namespace, trace_id=trace_id, marks=_marks(capsule, block))
        for block in capsule.blocks
    ]


def _marks(capsule: MemoryCapsule, block: CapsuleBlock) -> dict[str, object]:
    return {
        "capsule_id": str(capsule.id),
        "capsule_version": capsule.version,
        "capsule_block": block.key,
        "capsule_digest": block.digest,
        "capsule_issuer": capsule.issuer,
    }


def _item(block: CapsuleBlock, *, namespace: str, trace_id: str, marks: dict[str, object]) -> RememberItem:
    # Whatever stands in a capsule was put there to be recalled, so what reads like a question counts too.
    origin = {"kind": UtteranceKind.STATEMENT.value, **block.provenance}
    if "trace_id" in origin:
        origin["origin_trace_id"] = origin["trace_id"]
    return RememberItem(
        namespace=namespace,
        key=block.key,
        content=block.content,
        role=block.role,
        speaker=block.speaker,
        occurred_at=block.occurred_at,
        importance=block.importance,
        provenance={**origin, "trace_id": trace_id, "source_request": trace_id, **marks},
    )


def _check_provenance(block: CapsuleBlock) -> None:
    if len(block.provenance) > MAX_MEMBERS:
        raise _bad(block, f"the provenance has more than {MAX_MEMBERS} members")
    for name, value in block.provenance.items():
        if name.startswith(RESERVED):
            raise _bad(block, f"the provenance's {name[:60]!r} is for whoever takes the capsule in")
        if len(name) > MAX_MEMBER or (isinstance(value, str) and len(value) > MAX_MEMBER):
            raise _bad(block, f"a member of the provenance takes at most {MAX_MEMBER} characters")
        if isinstance(value, int) and abs(value) > EXACT:
            raise _bad(block, f"the provenance's {name[:60]!r} is past {EXACT}")


def _bad(block: CapsuleBlock, detail: str) -> CapsuleRefused:
    return CapsuleRefused(CapsuleFault.BAD_BLOCK, f"block {block.key[:100]!r}: {detail}")
