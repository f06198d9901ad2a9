"""`kill -9` of a process that ingests."""

import os
import subprocess
import sys
from pathlib import Path
from uuid import UUID

import pytest

from soma.base.database import tenant_transaction
from soma.brain.adapters.document_reader_process import ProcessDocumentReader
from soma.brain.api import Brain
from soma.brain.domain.documents.document import DocumentStatus
from soma.brain.services.documents.work import BATCH
from soma.brain.services.memory_policy import consolidation_principal
from tests.brain.services.documents.library import NAMESPACE, request, settled
from tests.brain.services.documents.test_library import memories, parts

pytestmark = [pytest.mark.req("RAG-001"), pytest.mark.req("PERSIST-002")]

ROOT = Path(__file__).parents[4]


@pytest.mark.parametrize("batches", [0, 2])
def test_another_process_goes_on_where_it_was_killed(
    brain: Brain, tenant: UUID, batches: int, tmp_path: Path
) -> None:
    command = [sys.executable, "-m", "tests.brain.services.documents.ingesting", str(tenant), str(batches)]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path])}
    with subprocess.Popen(
        [*command, str(tmp_path)], env=environment, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "stalled\n"
        before = memories(tenant)
        process.kill()

    documents = brain.documents(ProcessDocumentReader())
    [left] = documents.documents(tenant, NAMESPACE)
    assert (left.status, left.chunks_done) == (DocumentStatus.EMBEDDING, batches * BATCH)
    assert len(before) == batches * BATCH

    documents.start(take_over=True)
    done = settled(documents, request(tenant), left)
    documents.stop()

    after = memories(tenant)
    assert done.status is DocumentStatus.DONE
    assert [memory.provenance["chunk"] for memory in after] == list(range(done.chunks))
    assert done.chunks > 3 * BATCH
    assert {memory.id for memory in before} <= {memory.id for memory in after}
    assert parts(tenant) == 0


def test_a_document_of_another_tenant_is_not_lost_to_whoever_takes_over(brain: Brain, tenant: UUID) -> None:
    from io import BytesIO

    library = brain.documents(ProcessDocumentReader())
    left = library.ingest(request(tenant), BytesIO(b"# One\n\nTwo."), consolidation_principal(tenant))
    with tenant_transaction(tenant):
        assert left.status is DocumentStatus.WAITING
    library.start(take_over=True)
    assert settled(library, request(tenant), left).status is DocumentStatus.DONE
    library.stop()
