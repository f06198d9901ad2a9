"""The generated messages of Milvus's protocol, imported when a store on Milvus is made.

`pymilvus` takes a second to import, most of it for pandas, which its messages do not need. Who has no Milvus
is spared that, and need not install it.
"""

from dataclasses import dataclass
from functools import cache
from typing import Any


@dataclass(frozen=True, kw_only=True, slots=True)
class Protocol:
    """gRPC, and the modules of messages, none of which has types."""

    grpc: Any
    common: Any
    milvus: Any
    schema: Any
    stub: Any


@cache
def protocol() -> Protocol:
    """The one import."""
    import grpc  # noqa: PLC0415
    from pymilvus.grpc_gen import common_pb2, milvus_pb2, milvus_pb2_grpc, schema_pb2  # noqa: PLC0415

    return Protocol(
        grpc=grpc,
        common=common_pb2,
        milvus=milvus_pb2,
        schema=schema_pb2,
        stub=milvus_pb2_grpc.MilvusServiceStub,
    )
