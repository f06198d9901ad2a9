"""A collection of vectors in Milvus."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from soma.fractalmemory.adapters import milvus_schema
from soma.fractalmemory.adapters.deadline import Deadline
from soma.fractalmemory.adapters.milvus_connection import MilvusConnection, MilvusRefusal
from soma.fractalmemory.adapters.milvus_opening import MilvusOpening, TakeTurn
from soma.fractalmemory.adapters.milvus_protocol import protocol
from soma.fractalmemory.adapters.milvus_schema import Vector, pairs
from soma.fractalmemory.adapters.milvus_terms import listed

MAX_RESULTS = 16_384
"""Milvus gives no more at once."""

CANDIDATES = 100
"""How many vectors its HNSW index compares at least, as in PostgreSQL."""


class MilvusCollection:
    """One collection. Safe to call from several threads. All calls raise StoreUnavailable."""

    def __init__(self, connection: MilvusConnection, name: str) -> None:
        self._connection = connection
        self._name = name
        self._identity: UUID | None = None
        self._lite = False

    @property
    def one_writer_at_a_time(self) -> bool:
        """Whether writers must take turns: two that write to Milvus Lite at once damage its log, and when it
        is killed it loses all that was in there."""
        return self._lite

    def identity(self, deadline: Deadline, take_turn: TakeTurn) -> UUID:
        """What names this collection, which can be searched then. It is opened when that is due: at first
        use, and after a restart of the server. Another identity than before means that it is empty."""
        if self._identity is None:
            opening = MilvusOpening(self._connection, self._name, deadline)
            self._lite = opening.is_lite()
            self._identity = opening.open(lite=self._lite, take_turn=take_turn)
        return self._identity

    def search(
        self, vector: NDArray[np.float32], expression: str, limit: int, deadline: Deadline
    ) -> list[str]:
        """The keys of the `limit` vectors nearest to `vector`, nearest first; fewer if there are no more."""
        common = protocol().common
        value = common.PlaceholderValue(
            tag="$0", type=common.PlaceholderType.FloatVector, values=[vector.astype("<f4").tobytes()]
        )
        parameters = {
            "anns_field": "vector", "metric_type": "COSINE", "topk": limit, "round_decimal": -1,
            "params": {"ef": max(CANDIDATES, limit)},
        }  # fmt: skip
        request = protocol().milvus.SearchRequest(
            collection_name=self._name,
            dsl=expression,
            dsl_type=common.DslType.BoolExprV1,
            placeholder_group=common.PlaceholderGroup(placeholders=[value]).SerializeToString(),
            search_params=pairs(parameters),
            output_fields=["key"],
            nq=1,
            consistency_level=common.ConsistencyLevel.Strong,
        )
        return list(self._call("Search", request, deadline).results.ids.str_id.data)

    def upsert(self, vectors: Sequence[Vector], deadline: Deadline) -> None:
        """Write `vectors`, each in place of one with its key."""
        self._call("Upsert", milvus_schema.upsert_request(self._name, vectors), deadline)

    def remove(self, keys: Sequence[str], deadline: Deadline) -> None:
        """Remove those of `keys` that there are."""
        request = protocol().milvus.DeleteRequest(collection_name=self._name, expr=f"key in {listed(keys)}")
        self._call("Delete", request, deadline)

    def present(self, keys: Sequence[str], deadline: Deadline) -> set[str]:
        """Those of `keys` that there are."""
        return set(self._query(f"key in {listed(keys)}", {"limit": len(keys)}, deadline))

    def keys(self, tenant_id: UUID, after: str, limit: int, deadline: Deadline) -> list[str]:
        """The first `limit` keys of the tenant behind `after`, in order."""
        # As an iterator asks, which Milvus answers in the order of the keys.
        parameters = {"limit": limit, "iterator": "True", "reduce_stop_for_best": "True"}
        return sorted(self._query(f"tenant == '{tenant_id.hex}' and key > '{after}'", parameters, deadline))

    def close(self) -> None:
        """End the connection."""
        self._connection.close()

    def _query(self, expression: str, parameters: dict[str, Any], deadline: Deadline) -> list[str]:
        request = protocol().milvus.QueryRequest(
            collection_name=self._name,
            expr=expression,
            output_fields=["key"],
            query_params=pairs(parameters),
            consistency_level=protocol().common.ConsistencyLevel.Strong,
        )
        return milvus_schema.keys(self._call("Query", request, deadline))

    def _call(self, method: str, request: Any, deadline: Deadline) -> Any:
        try:
            return self._connection.call(method, request, deadline)
        except MilvusRefusal as refusal:
            if refusal.collection_away:
                self._identity = None
            raise
