"""soma.fractalmemory.domain.record"""

from dataclasses import replace

import pytest

from soma.fractalmemory.domain.record import content_hash
from tests.fractalmemory.memories import memory


@pytest.mark.req("MEM-001")
@pytest.mark.parametrize("same", ["Café  au\n lait ", "Cafe\u0301 au lait", "Café\u00a0au\tlait"])
def test_texts_that_read_alike_have_one_hash(same: str) -> None:
    assert content_hash(same) == content_hash("Café au lait")


@pytest.mark.req("MEM-001")
@pytest.mark.parametrize("other", ["café au lait", "Café au lait!", "Cafe au lait"])
def test_texts_that_read_otherwise_have_another(other: str) -> None:
    assert content_hash(other) != content_hash("Café au lait")


@pytest.mark.req("RAG-001")
def test_a_part_of_a_document_is_a_memory_of_its_own() -> None:
    told = memory("k", content="The river rose.").record
    first = replace(told, provenance={"source_document": "d", "revision": 1, "chunk": 0})
    parts = [
        told,
        first,
        replace(first, provenance={**first.provenance, "chunk": 1}),
        replace(first, provenance={**first.provenance, "revision": 2}),
        replace(first, provenance={**first.provenance, "source_document": "e"}),
    ]

    assert len({part.content_hash for part in parts}) == len(parts)
    assert replace(first, content=" The river\nrose.").content_hash == first.content_hash
    # Without a place in it the document is what it was said in.
    said = [replace(first, provenance={name: "d"}) for name in ("source_document", "conversation_id")]
    assert len({each.content_hash for each in said}) == 1
