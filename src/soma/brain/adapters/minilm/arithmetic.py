"""How the exported model looks rows up and multiplies by its weights: in float32, or mostly in int8.

The int8 form quantises weights per output row when it is built. Activations it quantises by what is known of
them where they were normalised, and elsewhere per token. No scale depends on the batch, as one of
`quantize_dynamic` does: a text's vector is independent of what it is batched with, and more accurate.
"""

from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from onnx import TensorProto

from soma.brain.adapters.minilm.onnx_graph import MICROSOFT, OnnxGraph
from soma.brain.adapters.minilm.precision import Precision
from soma.brain.adapters.minilm.saturation import LARGEST_INPUT, LARGEST_WEIGHT, TERMS

Float32 = NDArray[np.float32]

# A weight and what it is multiplied with share what levels there are: of how far a channel goes the weights
# take on so much, in the exponent. From .7 to .85 the vectors are as near to those in float32.
BALANCE = 0.75
MIDDLE = np.uint8(128)
# A GELU is never below -.16998: of the 256 levels of its outputs so many are for what is negative.
GELU_ZERO = np.uint8(28)
GELU_LEAST = np.float32(0.17)


@dataclass(frozen=True, kw_only=True, slots=True)
class Linear:
    """y = x·weightᵀ + bias, with weight of shape (out, in) and bias of shape (out,)."""

    name: str
    weight: Float32
    bias: Float32


@dataclass(frozen=True, kw_only=True, slots=True)
class Projection(Linear):
    """A linear layer of a normalised state, whose channels seldom go beyond `peaks`, shape (in,)."""

    peaks: Float32


@dataclass(frozen=True, kw_only=True, slots=True)
class FeedForward:
    """Two linear layers with a GELU between them. `outliers` are the neurons there whose values dwarf the
    others'."""

    widening: Projection
    narrowing: Linear
    outliers: tuple[int, ...] = ()


class Arithmetic(Protocol):
    """How rows are looked up and how linear layers are computed."""

    def look_up(self, graph: OnnxGraph, table: Float32, ids: str) -> str:
        """Rows of `table` (rows, width) for int64 `ids` (batch, length): float32 (batch, length, width)."""

    def project(self, graph: OnnxGraph, x: str, linear: Projection) -> str:
        """The linear layer applied to `x`, float32 (tokens, in): float32 (tokens, out)."""

    def multiply(self, graph: OnnxGraph, x: str, linear: Linear) -> str:
        """The same without its bias, wherever `x` comes from: for what adds the bias itself."""

    def feed_forward(self, graph: OnnxGraph, x: str, layers: FeedForward) -> str:
        """Both layers applied to `x`, float32 (tokens, in), but for the bias of the second: (tokens, out)."""


class Float32Arithmetic:
    """The weights as they were published."""

    def look_up(self, graph: OnnxGraph, table: Float32, ids: str) -> str:
        """See Arithmetic."""
        return graph.apply("Gather", graph.constant("words", table), ids)

    def project(self, graph: OnnxGraph, x: str, linear: Projection) -> str:
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
    """Weights and activations in 8 bits, sums in 32; outlying neurons in float32. Whatever passes over all of
    a layer's values takes as long as its product: biases are added where something is added anyway."""

    def look_up(self, graph: OnnxGraph, table: Float32, ids: str) -> str:
        """See Arithmetic."""
        rows, scales = quantised(table, 127)
        row = graph.apply("Gather", graph.constant("words", rows), ids)
        scale = graph.apply("Gather", graph.constant("words.scale", scales[:, None]), ids)
        return graph.apply("Mul", graph.apply("Cast", row, to=TensorProto.FLOAT), scale)

    def project(self, graph: OnnxGraph, x: str, linear: Projection) -> str:
        """Channels that go far are divided by more, and their weights multiplied by as much (Xiao et al.,
        "SmoothQuant", 2023): then one scale, which is known beforehand, serves them all."""
        balance = _balance(linear)
        divided = graph.apply("Mul", x, graph.constant(f"{linear.name}.divided", 1 / balance))
        step = graph.constant(f"{linear.name}.step", (linear.peaks / balance).max() / np.float32(127))
        rows = graph.apply("QuantizeLinear", divided, step, _zero(graph, MIDDLE))
        bias = graph.constant(f"{linear.name}.bias", linear.bias)
        return _product(graph, rows, step, MIDDLE, replace(linear, weight=linear.weight * balance), bias)

    def multiply(self, graph: OnnxGraph, x: str, linear: Linear) -> str:
        """See Arithmetic."""
        peak = graph.apply("ReduceMax", graph.apply("Abs", x), graph.integers(-1), keepdims=1)
        scale = graph.apply("Mul", peak, graph.constant("to_127", np.float32(1 / 127)))
        return _quantise_and_multiply(graph, x, scale, MIDDLE, linear)

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


