"""Whether a memory capsule may be believed: one function, and every failure has a name."""

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass

from soma.base.canonical import sha256_hex
from soma.base.crypto import verify_signature
from soma.brain.domain.capsule_blocks import check_block
from soma.brain.domain.capsule_fault import CapsuleFault
from soma.brain.domain.capsule_limits import CapsuleLimits
from soma.brain.domain.capsule_reading import WrittenCapsule, read_capsule
from soma.brain.domain.memory_capsule import MemoryCapsule
from soma.brain.errors import CapsuleIssuerUnknown, CapsuleRefused, CapsuleTooLarge


@dataclass(frozen=True, kw_only=True, slots=True)
class SignedCapsule:
    """A capsule that its issuer signed, and a trusted one. `digest` is SHA-256 of `manifest`, `size` the
    document's in bytes."""

    capsule: MemoryCapsule
    manifest: bytes
    digest: str
    signature: bytes
    size: int


def verify_capsule(data: bytes, *, trusted: Collection[str], limits: CapsuleLimits) -> SignedCapsule:
    """The capsule of the document `data`, issued by one of the keys `trusted` (64 hex digits each).

    Raises CapsuleTooLarge (oversize, too_many_blocks, block_oversize), CapsuleIssuerUnknown (unknown_issuer)
    and CapsuleRefused for everything else that CapsuleFault names.
    """
    if len(data) > limits.bytes:
        raise CapsuleTooLarge(
            CapsuleFault.OVERSIZE, "memory capsule", maximum=limits.bytes, actual=len(data), unit="bytes"
        )
    written = read_capsule(data)
    check_blocks(written.capsule, limits)
    manifest = _stated(written)
    if written.capsule.issuer not in trusted:
        raise CapsuleIssuerUnknown(written.capsule.issuer)
    if not verify_signature(bytes.fromhex(written.capsule.issuer), manifest, written.signature):
        raise CapsuleRefused(CapsuleFault.BAD_SIGNATURE, "the signature is not the issuer's for this content")
    return SignedCapsule(
        capsule=written.capsule,
        manifest=manifest,
        digest=written.digest,
        signature=written.signature,
        size=len(data),
    )


def check_blocks(capsule: MemoryCapsule, limits: CapsuleLimits) -> None:
    """Raise CapsuleTooLarge or CapsuleRefused unless the blocks are as many and as they may be."""
    if len(capsule.blocks) > limits.blocks:
        raise CapsuleTooLarge(
            CapsuleFault.TOO_MANY_BLOCKS,
            "memory capsule",
            maximum=limits.blocks,
            actual=len(capsule.blocks),
            unit="blocks",
        )
    for block in capsule.blocks:
        check_block(block)
    [(key, count)] = Counter(block.key for block in capsule.blocks).most_common(1)
    if count > 1:
        raise CapsuleRefused(CapsuleFault.DUPLICATE_KEY, f"{count} blocks have the key {key[:100]!r}")


def _stated(written: WrittenCapsule) -> bytes:
    """The manifest, if the digests that the document states are those of what stands in it."""
    for block, digest in zip(written.capsule.blocks, written.block_digests, strict=True):
        if block.digest != digest:
            raise CapsuleRefused(
                CapsuleFault.ALTERED_BLOCK, f"the block {block.key[:100]!r} is not the one of its digest"
            )
    manifest = written.capsule.manifest()
    if sha256_hex(manifest) != written.digest:
        raise CapsuleRefused(CapsuleFault.WRONG_DIGEST, "the digest is not that of the document")
    return manifest
