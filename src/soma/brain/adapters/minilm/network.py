"""The network of all-MiniLM-L6-v2 as an ONNX graph: token ids in, unit vectors and the tokens' states out,
and what this machine makes of the largest sum.

BERT (Devlin et al., 2018) with 6 post-normalised layers of 12 heads, then the mean over all tokens and
L2 normalisation (Reimers and Gurevych, 2019). There is no attention mask: batches hold texts of one
length, so there is no padding to mask.
"""

from collections.abc import Mapping

import numpy as np
from onnx import ModelProto

from soma.brain.adapters.minilm.arithmetic import (
    Arithmetic,
    FeedForward,
    Float32,
    Linear,
    Projection,
    arithmetic_of,
    largest_sum,
)
from soma.brain.adapters.minilm.onnx_graph import MICROSOFT, OnnxGraph
from soma.brain.adapters.minilm.peaks import attention_peaks, feed_forward_peaks
from soma.brain.adapters.minilm.precision import Precision
from soma.brain.adapters.minilm.saturation import TERMS
from soma.brain.adapters.minilm.width import WIDTH

HEADS = 12
LAYERS = 6
EPSILON = 1e-12
INPUT = "input_ids"

# Found by looking at the activations of these weights, which are pinned: these neurons of the first four
# layers peak between 13 and 25, where the next ones stay near 6.
NEURON_OUTLIERS: tuple[tuple[int, ...], ...] = ((856,), (607,), (218, 1004), (358,), (), ())


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
            x = self._layer(x, shape, layer)
        states = self._graph.apply("Reshape", x, shape)
        outputs = {
            self._pooled(states): ("batch", WIDTH),
            states: ("batch", "length", WIDTH),
            largest_sum(self._graph): (TERMS, TERMS),
        }
        return self._graph.model("minilm", ids=INPUT, outputs=outputs)

    def _embeddings(self) -> str:
        graph = self._graph
        words = self._arithmetic.look_up(graph, self._weights["embeddings.word_embeddings.weight"], INPUT)
        positions = (
            self._weights["embeddings.position_embeddings.weight"]
            + self._weights["embeddings.token_type_embeddings.weight"][0]
        )
        first = graph.apply(
            "Slice",
            graph.constant("positions", positions),
            graph.integers(0),
            self._length(),
            graph.integers(0),
        )
        tokens = graph.apply("Reshape", graph.apply("Add", words, first), graph.integers(-1, WIDTH))
        return self._normalised(tokens, "embeddings.LayerNorm")

    def _layer(self, x: str, shape: str, layer: int) -> str:
        name = f"encoder.layer.{layer}"
        context = self._attention(x, shape, layer, f"{name}.attention.self")
        dense = self._linear(f"{name}.attention.output.dense")
        attended = self._arithmetic.multiply(self._graph, context, dense)
        x = self._added(x, attended, dense.bias, f"{name}.attention.output.LayerNorm")
        feed_forward = FeedForward(
            widening=self._projection(feed_forward_peaks(layer), f"{name}.intermediate.dense"),
            narrowing=self._linear(f"{name}.output.dense"),
            outliers=NEURON_OUTLIERS[layer],
        )
        inner = self._arithmetic.feed_forward(self._graph, x, feed_forward)
        return self._added(x, inner, feed_forward.narrowing.bias, f"{name}.output.LayerNorm")

    def _attention(self, x: str, shape: str, layer: int, name: str) -> str:
        graph = self._graph
        parts = (f"{name}.{part}" for part in ("query", "key", "value"))
        joined = self._arithmetic.project(graph, x, self._projection(attention_peaks(layer), *parts))
        heads = graph.split(graph.apply("Reshape", joined, shape), (WIDTH, WIDTH, WIDTH), axis=2)
        context = graph.apply("MultiHeadAttention", *heads, domain=MICROSOFT, num_heads=HEADS)
        return graph.apply("Reshape", context, graph.integers(-1, WIDTH))

    def _pooled(self, states: str) -> str:
        graph = self._graph
        one_row = graph.apply("Concat", graph.integers(1), self._length(), axis=0)
        ones = graph.apply("Expand", graph.constant("unit", np.ones((1, 1), np.float32)), one_row)
        # The mean but for its length, which is normalised away. A product with ones adds in the same
        # order whatever the size of the batch is, and ReduceMean does not.
        total = graph.apply("MatMul", ones, states)
        return graph.apply("LpNormalization", graph.apply("Squeeze", total, graph.integers(1)), axis=-1, p=2)

    def _length(self) -> str:
        return self._graph.apply("Shape", INPUT, start=1, end=2)

    def _normalised(self, x: str, name: str) -> str:
        weight = self._graph.constant(f"{name}.weight", self._weights[f"{name}.weight"])
        bias = self._graph.constant(f"{name}.bias", self._weights[f"{name}.bias"])
        return self._graph.apply("LayerNormalization", x, weight, bias, axis=-1, epsilon=EPSILON)

    def _added(self, x: str, more: str, bias: Float32, name: str) -> str:
        """`more` and a bias added to `x`, and that normalised. One after the other: onnxruntime's operator
        for all three takes five times as long."""
        biased = self._graph.apply("Add", more, self._graph.constant(f"{name}.before", bias))
        return self._normalised(self._graph.apply("Add", x, biased), name)

    def _linear(self, name: str) -> Linear:
        return Linear(name=name, weight=self._weights[f"{name}.weight"], bias=self._weights[f"{name}.bias"])

    def _projection(self, peaks: Float32, *names: str) -> Projection:
        """Several layers of a normalised state as one, so that it is quantised once."""
        linears = [self._linear(name) for name in names]
        return Projection(
            name=names[0],
            weight=np.concatenate([linear.weight for linear in linears]),
            bias=np.concatenate([linear.bias for linear in linears]),
            peaks=peaks,
        )
