"""How a namespace is written as JSON Lines: a header, then its memories, then the links between them.

Memories name each other by their keys, which hold wherever they are read in; ids are given anew.
"""

import base64
import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from soma.base.canonical import json_bytes, json_value
from soma.base.clock import iso
from soma.base.errors import InvalidInput
from soma.fractalmemory.domain.link import MOST_CONDUCTANCE, Link
from soma.fractalmemory.domain.record import MemoryRecord

FORMAT = 1
LONGEST_KIND = 40
VECTOR = np.dtype("<f2")
"""Half precision, as vectors are kept: nothing is lost."""

Vector = NDArray[np.float32]


@dataclass(frozen=True, kw_only=True, slots=True)
class RecordLine:
    """A memory that was read, and its vector if the line had one."""

    record: MemoryRecord
    vector: Vector | None


@dataclass(frozen=True, kw_only=True, slots=True)
class LinkLine:
    """A link that was read, between the memories of two keys; see Link."""

    source: str
    target: str
    kind: str
    conductance: float
    created_at: datetime
    rest: float | None
    flow: float


def header_line(namespace: str) -> bytes:
    """The first line."""
    return _line({"line": "namespace", "format": FORMAT, "namespace": namespace})


def record_line(record: MemoryRecord, vector: Vector | None) -> bytes:
    """The line of a memory."""
    values = {
        "line": "record",
        "key": record.key,
        "content": record.content,
        "role": record.role,
        "speaker": record.speaker,
        "occurred_at": iso(record.occurred_at),
        "importance": record.importance,
        "provenance": dict(record.provenance),
        "created_at": iso(record.created_at),
    }
    if vector is not None:
        values["vector"] = base64.b64encode(vector.astype(VECTOR).tobytes()).decode()
    return _line(values)


def link_line(link: Link, source: str, target: str) -> bytes:
    """The line of a link between the memories with the keys `source` and `target`."""
    return _line(
        {
            "line": "link",
            "source": source,
            "target": target,
            "kind": link.key.kind,
            "conductance": link.conductance,
            "created_at": iso(link.created_at),
            "rest": link.resting,
            "flow": link.flow,
        }
    )


def read_line(data: bytes, *, record_id: UUID, namespace: str) -> RecordLine | LinkLine | None:
    """What a line says; None for a header. A memory is given `record_id` and `namespace`.

    Raises InvalidInput."""
    try:
        values = json_value(data)
        return _READERS[values["line"]](values, record_id, namespace)
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
        raise InvalidInput(f"It is no line of an export: {type(error).__name__}: {error}") from error


def _header(values: Mapping[str, Any], record_id: UUID, namespace: str) -> None:
    if values["format"] != FORMAT:
        raise ValueError(f"format {values['format']!r}, not {FORMAT}")


def _record(values: Mapping[str, Any], record_id: UUID, namespace: str) -> RecordLine:
    record = MemoryRecord(
        id=record_id,
        namespace=namespace,
        key=_text(values["key"]),
        content=_text(values["content"]),
        role=_text(values["role"]),
        speaker=_text(values["speaker"]),
        occurred_at=_moment(values["occurred_at"]),
        importance=float(values["importance"]),
        provenance=dict(values["provenance"].items()),
        created_at=_moment(values["created_at"]),
    )
    text = values.get("vector")
    return RecordLine(record=record, vector=None if text is None else _vector(text))


def _link(values: Mapping[str, Any], record_id: UUID, namespace: str) -> LinkLine:
    source, target = _text(values["source"]), _text(values["target"])
    if source == target:
        raise ValueError("a link from a memory to itself")
    return LinkLine(
        source=source,
        target=target,
        kind=_kind(values["kind"]),
        conductance=_conductance(values["conductance"]),
        created_at=_moment(values["created_at"]),
        rest=None if "rest" not in values else _conductance(values["rest"]),
        flow=_conductance(values.get("flow", 0.0)),
    )


def _vector(text: str) -> Vector:
    vector = np.frombuffer(base64.b64decode(text, validate=True), VECTOR).astype(np.float32)
    if not np.isfinite(vector).all():
        raise ValueError("the vector is not finite")
    return vector


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is no text")
    if "\0" in value:
        raise ValueError("a text holds the NUL character")
    return value


def _conductance(value: Any) -> float:
    conductance = float(value)
    if not 0.0 <= conductance < math.inf:
        raise ValueError(f"a conductance of {value!r}")
    return min(conductance, MOST_CONDUCTANCE)


def _kind(value: Any) -> str:
    if not 1 <= len(_text(value)) <= LONGEST_KIND:
        raise ValueError(f"a link's kind takes 1 to {LONGEST_KIND} characters")
    return _text(value)


def _moment(value: Any) -> datetime:
    moment = datetime.fromisoformat(value)
    if moment.tzinfo is None:
        raise ValueError(f"{value!r} has no time zone")
    return moment.astimezone(UTC)


_READERS = {"namespace": _header, "record": _record, "link": _link}


def _line(values: Mapping[str, Any]) -> bytes:
    return json_bytes(values) + b"\n"
