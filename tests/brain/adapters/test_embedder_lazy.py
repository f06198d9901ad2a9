"""soma.brain.adapters.embedder_lazy"""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from soma.base.errors import SomaError
from soma.brain.adapters.embedder_lazy import LazyEmbedder
from soma.brain.adapters.embedder_minilm import MiniLmEmbedder, name_of
from soma.brain.adapters.minilm.width import WIDTH
from soma.project.configuration import CONFIGURATION
from soma.project.models import models_directory

pytestmark = pytest.mark.req("MEM-002")


def test_it_is_loaded_once_by_whoever_needs_it_first() -> None:
    loaded = list[MiniLmEmbedder]()

    def load() -> MiniLmEmbedder:
        loaded.append(MiniLmEmbedder(models_directory(CONFIGURATION)))
        return loaded[-1]

    lazy = LazyEmbedder(load, name=name_of(), dimensions=WIDTH)
    assert loaded == []
    with ThreadPoolExecutor(4) as threads:
        vectors = list(threads.map(lambda _: lazy.embed(["a boat"]), range(8)))
    [embedder] = loaded
    assert (lazy.name, lazy.dimensions) == (embedder.name, embedder.dimensions)
    assert all(np.array_equal(each, embedder.embed(["a boat"])) for each in vectors)
    wholes, parts = lazy.embed_parts(["One. Two."], [((0, 4), (5, 9))])
    assert (wholes.shape, parts.shape) == ((1, WIDTH), (2, WIDTH))


def test_what_keeps_it_from_loading_is_told_and_tried_again(tmp_path: Path) -> None:
    places = [[str(tmp_path)], None]
    lazy = LazyEmbedder(
        lambda: MiniLmEmbedder(models_directory(CONFIGURATION), search_path=places.pop(0)),
        name=name_of(),
        dimensions=WIDTH,
    )
    with pytest.raises(SomaError, match="minilm"):
        lazy.embed(["a boat"])
    assert lazy.embed(["a boat"]).shape == (1, WIDTH)
