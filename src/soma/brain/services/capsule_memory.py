"""The memories of some memory capsules, read as if they were one namespace.

Each version has a namespace of its own. So what one capsule holds is never taken for a duplicate of what
another holds, nothing is filtered that an index would have to look past, and no capsule that was not named
weighs in the statistics of those that were.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import chain
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from soma.base.errors import LimitExceeded
from soma.brain.domain.capsule_fault import CapsuleFault
from soma.brain.domain.capsule_reference import MAX_CAPSULES_ASKED, CapsuleReference, namespace_of
from soma.brain.errors import CapsuleConflict
from soma.brain.models import MemoryCapsuleRow
from soma.brain.services.capsule_rows import unknown
from soma.fractalmemory.api import (
    CandidateQuery,
    CandidateSet,
    FractalMemory,
    Lexicon,
    Link,
    MemoryRecord,
    Walk,
    joined_candidates,
    joined_lexicon,
)

Version = tuple[UUID, int]


class CapsuleMemory:
    """A MemorySource for one recall: what `references` name when it begins. Raises NotFound and
    CapsuleConflict (revoked), also when one is revoked before the memories have been read."""

    def __init__(self, memory: FractalMemory, references: Sequence[CapsuleReference]) -> None:
        if len(references) > MAX_CAPSULES_ASKED:
            raise LimitExceeded(
                "capsule_ids", maximum=MAX_CAPSULES_ASKED, actual=len(references), unit="capsules"
            )
        self._memory = memory
        self._references = references
        self._versions: list[Version] = []
        self._lexicons: list[Lexicon] = []

    def lexicon(self, tenant_id: UUID, namespace: str, terms: Sequence[str]) -> Lexicon:
        """See MemorySource."""
        self._versions = resolved(tenant_id, self._references)
        self._lexicons = [
            self._memory.lexicon(tenant_id, namespace_of(*version), terms) for version in self._versions
        ]
        return joined_lexicon(self._lexicons)

    def candidates(self, tenant_id: UUID, query: CandidateQuery) -> CandidateSet:
        """See MemorySource."""
        return joined_candidates([self._memory.candidates(tenant_id, part) for part in self._parts(query)])

    @property
    def graph(self) -> "CapsuleMemory":
        """See MemorySource."""
        return self

    def walk(self, tenant_id: UUID, walk: Walk) -> list[Link]:
        """See MemorySource.graph: from whichever of the capsules to whichever."""
        parts = (
            self._memory.graph.walk(tenant_id, replace(walk, namespace=namespace_of(*version)))
            for version in self._versions
        )
        return list({link.key: link for link in chain.from_iterable(parts)}.values())

    def widened(
        self, tenant_id: UUID, query: CandidateQuery, seen: CandidateSet, ids: Sequence[UUID]
    ) -> CandidateSet:
        """See MemorySource."""
        return joined_candidates(
            [self._memory.widened(tenant_id, part, seen, ids) for part in self._parts(query)]
        )

    def get(self, tenant_id: UUID, ids: Sequence[UUID]) -> list[MemoryRecord]:
        """See MemorySource."""
        records = self._memory.get(tenant_id, ids)
        # After the last look at the memories: what was revoked meanwhile is refused, not half shown.
        pinned = [CapsuleReference(id=capsule_id, version=version) for capsule_id, version in self._versions]
        resolved(tenant_id, pinned)
        return records

    def vectors(self, tenant_id: UUID, ids: Sequence[UUID]) -> Mapping[UUID, NDArray[np.float32]]:
        """See MemorySource."""
        return self._memory.vectors(tenant_id, ids)

    @property
    def dimensions(self) -> int:
        """See MemorySource."""
        return self._memory.dimensions

    def _parts(self, query: CandidateQuery) -> list[CandidateQuery]:
        """`query`, as each of the versions is asked."""
        terms = query.lexicon.terms
        return [
            replace(query, namespace=namespace_of(*version), lexicon=lexicon.about(terms))
            for version, lexicon in zip(self._versions, self._lexicons, strict=True)
        ]


def resolved(tenant_id: UUID, references: Sequence[CapsuleReference]) -> list[Version]:
    """The versions that `references` name, each once: of a capsule as a whole the latest that is not revoked.
    Inside the tenant's open transaction. Raises NotFound, CapsuleConflict (revoked)."""
    wanted = {reference.id for reference in references}
    rows = MemoryCapsuleRow.objects.filter(tenant_id=tenant_id, capsule_id__in=wanted)
    standing: dict[UUID, dict[int, datetime | None]] = {}
    for capsule_id, version, revoked_at in rows.values_list("capsule_id", "version", "revoked_at"):
        standing.setdefault(capsule_id, {})[version] = revoked_at
    named = (_version(reference, standing.get(reference.id, {})) for reference in references)
    return list(dict.fromkeys(named))


def _version(reference: CapsuleReference, versions: dict[int, datetime | None]) -> Version:
    named = [version for version in versions if reference.version in {None, version}]
    if not named:
        raise unknown(reference)
    left = [version for version in named if versions[version] is None]
    if not left:
        raise CapsuleConflict(CapsuleFault.REVOKED, f"the memory capsule {reference} is revoked")
    return reference.id, max(left)
