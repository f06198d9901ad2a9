"""Every topic has a schema of its records, and every type a topic."""

from dataclasses import asdict
from typing import Any
from uuid import uuid4

import orjson
import pytest
from jsonschema_rs import ValidationError, meta, validator_for

from soma.base.clock import now
from soma.base.errors import NotFound
from soma.base.ids import new_id
from soma.events.event import StoredEvent
from soma.events.schema_catalogue import catalogue
from soma.events.topics import TOPICS, schema_document, schemas_of, topic_schema
from tests.events.samples import PAYLOADS, sample

pytestmark = pytest.mark.req("SCHEMA-001")


def record(event_type: str, topic: str, **changes: Any) -> dict[str, Any]:
    """What a reader of the log gets, as JSON."""
    event = StoredEvent(
        partition="log",
        position=7,
        sequence=1,
        event_id=new_id(),
        tenant_id=uuid4(),
        topic=topic,
        type=event_type,
        version=1,
        key="turn-1",
        payload=PAYLOADS.get(event_type, {}),
        trace_id="",
        occurred_at=now(),
        recorded_at=now(),
    )
    document: dict[str, Any] = orjson.loads(orjson.dumps(asdict(event)))
    return document | changes


def test_every_type_belongs_to_a_topic_that_is_known() -> None:
    assert {schema.topic for schema in catalogue().values()} <= set(TOPICS)
    assert all(TOPICS.values())


@pytest.mark.parametrize("topic", TOPICS)
def test_a_topics_schema_is_one(topic: str) -> None:
    document = topic_schema(topic)
    meta.validate(document)
    assert document["title"] == topic


@pytest.mark.parametrize(
    "schema", catalogue().values(), ids=lambda schema: f"{schema.type}.v{schema.version}"
)
def test_a_record_keeps_its_topics_schema(schema: Any) -> None:
    check = validator_for(topic_schema(schema.topic), validate_formats=True)
    good = record(schema.type, schema.topic, version=schema.version, payload=sample(schema))
    check.validate(good)
    for broken in (
        good | {"payload": {**good["payload"], "surprise": 1}},
        good | {"topic": "nowhere"},
        good | {"type": "chat.nothing"},
        good | {"version": 99},
        good | {"sequence": 0},
        good | {"tenant_id": "me"},
        good | {"more": 1},
        {name: value for name, value in good.items() if name != "event_id"},
    ):
        with pytest.raises(ValidationError):
            check.validate(broken)


def test_a_topic_without_types_has_the_attributes_alone() -> None:
    assert schemas_of("project.events") == []
    check = validator_for(topic_schema("project.events"), validate_formats=True)
    check.validate(record("project.anything", "project.events", payload={"state": "any"}))
    with pytest.raises(ValidationError):
        check.validate(record("project.anything", "project.events", payload=[]))


def test_a_schema_is_found_by_type_version_and_topic() -> None:
    assert schema_document("chat.turn_failed") == schema_document("chat.turn_failed", 1)
    assert schema_document("chat.turn_failed")["title"] == "chat.turn_failed"
    assert schema_document("chat.events") == topic_schema("chat.events")
    # A type that is called as its topic is the type.
    assert schema_document("mode.changed")["$id"] == "urn:somastack:event:mode.changed:1"


@pytest.mark.parametrize(("name", "version"), [("nothing", None), ("nothing", 1), ("chat.turn_failed", 2)])
def test_an_unknown_one_is_not_found(name: str, version: int | None) -> None:
    with pytest.raises(NotFound, match=name):
        schema_document(name, version)
