"""The topics of the event log, each with a JSON Schema of the records it holds."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from soma.base.errors import NotFound
from soma.events.schema_catalogue import EventSchema, catalogue, schema_of

TOPICS: Mapping[str, str] = MappingProxyType(
    {
        "chat.events": "What becomes of each turn: begun, every iteration, completed or failed.",
        "conversation.events": "What is said with people, beyond the turns themselves.",
        "gateway.audit": "Requests that were allowed or denied, and the sessions they came in.",
        "agent.audit": "What was done with an agent's powers, and who did it.",
        "agent.routing": "Which model was chosen to answer, and from what.",
        "agent.memory": "What memory is to keep, has used, or has taken in as a capsule (memory.capsule.*).",
        "agent.learning": "What agents learn, and what of it is taken back.",
        "tool.events": "Tool calls that ran, or were not allowed to.",
        "project.events": "The state of tasks that several agents work on.",
        "constitution.updated": "A newly signed constitution is in force.",
        "settings.changed": "Configuration has a new version.",
        "mode.changed": "The installation is in another mode.",
    }
)
"""What each topic is for. An event type names its topic in its schema (`x-topic`)."""

DIALECT = "https://json-schema.org/draft/2020-12/schema"

ENVELOPE: Mapping[str, Mapping[str, Any]] = MappingProxyType(
    {
        "partition": {"type": "string", "minLength": 1, "maxLength": 300},
        "position": {"type": "integer", "minimum": 1, "description": "counts in the partition, with gaps"},
        "sequence": {"type": "integer", "minimum": 1, "description": "counts in the tenant, without a gap"},
        "event_id": {"type": "string", "format": "uuid"},
        "tenant_id": {"type": "string", "format": "uuid"},
        "topic": {"type": "string"},
        "type": {"type": "string", "minLength": 1, "maxLength": 200},
        "version": {"type": "integer", "minimum": 1},
        "key": {"type": "string", "maxLength": 200, "description": "what the event is about"},
        "payload": {"type": "object"},
        "trace_id": {"type": "string", "maxLength": 200},
        "occurred_at": {"type": "string", "format": "date-time"},
        "recorded_at": {"type": "string", "format": "date-time"},
    }
)
"""The attributes of a record, whatever its type."""


def schemas_of(topic: str) -> list[EventSchema]:
    """The schemas of the topic's event types, by type and version."""
    return [schema for _, schema in sorted(catalogue().items()) if schema.topic == topic]


def topic_schema(topic: str) -> dict[str, Any]:
    """JSON Schema, draft 2020-12, of the records of `topic`: their attributes, and the payload of each type.
    A topic of which nothing is published yet has the attributes alone. Raises NotFound."""
    if topic not in TOPICS:
        raise NotFound(f"there is no event type or topic {topic!r}")
    schemas = schemas_of(topic)
    document = {
        "$schema": DIALECT,
        "$id": f"urn:somastack:topic:{topic}",
        "title": topic,
        "description": TOPICS[topic],
        "type": "object",
        "additionalProperties": False,
        "required": list(ENVELOPE),
        "properties": {**ENVELOPE, "topic": {"const": topic}},
    }
    if schemas:
        document["oneOf"] = [_record_of(schema) for schema in schemas]
        document["$defs"] = {f"{schema.type}.v{schema.version}": schema.document for schema in schemas}
    return document


def schema_document(name: str, version: int | None = None) -> dict[str, Any]:
    """The schema of the payload of an event type, of its latest version unless another is asked for; where
    `name` is a topic's and no type's, that of its records. Raises NotFound."""
    versions = [number for event_type, number in catalogue() if event_type == name]
    if not versions and version is None:
        return topic_schema(name)
    wanted = max(versions) if version is None else version
    if wanted not in versions:
        raise NotFound(f"there is no event type {name!r} of version {wanted}")
    return schema_of(name, wanted).document


def _record_of(schema: EventSchema) -> dict[str, Any]:
    return {
        "properties": {
            "type": {"const": schema.type},
            "version": {"const": schema.version},
            "payload": {"$ref": schema.document["$id"]},
        }
    }
