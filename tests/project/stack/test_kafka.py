"""Kafka keeps what it acknowledged, takes messages of 4 MiB, and makes no topic by itself."""

import socket
import threading
from collections.abc import Iterator

import pytest
from confluent_kafka import Consumer, Producer
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from soma.base.errors import Unavailable
from soma.project.stack.kafka import Kafka
from soma.project.stack.kafka_metadata import brokers
from soma.project.stack.ports import HOST, any_port
from tests.project.stack.hosts import hosts
from tests.servers import OpenServer

pytestmark = pytest.mark.req("STACK-001")
MIB = 1024 * 1024


def produce(address: str, topic: str, value: bytes) -> None:
    """Send one message and wait until it is acknowledged."""
    failures: list[object] = []
    producer = Producer(
        {
            "bootstrap.servers": address,
            "acks": "all",
            "message.max.bytes": 5 * MIB,
            "message.timeout.ms": 20000,
        }
    )
    producer.produce(topic, value, on_delivery=lambda error, _: failures.append(error))
    producer.flush(30)
    assert failures == [None]


def consume(address: str, topic: str) -> bytes:
    """The first message of the topic."""
    consumer = Consumer({"bootstrap.servers": address, "group.id": "test", "auto.offset.reset": "earliest"})
    try:
        consumer.subscribe([topic])
        message = consumer.poll(30)
        assert message is not None and message.error() is None
        return bytes(message.value() or b"")
    finally:
        consumer.close()


def test_what_it_acknowledged_outlives_a_kill(own_server: OpenServer) -> None:
    server = own_server("kafka")
    assert hosts(server) == {"127.0.0.1"}
    admin = AdminClient({"bootstrap.servers": server.address})
    admin.create_topics([NewTopic("kept", 1)])["kept"].result(20)
    value = b"x" * (3 * MIB)
    produce(server.address, "kept", value)

    server.kill()
    server.start()

    assert consume(server.address, "kept") == value
    assert server.stop()


def test_a_topic_is_made_on_purpose_only(shared_server: OpenServer) -> None:
    producer = Producer({"bootstrap.servers": shared_server("kafka").address, "message.timeout.ms": 1000})
    failures: list[object] = []
    producer.produce("nobody-made-this", b"x", on_delivery=lambda error, _: failures.append(error))
    producer.flush(10)
    assert len(failures) == 1 and failures[0] is not None


def test_it_says_that_a_broker_serves(shared_server: OpenServer) -> None:
    address = shared_server("kafka").address
    assert brokers(address) == 1
    Kafka().check(f"{HOST}:{any_port()}, {address}")


@pytest.fixture
def stranger() -> Iterator[str]:
    """Something that answers each question, but not in Kafka's words."""
    with socket.create_server((HOST, 0)) as listening:
        answering = threading.Thread(target=answer, args=(listening,))
        answering.start()
        yield f"{HOST}:{listening.getsockname()[1]}"
        answering.join()


def answer(listening: socket.socket) -> None:
    """Serve one connection."""
    connection, _ = listening.accept()
    with connection:
        connection.recv(1024)
        connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")


def test_something_else_on_its_port_is_no_kafka(stranger: str) -> None:
    with pytest.raises(Unavailable, match="does not speak Kafka's protocol"):
        Kafka().check(stranger)


def test_nothing_on_its_port_is_said() -> None:
    with pytest.raises(Unavailable, match="does not answer"):
        Kafka().check(f"{HOST}:{any_port()}")
    with pytest.raises(Unavailable, match="is not an address with a port"):
        Kafka().check("kafka")
