"""What the event log is compared with: everything that was committed, and everything that Kafka holds."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import psycopg
from confluent_kafka import Consumer, Message, TopicPartition

ANSWER_SECONDS = 20.0

# In the transaction of whoever publishes: what is here was committed, and nothing that was is not.
WITNESS = """
CREATE TABLE outbox_witness (id bigint PRIMARY KEY, event_id uuid NOT NULL, tenant_id uuid NOT NULL);
CREATE FUNCTION witness_outbox() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = public AS $$
BEGIN
    INSERT INTO outbox_witness VALUES (new.id, new.event_id, new.tenant_id);
    RETURN NULL;
END
$$;
CREATE TRIGGER witness AFTER INSERT ON outbox_message FOR EACH ROW EXECUTE FUNCTION witness_outbox();
"""


class Witness:
    """Keeps each event that was ever put into the outbox at `url`, a superuser's address."""

    def __init__(self, url: str) -> None:
        self._url = url
        self.ask(WITNESS)

    def ask(self, statement: str) -> list[Any]:
        """The rows that any statement gives."""
        with psycopg.connect(self._url, autocommit=True, connect_timeout=5) as connection:
            cursor = connection.execute(statement)
            return cursor.fetchall() if cursor.description else []

    def committed(self) -> dict[str, list[str]]:
        """By tenant, the event_ids in the order of the outbox."""
        found = defaultdict[str, list[str]](list)
        for tenant_id, event_id in self.ask("SELECT tenant_id, event_id FROM outbox_witness ORDER BY id"):
            found[str(tenant_id)].append(str(event_id))
        return found


@dataclass(frozen=True, kw_only=True, slots=True)
class Raw:
    """A record as any reader of the topic has it."""

    event_id: str
    tenant: str
    place: str


def raw_records(servers: str) -> Iterator[Raw]:
    """All records of all topics on `servers`, those of a partition in its order."""
    reader = Consumer({"bootstrap.servers": servers, "group.id": "witness", "enable.auto.commit": False})
    try:
        left = _ends(reader)
        reader.assign([TopicPartition(topic, number, 0) for topic, number in left])
        while left:
            message = reader.poll(ANSWER_SECONDS)
            assert message is not None, f"nothing comes, and these have not ended: {left}"
            assert message.error() is None, message.error()
            yield _raw(message)
            place = message.topic() or "", message.partition() or 0
            if (message.offset() or 0) + 1 >= left.get(place, 0):
                left.pop(place, None)
    finally:
        reader.close()


def _ends(reader: Consumer) -> dict[tuple[str, int], int]:
    """The end of each partition that holds something."""
    topics = reader.list_topics(timeout=ANSWER_SECONDS).topics.values()
    places = [(each.topic, number) for each in topics for number in each.partitions]
    ends = {
        place: reader.get_watermark_offsets(TopicPartition(*place), timeout=ANSWER_SECONDS)[1]
        for place in places
        if not place[0].startswith("__")
    }
    return {place: end for place, end in ends.items() if end}


def _raw(message: Message) -> Raw:
    headers = dict(message.headers() or [])
    key, event_id = message.key(), headers["event_id"]
    assert isinstance(key, bytes) and isinstance(event_id, bytes)
    return Raw(
        event_id=event_id.decode(),
        tenant=key.decode(),
        place=f"{message.topic()}/{message.partition()}:{(message.offset() or 0) + 1}",
    )
