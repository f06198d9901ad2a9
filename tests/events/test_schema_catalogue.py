"""Every event type has a schema that is strict, and that says what is wrong without quoting it."""

from typing import Any

import pytest
from jsonschema_rs import meta

from soma.events.errors import SchemaBreach, UnknownEventType
from soma.events.schema_catalogue import EventSchema, catalogue, schema_of
from tests.events.samples import PAYLOADS, sample

pytestmark = pytest.mark.req("SCHEMA-001")

SCHEMAS = sorted(catalogue().values(), key=lambda schema: schema.type)


def name(schema: EventSchema) -> str:
    return f"{schema.type}.v{schema.version}"


def test_there_is_a_sample_of_every_type() -> None:
    assert {schema.type for schema in SCHEMAS} == set(PAYLOADS)


@pytest.mark.parametrize("schema", SCHEMAS, ids=name)
def test_a_schema_is_named_after_its_type_and_version(schema: EventSchema) -> None:
    meta.validate(schema.document)
    assert schema.document["title"] == schema.type
    assert schema.document["$id"] == f"urn:somastack:event:{schema.type}:{schema.version}"
    assert schema.document["description"]
    assert schema.topic


@pytest.mark.parametrize("schema", SCHEMAS, ids=name)
def test_a_valid_payload_passes(schema: EventSchema) -> None:
    schema.check(sample(schema))


@pytest.mark.parametrize("schema", SCHEMAS, ids=name)
def test_an_unknown_field_is_refused(schema: EventSchema) -> None:
    with pytest.raises(SchemaBreach, match="surprise"):
        schema.check({**sample(schema), "surprise": 1})


@pytest.mark.parametrize(
    ("schema", "field"),
    [(schema, field) for schema in SCHEMAS for field in schema.document["required"]],
    ids=lambda value: value if isinstance(value, str) else name(value),
)
def test_a_missing_field_is_refused(schema: EventSchema, field: str) -> None:
    payload = {key: value for key, value in sample(schema).items() if key != field}
    with pytest.raises(SchemaBreach, match=field):
        schema.check(payload)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), "0.9", True, [0.9], 1.5, -0.1])
def test_a_confidence_is_a_number_from_zero_to_one(value: Any) -> None:
    payload = {**PAYLOADS["chat.iteration_completed"], "confidence": value}
    with pytest.raises(SchemaBreach, match="confidence"):
        schema_of("chat.iteration_completed", 1).check(payload)


def test_weights_are_all_seven_and_no_other() -> None:
    schema = schema_of("chat.iteration_completed", 1)
    weights = PAYLOADS["chat.iteration_completed"]["weights_after"]
    for broken in ({**weights, "omega": 1.0}, {k: v for k, v in weights.items() if k != "lambda"}):
        with pytest.raises(SchemaBreach, match="weights_after"):
            schema.check({**PAYLOADS["chat.iteration_completed"], "weights_after": broken})


def test_the_offending_value_is_not_quoted() -> None:
    secret = "my password is hunter2"
    for field in ("turn_id", "code"):
        payload = {**PAYLOADS["chat.turn_failed"], field: secret * 50}
        with pytest.raises(SchemaBreach) as breach:
            schema_of("chat.turn_failed", 1).check(payload)
        assert field in str(breach.value)
        assert "hunter2" not in str(breach.value)


@pytest.mark.parametrize("value", [{1, 2}, object(), b"bytes", {1: 2}])
def test_what_json_cannot_say_is_refused(value: Any) -> None:
    with pytest.raises(SchemaBreach):
        schema_of("chat.turn_failed", 1).check({**PAYLOADS["chat.turn_failed"], "detail": value})


@pytest.mark.parametrize(
    ("event_type", "version"), [("chat.turn_exploded", 1), ("chat.turn_failed", 2), ("", 1)]
)
def test_an_unknown_type_or_version_is_named(event_type: str, version: int) -> None:
    with pytest.raises(UnknownEventType, match=f"'{event_type}' version {version}"):
        schema_of(event_type, version)
