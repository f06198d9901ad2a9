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
# GELU is never below -.16998. Shifted by this much it is positive and uses all 8 bits.
GELU_SHIFT = np.float32(0.17)


@dataclass(frozen=True, kw_only=True, slots=True)
class Linear:
    """y = x·weightᵀ + bias, with weight of shape (out, in) and bias of shape (out,).

    `outliers` are the inputs whose values dwarf the others'; `after_gelu` says that x comes from a GELU.
    """

    name: str
    weight: Float32
    bias: Float32
    outliers: tuple[int, ...] = ()
    after_gelu: bool = False


class Arithmetic(Protocol):
    """How rows are looked up and how linear layers are computed."""

    def look_up(self, graph: OnnxGraph, table: Float32, ids: str) -> str:
        """Rows of `table` (rows, width) for int64 `ids` (batch, length): float32 (batch, length, width)."""

    def project(self, graph: OnnxGraph, x: str, linear: Linear) -> str:
        """The linear layer applied to `x`, float32 (tokens, in): float32 (tokens, out)."""


class Float32Arithmetic:
    """The weights as they were published."""

    def look_up(self, graph: OnnxGraph, table: Float32, ids: str) -> str:
        """See Arithmetic."""
        return graph.apply("Gather", graph.constant("words", table), ids)

    def project(self, graph: OnnxGraph, x: str, linear: Linear) -> str:
        """See Arithmetic."""
        product = graph.apply("MatMul", x, graph.constant(f"{linear.name}.weight", linear.weight.T))
        return graph.apply("Add", product, graph.constant(f"{linear.name}.bias", linear.bias))


class Int8Arithmetic:
    """Weights in 7 bits, activations in 8, sums in 32; outliers in float32."""

    def look_up(self, graph: OnnxGraph, table: Float32, ids: str) -> str:
        """See Arithmetic."""
        rows, scales = quantised(table, 127)
        row = graph.apply("Gather", graph.constant("words", rows), ids)
        scale = graph.apply("Gather", graph.constant("words.scale", scales[:, None]), ids)
        return graph.apply("Mul", graph.apply("Cast", row, to=TensorProto.FLOAT), scale)

    def project(self, graph: OnnxGraph, x: str, linear: Linear) -> str:
        """See Arithmetic."""
        if linear.outliers:
            return self._project_apart(graph, x, linear)
        return (
            self._project_shifted(graph, x, linear)
            if linear.after_gelu
            else self._project_centred(graph, x, linear)
        )

    def _project_apart(self, graph: OnnxGraph, x: str, linear: Linear) -> str:
        """The outliers in float32, the others in int8: left in, an outlier would set the scale of its token,
        and its weights' rounding would be multiplied by its size."""
        channels = list(linear.outliers)
        others = np.ones(linear.weight.shape[1], np.float32)
        others[channels] = 0
        outliers = graph.apply("Gather", x, graph.integers(*channels), axis=1)
        columns = graph.constant(f"{linear.name}.outliers", linear.weight[:, channels].T)
        inner = replace(linear, weight=linear.weight * others, outliers=())
        masked = graph.apply("Mul", x, graph.constant(f"{linear.name}.others", others))
        return graph.apply(
            "Add", self.project(graph, masked, inner), graph.apply("MatMul", outliers, columns)
        )

    def _project_centred(self, graph: OnnxGraph, x: str, linear: Linear) -> str:
        peak = graph.apply("ReduceMax", graph.apply("Abs", x), graph.integers(-1), keepdims=1)
        scale = graph.apply("Mul", peak, graph.constant("to_127", np.float32(1 / 127)))
        return self._quantise_and_multiply(graph, x, scale, np.uint8(128), linear)

    def _project_shifted(self, graph: OnnxGraph, x: str, linear: Linear) -> str:
        weight, weight_scale = quantised(linear.weight, WEIGHT_LIMIT)
        owed = GELU_SHIFT * weight.sum(axis=1, dtype=np.int32).astype(np.float32) * weight_scale
        shifted = graph.apply("Add", x, graph.constant("gelu_shift", GELU_SHIFT))
        peak = graph.apply("ReduceMax", shifted, graph.integers(-1), keepdims=1)
        scale = graph.apply("Mul", peak, graph.constant("to_255", np.float32(1 / 255)))
        inner = replace(linear, bias=linear.bias - owed)
        return self._quantise_and_multiply(graph, shifted, scale, np.uint8(0), inner)

    def _quantise_and_multiply(
        self, graph: OnnxGraph, x: str, scale: str, zero: np.uint8, linear: Linear
    ) -> str:
        zero_point = graph.constant(f"zero_{zero}", zero)
        tokens = graph.apply("Shape", x, start=0, end=1)
        rows = graph.apply(
            "QuantizeLinear",
            x,
            graph.apply("Reshape", scale, graph.integers(-1)),
            graph.apply("Expand", zero_point, tokens),
            axis=0,
        )
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
