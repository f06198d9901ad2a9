"""The versioned JSON Schemas of all events, read and compiled once."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema_rs import ValidationError, Validator, validator_for

from soma.base.canonical import json_value
from soma.events.errors import SchemaBreach, UnknownEventType

SCHEMAS = Path(__file__).parent / "schemas"
"""One file an event type and version: `<type>.v<version>.json`, draft 2020-12."""


@dataclass(frozen=True, kw_only=True, slots=True)
class EventSchema:
    """What events of one type and version look like, and the topic they belong to."""

    type: str
    version: int
    topic: str
    document: dict[str, Any]
    validator: Validator

    def check(self, payload: Any) -> None:
        """Raises SchemaBreach, which names the place and the rule but not the value: it may be private."""
        try:
            self.validator.validate(payload)
        except ValidationError as breach:
            place = "/".join(map(str, breach.instance_path)) or "the payload"
            raise SchemaBreach(f"{self.type} v{self.version}: {place}: {breach.message}") from None
        except ValueError as not_json:
            # Raised for what JSON cannot say: a UUID, a lone surrogate, a key that is no string.
            raise SchemaBreach(f"{self.type} v{self.version}: not JSON: {type(not_json).__name__}") from None


def schema_of(event_type: str, version: int) -> EventSchema:
    """The schema of an event type. Raises UnknownEventType."""
    try:
        return catalogue()[event_type, version]
    except KeyError:
        raise UnknownEventType(f"no schema for {event_type!r} version {version!r}") from None


@cache
def catalogue() -> Mapping[tuple[str, int], EventSchema]:
    """All schemas by type and version."""
    schemas = map(_load, sorted(SCHEMAS.glob("*.json")))
    return {(schema.type, schema.version): schema for schema in schemas}


def _load(path: Path) -> EventSchema:
    event_type, _, version = path.name.removesuffix(".json").rpartition(".v")
    document = json_value(path.read_bytes())
    return EventSchema(
        type=event_type,
        version=int(version),
        topic=document["x-topic"],
        document=document,
        validator=validator_for(document, validate_formats=True, mask="the value"),
    )