def largest_sum(graph: OnnxGraph) -> str:
    """LARGEST_SUM, or what this machine makes of it: float32 (TERMS, TERMS)."""
    one, square = graph.constant("one", np.float32(1)), (TERMS, TERMS)
    return graph.apply(
        "MatMulIntegerToFloat",
        graph.constant("largest.inputs", np.full(square, LARGEST_INPUT, np.uint8)),
        graph.constant("largest.weights", np.full(square, LARGEST_WEIGHT, np.int8)),
        one,
        one,
        domain=MICROSOFT,
    )


def _balance(linear: Projection) -> Float32:
    """By what each input is divided: (in,)."""
    largest = np.abs(linear.weight).max(axis=0)
    balance: Float32 = linear.peaks ** np.float32(BALANCE) / largest ** np.float32(1 - BALANCE)
    return balance


def _quantise_and_multiply(graph: OnnxGraph, x: str, scale: str, zero: np.uint8, linear: Linear) -> str:
    zeros = graph.once(f"zeros_{zero}", lambda: graph.apply("Expand", _zero(graph, zero), _tokens(graph, x)))
    rows = graph.apply("QuantizeLinear", x, graph.apply("Reshape", scale, graph.integers(-1)), zeros, axis=0)
    one = graph.constant("one", np.float32(1))
    return graph.apply("Mul", _product(graph, rows, one, zero, linear), scale)


def _product(graph: OnnxGraph, rows: str, scale: str, zero: np.uint8, linear: Linear, *bias: str) -> str:
    """Quantised `rows` of one `scale` times the weights, float32, and the `bias` added if there is one."""
    weight, weight_scale = quantised(linear.weight, LARGEST_WEIGHT)
    return graph.apply(
        "MatMulIntegerToFloat",
        rows,
        graph.constant(f"{linear.name}.weight", weight.T),
        scale,
        graph.constant(f"{linear.name}.scale", weight_scale),
        _zero(graph, zero),
        *(("", *bias) if bias else ()),  # that of the weights is 0
        domain=MICROSOFT,
    )


def _zero(graph: OnnxGraph, zero: np.uint8) -> str:
    return graph.constant(f"zero_{zero}", zero)


def _tokens(graph: OnnxGraph, x: str) -> str:
    """How many rows `x` has, as every other x of the graph has: (1,)."""
    return graph.once("tokens", lambda: graph.apply("Shape", x, start=0, end=1))


def arithmetic_of(precision: Precision) -> Arithmetic:
    """The arithmetic of a precision."""
    return Float32Arithmetic() if precision is Precision.FLOAT32 else Int8Arithmetic()


def quantised(table: Float32, limit: int) -> tuple[NDArray[np.int8], Float32]:
    """Rows of whole numbers in [-limit, limit] and a scale per row: shapes (rows, width), (rows,).
    `rows · scale[:, None]` is `table` to within half a scale."""
    scale = np.maximum(np.abs(table).max(axis=1), np.finfo(np.float32).tiny) / np.float32(limit)
    rows = np.clip(np.rint(table / scale[:, None]), -limit, limit).astype(np.int8)
    return rows, scale.astype(np.float32)
