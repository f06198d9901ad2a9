"""The collection that holds vectors in Milvus: its fields, its indexes, and rows for it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

import numpy as np
import orjson
from numpy.typing import NDArray

from soma.fractalmemory.adapters.milvus_protocol import protocol
from soma.fractalmemory.adapters.milvus_terms import (
    FACT_LENGTH,
    MAX_FACTS,
    NAMESPACE_LENGTH,
    facts,
    microseconds,
    namespace_term,
    vector_key,
)
from soma.fractalmemory.models import DIMENSIONS

VERSION = 1
KEY_LENGTH, TENANT_LENGTH = 48, 32
DESCRIPTION = f"Vectors of SomaStack's memories, schema {VERSION}; the memories are in PostgreSQL"


@dataclass(frozen=True, kw_only=True, slots=True)
class Vector:
    """The vector of one state of a memory, with what searches filter by."""

    tenant_id: UUID
    record_id: UUID
    written_at: datetime
    namespace: str
    occurred_at: datetime
    provenance: dict[str, Any]
    values: NDArray[np.float32] = field(repr=False, compare=False)

    @property
    def key(self) -> str:
        """What names it in Milvus."""
        return vector_key(self.record_id, self.written_at)


def schema(name: str) -> bytes:
    """The fields. The tenant is the partition key: a search reads its partition only."""
    pb = protocol().schema
    text, number = pb.DataType.VarChar, pb.DataType.Int64
    fields = [
        _field("key", text, is_primary_key=True, max_length=KEY_LENGTH),
        _field("tenant", text, is_partition_key=True, max_length=TENANT_LENGTH),
        _field("namespace", text, max_length=NAMESPACE_LENGTH),
        _field("occurred_at", number),
        _field("facts", pb.DataType.Array, element_type=text, max_length=FACT_LENGTH, max_capacity=MAX_FACTS),
        _field("vector", pb.DataType.FloatVector, dim=DIMENSIONS),
    ]
    message = pb.CollectionSchema(name=name, description=DESCRIPTION, fields=fields)
    return bytes(message.SerializeToString())


def indexes(*, lite: bool) -> dict[str, dict[str, Any]]:
    """The indexes by field. Milvus Lite cannot index arrays, and its HNSW loses what a filter leaves over:
    of twenty near vectors in a namespace it finds three. There every vector is compared."""
    if lite:
        return {"vector": {"index_type": "FLAT", "metric_type": "COSINE"}}
    return {
        "vector": {
            "index_type": "HNSW", "metric_type": "COSINE", "params": {"M": 16, "efConstruction": 128},
        },
        "namespace": {"index_type": "INVERTED"},
        "facts": {"index_type": "INVERTED"},
        "occurred_at": {"index_type": "INVERTED"},
    }  # fmt: skip


def pairs(values: dict[str, Any]) -> list[Any]:
    """`values` as the protocol has them: names and texts, JSON where they are no texts."""
    pb = protocol().common
    texts = {name: value if isinstance(value, str) else _json(value) for name, value in values.items()}
    return [pb.KeyValuePair(key=name, value=text) for name, text in texts.items()]


def upsert_request(name: str, vectors: Sequence[Vector]) -> Any:
    """What writes `vectors` into the collection `name`."""
    request = protocol().milvus.UpsertRequest
    return request(collection_name=name, fields_data=_columns(vectors), num_rows=len(vectors))


def keys(reply: Any) -> list[str]:
    """The keys that a query found."""
    return [
        key
        for field in reply.fields_data
        if field.field_name == "key"
        for key in field.scalars.string_data.data
    ]


def _columns(vectors: Sequence[Vector]) -> list[Any]:
    pb = protocol().schema
    numbers = np.concatenate([vector.values for vector in vectors]).astype(np.float32)
    told = [pb.ScalarField(string_data=pb.StringArray(data=facts(each.provenance))) for each in vectors]
    text = pb.DataType.VarChar
    return [
        _texts("key", [each.key for each in vectors]),
        _texts("tenant", [each.tenant_id.hex for each in vectors]),
        _texts("namespace", [namespace_term(each.namespace) for each in vectors]),
        pb.FieldData(
            field_name="occurred_at",
            type=pb.DataType.Int64,
            scalars=pb.ScalarField(
                long_data=pb.LongArray(data=[microseconds(each.occurred_at) for each in vectors])
            ),
        ),
        pb.FieldData(
            field_name="facts",
            type=pb.DataType.Array,
            scalars=pb.ScalarField(array_data=pb.ArrayArray(data=told, element_type=text)),
        ),
        pb.FieldData(
            field_name="vector",
            type=pb.DataType.FloatVector,
            vectors=pb.VectorField(dim=DIMENSIONS, float_vector=pb.FloatArray(data=numbers.tolist())),
        ),
    ]


def _texts(name: str, data: list[str]) -> Any:
    pb = protocol().schema
    scalars = pb.ScalarField(string_data=pb.StringArray(data=data))
    return pb.FieldData(field_name=name, type=pb.DataType.VarChar, scalars=scalars)


def _field(name: str, data_type: int, **parameters: Any) -> Any:
    pb = protocol().schema
    own = {"is_primary_key", "is_partition_key", "element_type"}
    flags = {key: value for key, value in parameters.items() if key in own}
    limits = {key: value for key, value in parameters.items() if key not in own}
    return pb.FieldSchema(name=name, data_type=data_type, type_params=pairs(limits), **flags)


def _json(value: Any) -> str:
    return orjson.dumps(value).decode()
