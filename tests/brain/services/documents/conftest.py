"""The library on its real parts."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from soma.brain.api import Brain
    from soma.brain.services.documents.library import Documents


@pytest.fixture
def documents(brain: "Brain") -> "Iterator[Documents]":
    """A library whose thread works."""
    from soma.brain.adapters.document_reader_process import ProcessDocumentReader

    library = brain.documents(ProcessDocumentReader())
    library.start(take_over=False)
    yield library
    library.stop()
