"""An ONNX graph written node by node."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from onnx import ModelProto, NodeProto, TensorProto, helper, numpy_helper

OPSET = 21
IR_VERSION = 10
MICROSOFT = "com.microsoft"


class OnnxGraph:
    """Nodes and constants, in the order they were added. Values are known by their names."""

    def __init__(self) -> None:
        self._nodes: list[NodeProto] = []
        self._constants: dict[str, TensorProto] = {}
        self._known: dict[str, str] = {}

    def constant(self, name: str, value: np.ndarray[Any, Any] | np.generic) -> str:
        """A constant of the type and shape of `value`. A name that is known already keeps its first value."""
        if name not in self._constants:
            self._constants[name] = numpy_helper.from_array(np.array(value, order="C"), name)
        return name

    def integers(self, *values: int) -> str:
        """A vector of int64: shapes, axes and lengths."""
        return self.constant("integers_" + "_".join(map(str, values)), np.array(values, np.int64))

    def apply(self, operator: str, *inputs: str, domain: str = "", **attributes: Any) -> str:
        """The output of `operator`, an operator with one output."""
        output = f"{operator}_{len(self._nodes)}"
        self._add(operator, inputs, [output], domain, attributes)
        return output

    def once(self, name: str, compute: Callable[[], str]) -> str:
        """What `compute` gives, computed by the first that asks for `name`."""
        if name not in self._known:
            self._known[name] = compute()
        return self._known[name]

    def split(self, value: str, lengths: tuple[int, ...], *, axis: int) -> list[str]:
        """`value` cut along `axis` into pieces of these lengths."""
        outputs = [f"Split_{len(self._nodes)}_{piece}" for piece in range(len(lengths))]
        self._add("Split", (value, self.integers(*lengths)), outputs, "", {"axis": axis})
        return outputs

    def model(self, name: str, *, ids: str, outputs: Mapping[str, Sequence[str | int]]) -> ModelProto:
        """The model from int64 `ids` of shape (batch, length) to the float32 `outputs` of these shapes."""
        graph = helper.make_graph(
            self._nodes,
            name,
            [helper.make_tensor_value_info(ids, TensorProto.INT64, ["batch", "length"])],
            [
                helper.make_tensor_value_info(output, TensorProto.FLOAT, shape)
                for output, shape in outputs.items()
            ],
            list(self._constants.values()),
        )
        opsets = [helper.make_opsetid("", OPSET), helper.make_opsetid(MICROSOFT, 1)]
        return helper.make_model(
            graph, opset_imports=opsets, ir_version=IR_VERSION, producer_name="somastack"
        )

    def _add(
        self,
        operator: str,
        inputs: tuple[str, ...],
        outputs: list[str],
        domain: str,
        attributes: dict[str, Any],
    ) -> None:
        self._nodes.append(helper.make_node(operator, list(inputs), outputs, domain=domain, **attributes))
