"""The brain on its real parts: MiniLM and pgvector.

What needs Django is imported in the fixtures: pytest reads this file before Django is set up.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING
from uuid import UUID

import pytest

from soma.base.ids import new_id

if TYPE_CHECKING:
    from soma.brain.api import Brain, Embedder


@pytest.fixture
def tenant() -> UUID:
    """A fresh tenant; the brain knows it by its id alone."""
    return new_id()


@pytest.fixture
def other_tenant() -> UUID:
    """Another."""
    return new_id()


@pytest.fixture(scope="session")
def embedder(tmp_path_factory: pytest.TempPathFactory) -> "Embedder":
    """MiniLM as it is delivered."""
    from soma.brain.adapters.embedder_minilm import MiniLmEmbedder

    return MiniLmEmbedder(tmp_path_factory.mktemp("models"))


@pytest.fixture
def brain(embedder: "Embedder") -> "Brain":
    """A brain."""
    return _brain(embedder, "default")


@pytest.fixture
def cut_off_brain(embedder: "Embedder") -> "Iterator[Brain]":
    """A brain whose store is on a server that does not answer."""
    from django.db import connections

    connections.databases["nowhere"] = {**connections.databases["default"], "HOST": "/nowhere"}
    yield _brain(embedder, "nowhere")
    connections["nowhere"].close()
    del connections["nowhere"], connections.databases["nowhere"]


def _brain(embedder: "Embedder", database: str) -> "Brain":
    from soma.base.crypto import SigningKey
    from soma.brain.api import Brain
    from soma.fractalmemory.adapters.vector_store_pgvector import PgvectorStore
    from soma.fractalmemory.api import FractalMemory

    memory = FractalMemory(PgvectorStore(using=database))
    return Brain(memory, embedder, key=SigningKey.from_seed(b"k" * 32))
