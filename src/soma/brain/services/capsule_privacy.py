"""Personal data in memory capsules."""

from collections.abc import Iterable

from soma.brain.domain.capsule_blocks import plain_item
from soma.brain.domain.capsule_fault import CapsuleFault
from soma.brain.domain.memory_capsule import CapsuleBlock
from soma.brain.errors import CapsuleRefused
from soma.brain.services.guard import Guard


def require_storable(guard: Guard, blocks: Iterable[CapsuleBlock]) -> None:
    """Raise CapsuleRefused (personal_data) for the first of `blocks` that memory would not keep as it is:
    with tokens in it, it were no longer what was signed."""
    for block in blocks:
        if found := guard.personal_data(plain_item(block)):
            raise CapsuleRefused(
                CapsuleFault.PERSONAL_DATA,
                f"block {block.key[:100]!r} holds personal data that memory does not keep as it is: "
                + ", ".join(found),
            )
