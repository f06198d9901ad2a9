"""Milvus Lite keeps what was flushed, and stops without losing its files."""

import pytest
from pymilvus import MilvusClient

from tests.project.stack.hosts import hosts
from tests.servers import OpenServer

pytestmark = pytest.mark.req("STACK-001")


def found(address: str) -> list[int]:
    """The ids nearest to a vector."""
    client = MilvusClient(uri=address)
    try:
        client.load_collection("kept")
        return [hit["id"] for hit in client.search("kept", data=[[1.0, 0.0]], limit=1)[0]]
    finally:
        client.close()


def test_its_vectors_outlive_a_kill_and_a_stop(own_server: OpenServer) -> None:
    server = own_server("milvus")
    assert hosts(server) == {"127.0.0.1"}
    client = MilvusClient(uri=server.address)
    client.create_collection("kept", dimension=2)
    client.insert("kept", [{"id": 7, "vector": [1.0, 0.1]}, {"id": 8, "vector": [-1.0, 0.0]}])
    client.flush("kept")
    client.close()

    server.kill()
    server.start()
    assert found(server.address) == [7]

    assert server.stop()
    assert "Traceback" not in server.log.read_text()
    server.start()
    assert found(server.address) == [7]
