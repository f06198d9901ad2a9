"""A process that ingests one document, for tests that kill it: the tenant's id and a number of batches.

After so many batches it stops for good in the middle of the next transaction, says so, and waits to be
killed.
"""

import sys
from io import BytesIO
from pathlib import Path
from threading import Event
from uuid import UUID


def main() -> None:
    import django

    django.setup()
    from soma.brain.adapters.document_reader_process import ProcessDocumentReader
    from soma.brain.adapters.embedder_minilm import MiniLmEmbedder
    from soma.brain.api import Brain
    from soma.brain.services.memory_policy import consolidation_principal
    from soma.fractalmemory.adapters.vector_store_pgvector import PgvectorStore
    from soma.fractalmemory.api import FractalMemory, IndexedRecord, Upserted
    from tests.brain.services.documents.library import guide, request, settled

    tenant, batches, models = UUID(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3])

    class Stalls(FractalMemory):
        """Stores, and at last does not come back."""

        stored = 0

        def upsert(self, tenant_id: UUID, batch: "list[IndexedRecord]") -> "list[Upserted]":  # type: ignore[override] # a list is all it gets here
            done = super().upsert(tenant_id, batch)
            self.stored += 1
            if self.stored > batches:
                print("stalled", flush=True)
                Event().wait()
            return done

    documents = Brain(Stalls(PgvectorStore()), MiniLmEmbedder(models)).documents(ProcessDocumentReader())
    documents.start(take_over=False)
    wanted = request(tenant)
    settled(
        documents,
        wanted,
        documents.ingest(wanted, BytesIO(guide(sentences=90)), consolidation_principal(wanted.tenant_id)),
    )


if __name__ == "__main__":
    main()
