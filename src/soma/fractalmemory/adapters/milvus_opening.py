"""Making a collection in Milvus ready for use."""

from collections.abc import Callable, Mapping
from time import sleep
from typing import Any
from uuid import UUID, uuid4

import numpy as np

from soma.fractalmemory.adapters import milvus_schema
from soma.fractalmemory.adapters.deadline import Deadline
from soma.fractalmemory.adapters.milvus_connection import (
    COLLECTION_NOT_FOUND,
    INDEX_NOT_FOUND,
    MilvusConnection,
    MilvusRefusal,
)
from soma.fractalmemory.adapters.milvus_protocol import protocol
from soma.fractalmemory.adapters.milvus_schema import Vector, pairs
from soma.fractalmemory.adapters.milvus_terms import EPOCH, MICROSECOND, of_vector_key
from soma.fractalmemory.errors import StoreUnavailable
from soma.fractalmemory.models import DIMENSIONS

LOADING_POLL_SECONDS = 0.02
NOBODY = UUID(int=0)
"""The tenant of the collection's own mark."""

FORMAT = EPOCH + milvus_schema.VERSION * MICROSECOND
"""What stands in the mark in place of a time."""

TakeTurn = Callable[[], None]
"""Returns when nobody else makes the collection; whoever comes later finds it made."""


class MilvusOpening:
    """One collection on its way to being searchable, within one deadline.

    Its identity is a mark inside it, a vector of no tenant, made last: what is made anew after Milvus lost it
    is another collection, and memories that were in the old one are known not to be in this one.
    """

    def __init__(self, connection: MilvusConnection, name: str, deadline: Deadline) -> None:
        self._connection = connection
        self._name = name
        self._deadline = deadline

    def is_lite(self) -> bool:
        """Whether the server is Milvus Lite."""
        version: str = self._call("GetVersion", protocol().milvus.GetVersionRequest()).version
        return "lite" in version

    def open(self, *, lite: bool, take_turn: TakeTurn) -> UUID:
        """Make what is missing, load it, and say what the collection's identity is."""
        indexes = milvus_schema.indexes(lite=lite)
        if not (self._stands() and indexes.keys() <= self._indexed_fields()):
            take_turn()
            self._make(indexes)
        self._load()
        return self._mark() or self._set_mark(take_turn)

    def _stands(self) -> bool:
        request = protocol().milvus.DescribeCollectionRequest(collection_name=self._name)
        try:
            reply = self._call("DescribeCollection", request)
        except MilvusRefusal as refusal:
            if refusal.status == COLLECTION_NOT_FOUND:
                return False
            raise
        parameters = [pair for field in reply.schema.fields for pair in field.type_params]
        lengths = {pair.value for pair in parameters if pair.key == "dim"}
        if lengths != {str(DIMENSIONS)}:
            raise self._unusable(f"keeps vectors of {'/'.join(sorted(lengths))} dimensions, not {DIMENSIONS}")
        return True

    def _create(self) -> None:
        request = protocol().milvus.CreateCollectionRequest(
            collection_name=self._name,
            schema=milvus_schema.schema(self._name),
            shards_num=1,
            consistency_level=protocol().common.ConsistencyLevel.Strong,
        )
        self._call("CreateCollection", request)

    def _make(self, indexes: Mapping[str, dict[str, Any]]) -> None:
        if not self._stands():
            self._create()
        standing = self._indexed_fields()
        for field, parameters in indexes.items():
            if field not in standing:
                request = protocol().milvus.CreateIndexRequest(
                    collection_name=self._name,
                    field_name=field,
                    index_name=field,
                    extra_params=pairs(parameters),
                )
                self._call("CreateIndex", request)

    def _indexed_fields(self) -> set[str]:
        request = protocol().milvus.DescribeIndexRequest(collection_name=self._name)
        try:
            reply = self._call("DescribeIndex", request)
        except MilvusRefusal as refusal:
            if refusal.status == INDEX_NOT_FOUND:
                return set()
            raise
        return {each.field_name for each in reply.index_descriptions}

    def _load(self) -> None:
        milvus = protocol().milvus
        self._call("LoadCollection", milvus.LoadCollectionRequest(collection_name=self._name))
        state = milvus.GetLoadStateRequest(collection_name=self._name)
        while self._call("GetLoadState", state).state != protocol().common.LoadState.LoadStateLoaded:
            sleep(LOADING_POLL_SECONDS)

    def _mark(self) -> UUID | None:
        request = protocol().milvus.QueryRequest(
            collection_name=self._name,
            expr=f"tenant == '{NOBODY.hex}'",
            output_fields=["key"],
            query_params=pairs({"limit": 1}),
            consistency_level=protocol().common.ConsistencyLevel.Strong,
        )
        for key in milvus_schema.keys(self._call("Query", request)):
            identity, written_at = of_vector_key(key)
            if written_at != FORMAT:
                raise self._unusable("was made by another version")
            return identity
        return None

    def _set_mark(self, take_turn: TakeTurn) -> UUID:
        take_turn()
        standing = self._mark()
        if standing is not None:
            return standing
        identity = uuid4()
        self._call("Upsert", milvus_schema.upsert_request(self._name, [_mark_vector(identity)]))
        return identity

    def _call(self, method: str, request: Any) -> Any:
        return self._connection.call(method, request, self._deadline)

    def _unusable(self, why: str) -> StoreUnavailable:
        address = self._connection.address
        return StoreUnavailable(f"The collection {self._name!r} of Milvus at {address} {why}; name another")


def _mark_vector(identity: UUID) -> Vector:
    return Vector(
        tenant_id=NOBODY,
        record_id=identity,
        written_at=FORMAT,
        namespace="",
        occurred_at=EPOCH,
        provenance={},
        values=np.eye(1, DIMENSIONS, dtype=np.float32)[0],
    )
