"""soma.brain.api"""

from collections.abc import Sequence

import grimp
import numpy as np
import pytest
from numpy.typing import NDArray

from soma.brain.api import Brain
from soma.fractalmemory.adapters.vector_store_pgvector import PgvectorStore
from soma.fractalmemory.api import FractalMemory


class NarrowEmbedder:
    """An embedder of two dimensions."""

    name = "narrow"
    dimensions = 2

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        return np.full((len(texts), 2), np.sqrt(0.5), np.float32)

    def embed_parts(
        self, texts: Sequence[str], spans: Sequence[Sequence[tuple[int, int]]]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        return self.embed(texts), self.embed(["" for each in spans for _ in each])


@pytest.mark.req("MEM-001")
def test_an_embedder_that_does_not_fit_the_store_is_refused_at_once() -> None:
    with pytest.raises(ValueError, match="narrow gives vectors of 2, not 384"):
        Brain(FractalMemory(PgvectorStore()), NarrowEmbedder())


@pytest.mark.req("ARCH-001")
def test_nobody_but_the_brain_and_the_wiring_knows_storage() -> None:
    graph = grimp.build_graph("soma", cache_dir=None)
    storage = {"soma.fractalmemory", *graph.find_descendants("soma.fractalmemory")}
    importers = {
        importer for module in storage for importer in graph.find_modules_that_directly_import(module)
    }
    tiers = {importer.split(".")[1] for importer in importers - storage}
    assert tiers == {"brain", "project"}
