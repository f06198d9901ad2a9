"""A part of a text has a vector of its own, read with the whole at once."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from soma.brain.adapters.embedder_minilm import MiniLmEmbedder
from soma.brain.adapters.embedder_recent import RecentEmbedder
from soma.brain.ports import Embedder

pytestmark = pytest.mark.req("MEM-002")

SENTENCES = (
    "My sister plays the violin in an orchestra.",
    "The pump in the cellar needs a new valve.",
    "On Sunday we baked bread with olives.",
)
TEXT = " ".join(SENTENCES)
Span = tuple[int, int]


def spans_of(text: str, parts: tuple[str, ...]) -> list[Span]:
    return [(text.index(part), text.index(part) + len(part)) for part in parts]


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("models")


@pytest.fixture(scope="module", params=["alone", "recent", "threads"])
def embedder(request: pytest.FixtureRequest, cache: Path) -> Embedder:
    minilm = MiniLmEmbedder(cache, threads=2 if request.param == "threads" else 1)
    return RecentEmbedder(minilm) if request.param == "recent" else minilm


def parts_of(embedder: Embedder, text: str, parts: tuple[str, ...]) -> NDArray[np.float32]:
    return embedder.embed_parts([text], [spans_of(text, parts)])[1]


def test_texts_have_the_vectors_that_they_have_without_parts(embedder: Embedder) -> None:
    texts = [TEXT, "", "A short one.", TEXT.upper()]
    wholes, parts = embedder.embed_parts(texts, [spans_of(TEXT, SENTENCES), [], [], [(0, 10)]])
    np.testing.assert_allclose(wholes, embedder.embed(texts), rtol=0, atol=1e-6)
    assert parts.shape == (len(SENTENCES) + 1, embedder.dimensions)
    np.testing.assert_allclose(np.linalg.norm(parts, axis=1), 1, atol=1e-6)


def test_texts_without_parts_have_none(embedder: Embedder) -> None:
    wholes, parts = embedder.embed_parts(["one", "two"], [[], []])
    assert wholes.shape == (2, embedder.dimensions)
    assert parts.shape == (0, embedder.dimensions)
    assert [each.shape[0] for each in embedder.embed_parts([], [])] == [0, 0]


def test_a_part_is_nearest_to_the_sentence_that_it_is(embedder: Embedder) -> None:
    cosines = parts_of(embedder, TEXT, SENTENCES) @ embedder.embed(SENTENCES).T
    assert cosines.argmax(axis=0).tolist() == [0, 1, 2]
    [whole] = embedder.embed([TEXT])
    assert (np.diag(cosines) > embedder.embed(SENTENCES) @ whole).all(), "no nearer than the whole text"


def test_parts_do_not_depend_on_what_stands_beside_their_text(embedder: Embedder) -> None:
    texts = [TEXT, *(f"{TEXT} {number}" for number in range(20)), SENTENCES[0]]
    spans = [spans_of(TEXT, SENTENCES)] * 21 + [[(0, 9)]]
    _, together = embedder.embed_parts(texts, spans)
    alone = [embedder.embed_parts([text], [each])[1] for text, each in zip(texts, spans, strict=True)]
    np.testing.assert_allclose(together, np.concatenate(alone), rtol=0, atol=1e-6)


def test_parts_behind_the_first_256_tokens_are_read_as_well(embedder: Embedder) -> None:
    text = " ".join([SENTENCES[0], *["Nothing else of note was said on that day."] * 100, *SENTENCES[1:]])
    found = parts_of(embedder, text, SENTENCES)
    assert (np.sum(found * embedder.embed(SENTENCES), axis=1) > 0.5).all()


def test_a_part_that_is_longer_than_the_model_reads_ends_early(embedder: Embedder) -> None:
    text = "cat " * 400 + "telescope"
    [whole] = embedder.embed_parts([text], [[(0, len(text))]])[1]
    assert whole @ embedder.embed(["cat"])[0] > whole @ embedder.embed(["telescope"])[0]


@pytest.mark.parametrize("text", ["\ud800\ud801", "\U0001f600\u200d", " ", "a\ud800b caf\u00e9"])
def test_a_part_without_words_has_a_vector_too(text: str, embedder: Embedder) -> None:
    [vector] = embedder.embed_parts([text], [[(0, len(text))]])[1]
    assert np.linalg.norm(vector) == pytest.approx(1.0, abs=1e-5)


def test_a_lone_surrogate_does_not_move_the_parts_behind_it(embedder: Embedder) -> None:
    text = f"\ud800 \udfff {TEXT}"
    np.testing.assert_allclose(
        parts_of(embedder, text, SENTENCES), parts_of(embedder, TEXT, SENTENCES), rtol=0, atol=1e-5
    )
