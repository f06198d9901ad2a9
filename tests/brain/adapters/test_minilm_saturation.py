"""Products of 8 bits are added exactly, on whatever machine the graph is loaded."""

from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import numpy_helper

from soma.brain.adapters.embedder_minilm import MiniLmEmbedder
from soma.brain.adapters.minilm.encoder import session_of
from soma.brain.adapters.minilm.saturation import LARGEST_INPUT, LARGEST_SUM, LARGEST_WEIGHT

pytestmark = pytest.mark.req("MEM-002")

IDS = {"input_ids": np.array([[101, 3899, 2003, 2170, 10151, 102]] * 8, np.int64)}


@pytest.fixture(scope="module")
def graph(tmp_path_factory: pytest.TempPathFactory) -> Path:
    cache = tmp_path_factory.mktemp("models")
    MiniLmEmbedder(cache)
    (built,) = cache.glob("*.onnx")
    return built


@pytest.fixture(scope="module")
def doubtful(graph: Path) -> Path:
    """The graph as if this machine computed the largest sum wrong."""
    model = onnx.load(graph)
    (weights,) = [each for each in model.graph.initializer if each.name == "largest.weights"]
    wrong = numpy_helper.to_array(weights) - 1
    weights.CopyFrom(numpy_helper.from_array(wrong, weights.name))
    onnx.save(model, graph.with_name("doubtful"))
    return graph.with_name("doubtful")


def precise(session: onnxruntime.InferenceSession) -> bool:
    entry: str = session.get_session_options().get_session_config_entry("session.x64quantprecision")
    return entry == "1"


def test_a_session_computes_the_largest_sum(graph: Path) -> None:
    *_, largest = session_of(graph).run(None, IDS)
    assert largest.shape[0] * LARGEST_INPUT * LARGEST_WEIGHT == LARGEST_SUM
    np.testing.assert_array_equal(largest, LARGEST_SUM)


def test_a_machine_that_computes_it_wrong_gets_operators_that_are_precise(
    graph: Path, doubtful: Path
) -> None:
    [computed, *_] = onnxruntime.InferenceSession(graph).run(None, IDS)[-1].ravel()
    assert precise(session_of(graph)) is bool(computed != LARGEST_SUM)
    assert precise(session_of(doubtful))


def test_they_give_the_same_vectors(graph: Path, doubtful: Path) -> None:
    expected, states, _ = session_of(graph).run(None, IDS)
    vectors, others, _ = session_of(doubtful).run(None, IDS)
    np.testing.assert_allclose(vectors, expected, rtol=0, atol=1e-5)
    np.testing.assert_allclose(others, states, rtol=0, atol=1e-4)
