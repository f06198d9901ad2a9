"""How memories and queries are told to Milvus: in digests.

Expression templates exist in Milvus and not in Milvus Lite, which takes values only inside the expression.
So no text of a user is ever sent: namespaces, and pairs of a key and a value of the provenance, are
represented by hexadecimal digests, which no expression can be misled by. That two have one digest would at
worst bring a candidate too many: PostgreSQL decides by the texts themselves.
"""

import hashlib
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from soma.fractalmemory.domain.query import VectorQuery

FACT_LENGTH = 16
NAMESPACE_LENGTH = 32
MAX_FACTS = 1024
UNTOLD = "0" * FACT_LENGTH
"""Stands for what of a provenance is not told: such a memory passes each filter, and PostgreSQL decides."""

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)


def vector_key(record_id: UUID, written_at: datetime) -> str:
    """What names the vector of one state of a memory: 48 hexadecimal digits."""
    return f"{record_id.hex}{microseconds(written_at):016x}"


def of_vector_key(key: str) -> tuple[UUID, datetime]:
    """The memory and the state that `key` names."""
    return UUID(key[:32]), EPOCH + int(key[32:], 16) * MICROSECOND


def microseconds(moment: datetime) -> int:
    """`moment` in microseconds since 1970."""
    return (moment - EPOCH) // MICROSECOND


def namespace_term(namespace: str) -> str:
    """The digest of `namespace`."""
    return _digest(namespace)[:NAMESPACE_LENGTH]


def facts(provenance: Mapping[str, Any]) -> list[str]:
    """The digests of the pairs of `provenance`, sorted, as many as are told."""
    told = {fact(key, _text(value)) for key, value in provenance.items() if _is_told(value)}
    rest = any(value is not None and not _is_told(value) for value in provenance.values())
    if rest or len(told) >= MAX_FACTS:
        return [UNTOLD, *sorted(told)[: MAX_FACTS - 1]]
    return sorted(told)


def fact(key: str, value: str) -> str:
    """The digest of one pair of a provenance."""
    return _digest(f"{len(key)}:{key}{value}")[:FACT_LENGTH]


def expression(tenant_id: UUID, query: VectorQuery) -> str:
    """What restricts `query`, in Milvus's language."""
    conditions = [f"tenant == '{tenant_id.hex}'", f"namespace == '{namespace_term(query.namespace)}'"]
    for key, allowed in sorted(query.filters.items()):
        wanted = [UNTOLD, *(fact(key, value) for value in allowed)]
        conditions.append(f"array_contains_any(facts, {listed(wanted)})")
    if query.exclude_source_hashes:
        unwanted = [fact("input_hash", each) for each in query.exclude_source_hashes]
        conditions.append(f"not array_contains_any(facts, {listed(unwanted)})")
    if query.as_of is not None:
        conditions.append(f"occurred_at <= {microseconds(query.as_of)}")
    # Who said it is not told to Milvus: PostgreSQL decides that by itself.
    if query.only.since is not None:
        conditions.append(f"occurred_at >= {microseconds(query.only.since)}")
    if query.only.until is not None:
        conditions.append(f"occurred_at < {microseconds(query.only.until)}")
    return " and ".join(conditions)


def listed(terms: Iterable[str]) -> str:
    """A list of digests or keys, in Milvus's language."""
    return "[" + ",".join(f"'{term}'" for term in terms) + "]"


def _is_told(value: Any) -> bool:
    return isinstance(value, str | int)  # and bool, which is one; PostgreSQL spells fractions its own way


def _text(value: str | int) -> str:
    """`value` as PostgreSQL's ->> gives it."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
