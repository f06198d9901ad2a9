"""Memories and the links between them, for tests of the brain."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from soma.base.database import tenant_transaction
from soma.base.ids import new_id
from soma.brain.api import Brain, MemoryLink, Recall, RecallRequest, Usage, UsageTaken, WantedLink
from soma.fractalmemory.adapters.link_store_postgres import PostgresLinkStore
from soma.fractalmemory.api import Link, Walk
from tests.brain.turns import NEW_YEAR, told


@dataclass(frozen=True, kw_only=True, slots=True)
class Linked:
    """A tenant's namespace "n"."""

    brain: Brain
    tenant: UUID

    def tell(self, *contents: str, **changes: Any) -> list[UUID]:
        """Their ids."""
        kept = self.brain.remember(self.tenant, [told(content, **changes) for content in contents])
        assert len(kept.stored) == len(contents)
        return [each.record_id for each in kept.stored]

    def link(self, source: UUID, target: UUID, conductance: float = 1.0, kind: str = "about") -> MemoryLink:
        wanted = WantedLink(source_id=source, target_id=target, kind=kind, conductance=conductance)
        return self.brain.links.link(self.tenant, "n", wanted)

    def use(
        self, *used: UUID, entries: Sequence[UUID] = (), name: str = "", at: datetime = NEW_YEAR
    ) -> UsageTaken:
        return self.brain.links.record_usage(
            Usage(
                tenant_id=self.tenant,
                namespace="n",
                name=name or str(new_id()),
                entries=tuple(entries) or used,
                used=used,
                at=at,
            )
        )

    def links(self, *seeds: UUID, at: datetime = NEW_YEAR) -> list[Link]:
        """Those that lead to or from `seeds`, as they are stored."""
        with tenant_transaction(self.tenant):
            walk = Walk(namespace="n", seeds=seeds, hops=1, at=at, fanout=1000, limit=1000)
            return PostgresLinkStore().walk(self.tenant, walk)

    def ask(self, query: str, **changes: Any) -> Recall:
        values = {"tenant_id": self.tenant, "agent_id": None, "namespace": "n", "query": query, **changes}
        return self.brain.recall(RecallRequest(**values))
