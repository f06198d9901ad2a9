"""The network of all-MiniLM-L6-v2 as an ONNX graph: token ids in, unit vectors out.

BERT (Devlin et al., 2018) with 6 post-normalised layers of 12 heads, then the mean over all tokens and
L2 normalisation (Reimers and Gurevych, 2019). There is no attention mask: batches hold texts of one
length, so there is no padding to mask.
"""

from collections.abc import Mapping

import numpy as np
from onnx import ModelProto

from soma.brain.adapters.minilm.arithmetic import Arithmetic, Float32, Linear, Source, arithmetic_of
from soma.brain.adapters.minilm.onnx_graph import MICROSOFT, OnnxGraph
from soma.brain.adapters.minilm.precision import Precision

WIDTH = 384
HEADS = 12
LAYERS = 6
EPSILON = 1e-12
INPUT = "input_ids"


def minilm_model(weights: Mapping[str, Float32], precision: Precision) -> ModelProto:
    """The model with these weights, under the names they are published with."""
    return _Network(weights, arithmetic_of(precision)).model()


class _Network:
    def __init__(self, weights: Mapping[str, Float32], arithmetic: Arithmetic) -> None:
        self._weights = weights
        self._arithmetic = arithmetic
        self._graph = OnnxGraph()

    def model(self) -> ModelProto:
        shape = self._graph.apply(
            "Concat", self._graph.apply("Shape", INPUT), self._graph.integers(-1), axis=0
        )
        x = self._embeddings()
        for layer in range(LAYERS):
            x = self._layer(x, shape, f"encoder.layer.{layer}")
        return self._graph.model("minilm", ids=INPUT, output=self._pooled(x, shape), width=WIDTH)

    def _embeddings(self) -> str:
        graph = self._graph
        words = self._arithmetic.look_up(graph, self._weights["embeddings.word_embeddings.weight"], INPUT)
        positions = (
            self._weights["embeddings.position_embeddings.weight"]
            + self._weights["embeddings.token_type_embeddings.weight"][0]
        )
        length = graph.apply("Shape", INPUT, start=1, end=2)
        first = graph.apply(
            "Slice", graph.constant("positions", positions), graph.integers(0), length, graph.integers(0)
        )
        tokens = graph.apply("Reshape", graph.apply("Add", words, first), graph.integers(-1, WIDTH))
        return self._normalised(tokens, "embeddings.LayerNorm")

    def _layer(self, x: str, shape: str, name: str) -> str:
        attended = self._project(
            self._attention(x, shape, f"{name}.attention.self"),
            f"{name}.attention.output.dense",
            Source.ATTENTION,
        )
        x = self._normalised(self._graph.apply("Add", x, attended), f"{name}.attention.output.LayerNorm")
        inner = self._graph.apply("Gelu", self._project(x, f"{name}.intermediate.dense", Source.NORM))
        outer = self._project(inner, f"{name}.output.dense", Source.GELU)
        return self._normalised(self._graph.apply("Add", x, outer), f"{name}.output.LayerNorm")

    def _attention(self, x: str, shape: str, name: str) -> str:
        graph = self._graph
        # One product for queries, keys and values, so that the activations are quantised once.
        joined = self._arithmetic.project(graph, x, self._joined(name, "query", "key", "value"), Source.NORM)
        parts = graph.split(graph.apply("Reshape", joined, shape), (WIDTH, WIDTH, WIDTH), axis=2)
        context = graph.apply("MultiHeadAttention", *parts, domain=MICROSOFT, num_heads=HEADS)
        return graph.apply("Reshape", context, graph.integers(-1, WIDTH))

    def _pooled(self, x: str, shape: str) -> str:
        graph = self._graph
        tokens = graph.apply("Reshape", x, shape)
        # The sum, as a product with ones: its length is normalised away, and unlike ReduceSum it adds
        # in the same order whatever the size of the batch is.
        length = graph.apply("Shape", INPUT, start=1, end=2)
        ones = graph.apply("Expand", graph.constant("ones", np.ones((1, 1), np.float32)), self._row(length))
        total = graph.apply("Squeeze", graph.apply("MatMul", ones, tokens), graph.integers(1))
        return graph.apply("LpNormalization", total, axis=-1, p=2)

    def _row(self, length: str) -> str:
        return self._graph.apply("Concat", self._graph.integers(1), length, axis=0)

    def _normalised(self, x: str, name: str) -> str:
        weight = self._graph.constant(f"{name}.weight", self._weights[f"{name}.weight"])
        bias = self._graph.constant(f"{name}.bias", self._weights[f"{name}.bias"])
        return self._graph.apply("LayerNormalization", x, weight, bias, axis=-1, epsilon=EPSILON)

    def _project(self, x: str, name: str, source: Source) -> str:
        linear = Linear(name=name, weight=self._weights[f"{name}.weight"], bias=self._weights[f"{name}.bias"])
        return self._arithmetic.project(self._graph, x, linear, source)

    def _joined(self, name: str, *parts: str) -> Linear:
        return Linear(
            name=name,
            weight=np.concatenate([self._weights[f"{name}.{part}.weight"] for part in parts]),
            bias=np.concatenate([self._weights[f"{name}.{part}.bias"] for part in parts]),
        )
