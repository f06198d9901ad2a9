"""How the exported model looks rows up and multiplies by its weights: in float32, or mostly in int8.

The int8 form quantises weights per output row when it is built, and activations per token when it
runs. One scale per token rather than per batch (what `quantize_dynamic` builds) keeps a text's vector
independent of what it is batched with, and costs less accuracy.
"""

from dataclasses import dataclass
from enum import Enum, auto
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
# These channels of the normalised hidden state reach 10 to 30 where the others stay below 5. Left in,
# they set the scale of every token and coarsen all the rest; four channels in float32 cost next to nothing.
OUTLIERS = (63, 99, 157, 223)
# GELU is never below -.16998. Shifted by this much it is positive and uses all 8 bits.
GELU_SHIFT = np.float32(0.17)


class Source(Enum):
    """Where the activations come from that a linear layer multiplies; it decides how they are quantised."""

    NORM = auto()
    ATTENTION = auto()
    GELU = auto()


@dataclass(frozen=True, kw_only=True, slots=True)
class Linear:
    """y = x·weightᵀ + bias, with weight of shape (out, in) and bias of shape (out,)."""

    name: str
    weight: Float32
    bias: Float32


class Arithmetic(Protocol):
    """How rows are looked up and how linear layers are computed."""

    def look_up(self, graph: OnnxGraph, table: Float32, ids: str) -> str:
        """Rows of `table` (rows, width) for int64 `ids` (batch, length): float32 (batch, length, width)."""

    def project(self, graph: OnnxGraph, x: str, linear: Linear, source: Source) -> str:
        """The linear layer applied to `x`, float32 (tokens, in): float32 (tokens, out)."""


class Float32Arithmetic:
    """The weights as they were published."""

    def look_up(self, graph: OnnxGraph, table: Float32, ids: str) -> str:
        """See Arithmetic."""
        return graph.apply("Gather", graph.constant("words", table), ids)

    def project(self, graph: OnnxGraph, x: str, linear: Linear, source: Source) -> str:
        """See Arithmetic."""
        del source
        product = graph.apply("MatMul", x, graph.constant(f"{linear.name}.weight", linear.weight.T))
        return graph.apply("Add", product, graph.constant(f"{linear.name}.bias", linear.bias))


class Int8Arithmetic:
    """Weights in 7 bits, activations in 8, sums in 32; the outlier channels in float32."""

    def look_up(self, graph: OnnxGraph, table: Float32, ids: str) -> str:
        """See Arithmetic."""
        rows, scales = quantised(table, 127)
        row = graph.apply("Gather", graph.constant("words", rows), ids)
        scale = graph.apply("Gather", graph.constant("words.scale", scales[:, None]), ids)
        return graph.apply("Mul", graph.apply("Cast", row, to=TensorProto.FLOAT), scale)

    def project(self, graph: OnnxGraph, x: str, linear: Linear, source: Source) -> str:
        """See Arithmetic."""
        if source is Source.GELU:
            return self._project_shifted(graph, x, linear)
        if source is Source.NORM:
            return self._project_around_outliers(graph, x, linear)
        return self._project_centred(graph, x, linear)

    def _project_around_outliers(self, graph: OnnxGraph, x: str, linear: Linear) -> str:
        channels = list(OUTLIERS)
        rest = np.ones(linear.weight.shape[1], np.float32)
        rest[channels] = 0
        outliers = graph.apply("Gather", x, graph.integers(*channels), axis=1)
        columns = graph.constant(f"{linear.name}.outliers", linear.weight[:, channels].T)
        inner = Linear(name=linear.name, weight=linear.weight * rest, bias=linear.bias)
        masked = graph.apply("Mul", x, graph.constant("not_outlier", rest))
        return graph.apply(
            "Add", self._project_centred(graph, masked, inner), graph.apply("MatMul", outliers, columns)
        )

    def _project_centred(self, graph: OnnxGraph, x: str, linear: Linear) -> str:
        zero = graph.constant("centre", np.uint8(128))
        peak = graph.apply("ReduceMax", graph.apply("Abs", x), graph.integers(-1), keepdims=1)
        scale = graph.apply("Mul", peak, graph.constant("to_127", np.float32(1 / 127)))
        zeros = graph.apply("Expand", zero, graph.apply("Shape", x, start=0, end=1))
        rows = graph.apply("QuantizeLinear", x, _flat(graph, scale), zeros, axis=0)
        return self._multiply(graph, rows, scale, zero, linear)

    def _project_shifted(self, graph: OnnxGraph, x: str, linear: Linear) -> str:
        weight, weight_scale = quantised(linear.weight, WEIGHT_LIMIT)
        owed = GELU_SHIFT * weight.sum(axis=1, dtype=np.int32) * weight_scale
        shifted = graph.apply("Add", x, graph.constant("gelu_shift", GELU_SHIFT))
        peak = graph.apply("ReduceMax", shifted, graph.integers(-1), keepdims=1)
        scale = graph.apply("Mul", peak, graph.constant("to_255", np.float32(1 / 255)))
        rows = graph.apply("QuantizeLinear", shifted, _flat(graph, scale), axis=0)
        inner = Linear(name=linear.name, weight=linear.weight, bias=(linear.bias - owed).astype(np.float32))
        return self._multiply(graph, rows, scale, graph.constant("floor", np.uint8(0)), inner)

    def _multiply(self, graph: OnnxGraph, rows: str, scale: str, zero: str, linear: Linear) -> str:
        weight, weight_scale = quantised(linear.weight, WEIGHT_LIMIT)
        product = graph.apply(
            "MatMulIntegerToFloat",
            rows,
            graph.constant(f"{linear.name}.weight", weight.T),
            graph.constant("one", np.float32(1)),
            graph.constant(f"{linear.name}.scale", weight_scale),
            zero,
            domain=MICROSOFT,
        )
        scaled = graph.apply("Mul", product, scale)
        return graph.apply("Add", scaled, graph.constant(f"{linear.name}.bias", linear.bias))


def arithmetic_of(precision: Precision) -> Arithmetic:
    """The arithmetic of a precision."""
    return Float32Arithmetic() if precision is Precision.FLOAT32 else Int8Arithmetic()


def quantised(table: Float32, limit: int) -> tuple[NDArray[np.int8], Float32]:
    """Rows of whole numbers in [-limit, limit] and a scale per row: shapes (rows, width), (rows,).
    `rows · scale[:, None]` is `table` to within half a scale."""
    scale = np.maximum(np.abs(table).max(axis=1), np.finfo(np.float32).tiny) / np.float32(limit)
    rows = np.clip(np.rint(table / scale[:, None]), -limit, limit).astype(np.int8)
    return rows, scale.astype(np.float32)


def _flat(graph: OnnxGraph, column: str) -> str:
    return graph.apply("Reshape", column, graph.integers(-1))
