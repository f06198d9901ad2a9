"""Every client of Kafka is as secure as the configuration says."""

from pathlib import Path
from uuid import UUID

import pytest
from confluent_kafka import Consumer, Producer
from confluent_kafka.admin import AdminClient

from soma.base.database import worker_transaction
from soma.base.ids import new_id
from soma.base.kafka_security import KafkaSecurity, SaslMechanism, SecurityProtocol
from soma.events.adapters import kafka_settings
from soma.events.adapters.event_log_kafka import KafkaEventLog
from soma.events.api import EventLogUnavailable
from tests.events.samples import failed_turn, pending
from tests.servers import OpenServer

pytestmark = pytest.mark.req("REPLAY-002")

SIGNED_IN = KafkaSecurity(
    protocol=SecurityProtocol.SASL_SSL,
    mechanism=SaslMechanism.SCRAM_SHA_256,
    username="soma",
    password="s3cret",
)


@pytest.fixture
def tenant(own_database: str) -> UUID:
    return new_id()


def test_all_clients_sign_in_and_know_the_brokers() -> None:
    client = kafka_settings.client("broker:9093", SIGNED_IN)
    for settings in (client, kafka_settings.producer(client), kafka_settings.reader(client)):
        assert settings["security.protocol"] == "SASL_SSL"
        assert settings["enable.ssl.certificate.verification"] is True
        assert settings["ssl.endpoint.identification.algorithm"] == "https"
        assert (settings["sasl.mechanism"], settings["sasl.username"], settings["sasl.password"]) == (
            "SCRAM-SHA-256",
            "soma",
            "s3cret",
        )
    # The client library knows each of them.
    AdminClient(dict(client))
    Producer(dict(kafka_settings.producer(client)))
    Consumer(dict(kafka_settings.reader(client))).close()


def test_in_the_clear_nobody_signs_in(tmp_path: Path) -> None:
    assert kafka_settings.client("broker:9092", KafkaSecurity())["security.protocol"] == "PLAINTEXT"
    assert not [name for name in kafka_settings.client("broker:9092", KafkaSecurity()) if "sasl" in name]
    trusting = KafkaSecurity(protocol=SecurityProtocol.SSL, ca=tmp_path / "ca.pem")
    assert kafka_settings.client("broker:9093", trusting)["ssl.ca.location"] == str(tmp_path / "ca.pem")


@pytest.mark.parametrize("security", [SIGNED_IN, KafkaSecurity(protocol=SecurityProtocol.SSL)])
def test_nothing_is_sent_to_a_broker_that_has_no_certificate(
    security: KafkaSecurity, tenant: UUID, shared_server: OpenServer
) -> None:
    log = KafkaEventLog(shared_server("kafka").address, prefix=f"test-{new_id().hex}.", security=security)
    with pytest.raises(EventLogUnavailable), worker_transaction():
        log.append([pending(failed_turn(tenant, "not sent"))])
    log.close()
