"""How the exported model looks rows up and multiplies by its weights: in float32, or mostly in int8.

The int8 form quantises weights per output row when it is built, and activations per token when it
runs. One scale per token rather than per batch (what `quantize_dynamic` builds) keeps a text's vector
independent of what it is batched with, and costs less accuracy.
"""

from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from onnx import TensorProto

from soma.brain.adapters.minilm.onnx_graph import MICROSOFT, OnnxGraph
from soma.brain.adapters.minilm.precision import Precision

Float32 = NDArray[np.float32]

# Weights take 7 bits: on x86 without VNNI two products of an 8-bit activation and an 8-bit weight
# saturate when they are added in 16 bits, and the result is silently wrong.
WEIGHT_LIMIT = 63
# A GELU is never below -.16998: of the 256 levels of its outputs so many are for what is negative.
GELU_ZERO = np.uint8(28)
GELU_LEAST = np.float32(0.17)


@dataclass(frozen=True, kw_only=True, slots=True)
class Linear:
    """y = x·weightᵀ + bias, with weight of shape (out, in) and bias of shape (out,). `outliers` are the
    inputs whose values dwarf the others'."""

    name: str
    weight: Float32
    bias: Float32
    outliers: tuple[int, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class FeedForward:
    """Two linear layers with a GELU between them. `outliers` are the neurons there whose values dwarf the
    others'."""

    widening: Linear
    narrowing: Linear
    outliers: tuple[int, ...] = ()


class Arithmetic(Protocol):
    """How rows are looked up and how linear layers are computed."""

    def look_up(self, graph: OnnxGraph, table: Float32, ids: str) -> str:
        """Rows of `table` (rows, width) for int64 `ids` (batch, length): float32 (batch, length, width)."""

    def project(self, graph: OnnxGraph, x: str, linear: Linear) -> str:
        """The linear layer applied to `x`, float32 (tokens, in): float32 (tokens, out)."""

    def multiply(self, graph: OnnxGraph, x: str, linear: Linear) -> str:
        """The same without its bias, and whatever its outliers are: for what adds the bias itself."""

    def feed_forward(self, graph: OnnxGraph, x: str, layers: FeedForward) -> str:
        """Both layers applied to `x`, float32 (tokens, in), but for the bias of the second: (tokens, out)."""


class Float32Arithmetic:
    """The weights as they were published."""

    def look_up(self, graph: OnnxGraph, table: Float32, ids: str) -> str:
        """See Arithmetic."""
        return graph.apply("Gather", graph.constant("words", table), ids)

    def project(self, graph: OnnxGraph, x: str, linear: Linear) -> str:
        """See Arithmetic."""
        product = self.multiply(graph, x, linear)
        return graph.apply("Add", product, graph.constant(f"{linear.name}.bias", linear.bias))

    def multiply(self, graph: OnnxGraph, x: str, linear: Linear) -> str:
        """See Arithmetic."""
        return graph.apply("MatMul", x, graph.constant(f"{linear.name}.weight", linear.weight.T))

    def feed_forward(self, graph: OnnxGraph, x: str, layers: FeedForward) -> str:
        """See Arithmetic."""
        neurons = graph.apply("Gelu", self.project(graph, x, layers.widening))
        return self.multiply(graph, neurons, layers.narrowing)


class Int8Arithmetic:
    """Weights in 7 bits, activations in 8, sums in 32; outliers in float32. Whatever passes over all of a
    layer's values takes as long as its product: biases are added where something is added anyway."""

    def look_up(self, graph: OnnxGraph, table: Float32, ids: str) -> str:
        """See Arithmetic."""
        rows, scales = quantised(table, 127)
        row = graph.apply("Gather", graph.constant("words", rows), ids)
        scale = graph.apply("Gather", graph.constant("words.scale", scales[:, None]), ids)
        return graph.apply("Mul", graph.apply("Cast", row, to=TensorProto.FLOAT), scale)

    def project(self, graph: OnnxGraph, x: str, linear: Linear) -> str:
        """The outliers and the bias in float32, the others in int8: left in, an outlier would set the scale
        of its token, and its weights' rounding would be multiplied by its size."""
        channels = list(linear.outliers)
        others = np.ones(linear.weight.shape[1], np.float32)
        others[channels] = 0
        masked = graph.apply("Mul", x, graph.constant(f"{linear.name}.others", others))
        rest = self.multiply(graph, masked, replace(linear, weight=linear.weight * others))
        beside = graph.apply("Gather", x, graph.integers(*channels), axis=1)
        with_one = graph.apply("Concat", beside, _ones(graph, x), axis=1)
        columns = np.concatenate([linear.weight[:, channels].T, linear.bias[None]])
        return graph.apply("Gemm", with_one, graph.constant(f"{linear.name}.beside", columns), rest)

    def multiply(self, graph: OnnxGraph, x: str, linear: Linear) -> str:
        """See Arithmetic."""
        peak = graph.apply("ReduceMax", graph.apply("Abs", x), graph.integers(-1), keepdims=1)
        scale = graph.apply("Mul", peak, graph.constant("to_127", np.float32(1 / 127)))
        return _quantise_and_multiply(graph, x, scale, np.uint8(128), linear)

    def feed_forward(self, graph: OnnxGraph, x: str, layers: FeedForward) -> str:
        """The outliers among the neurons apart, in float32 from beginning to end."""
        widening, narrowing, neurons = layers.widening, layers.narrowing, list(layers.outliers)
        others = np.ones(len(widening.weight), np.float32)
        others[neurons] = 0
        wide = replace(widening, weight=widening.weight * others[:, None], bias=widening.bias * others)
        narrow = replace(narrowing, weight=narrowing.weight * others)
        product = self._multiply_gelu(graph, graph.apply("Gelu", self.project(graph, x, wide)), narrow)
        if neurons:
            inward = graph.constant(f"{wide.name}.neurons", widening.weight[neurons].T)
            bias = graph.constant(f"{wide.name}.neurons.bias", widening.bias[neurons])
            outward = graph.constant(f"{narrow.name}.neurons", narrowing.weight[:, neurons].T)
            apart = graph.apply("Gelu", graph.apply("Gemm", x, inward, bias))
            product = graph.apply("Gemm", apart, outward, product)
        return product

    def _multiply_gelu(self, graph: OnnxGraph, x: str, linear: Linear) -> str:
        peak = graph.apply("ReduceMax", x, graph.integers(-1), keepdims=1)
        scale = graph.apply("Mul", peak, graph.constant("to_top", np.float32(1 / (255 - GELU_ZERO))))
        least = graph.constant("to_bottom", GELU_LEAST / np.float32(GELU_ZERO))
        return _quantise_and_multiply(graph, x, graph.apply("Max", scale, least), GELU_ZERO, linear)


def _quantise_and_multiply(graph: OnnxGraph, x: str, scale: str, zero: np.uint8, linear: Linear) -> str:
    zero_point = graph.constant(f"zero_{zero}", zero)
    zeros = graph.once(f"zeros_{zero}", lambda: graph.apply("Expand", zero_point, _tokens(graph, x)))
    rows = graph.apply("QuantizeLinear", x, graph.apply("Reshape", scale, graph.integers(-1)), zeros, axis=0)
    weight, weight_scale = quantised(linear.weight, WEIGHT_LIMIT)
    product = graph.apply(
        "MatMulIntegerToFloat",
        rows,
        graph.constant(f"{linear.name}.weight", weight.T),
        graph.constant("one", np.float32(1)),
        graph.constant(f"{linear.name}.scale", weight_scale),
        zero_point,
        domain=MICROSOFT,
    )
    return graph.apply("Mul", product, scale)


def _tokens(graph: OnnxGraph, x: str) -> str:
    """How many rows `x` has, as every other x of the graph has: (1,)."""
    return graph.once("tokens", lambda: graph.apply("Shape", x, start=0, end=1))


def _ones(graph: OnnxGraph, x: str) -> str:
    """A one for each row of `x`: (tokens, 1)."""
    return graph.once("ones", lambda: _column(graph, x))


def _column(graph: OnnxGraph, x: str) -> str:
    shape = graph.apply("Concat", _tokens(graph, x), graph.integers(1), axis=0)
    return graph.apply("Expand", graph.constant("unit", np.ones((1, 1), np.float32)), shape)


def arithmetic_of(precision: Precision) -> Arithmetic:
    """The arithmetic of a precision."""
    return Float32Arithmetic() if precision is Precision.FLOAT32 else Int8Arithmetic()


def quantised(table: Float32, limit: int) -> tuple[NDArray[np.int8], Float32]:
    """Rows of whole numbers in [-limit, limit] and a scale per row: shapes (rows, width), (rows,).
    `rows · scale[:, None]` is `table` to within half a scale."""
    scale = np.maximum(np.abs(table).max(axis=1), np.finfo(np.float32).tiny) / np.float32(limit)
    rows = np.clip(np.rint(table / scale[:, None]), -limit, limit).astype(np.int8)
    return rows, scale.astype(np.float32)
