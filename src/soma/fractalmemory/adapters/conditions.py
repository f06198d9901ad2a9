"""What restricts a query or a selection: SQL of ours, and the values of its named places."""

from collections.abc import Mapping
from typing import Any

from soma.fractalmemory.domain.query import VectorQuery
from soma.fractalmemory.domain.record_filter import RecordFilter
from soma.fractalmemory.domain.selection import Selection

Conditions = tuple[str, dict[str, Any]]


def query_conditions(query: VectorQuery) -> Conditions:
    """What restricts `query` beyond its namespace."""
    conditions, values = _filters(query.filters)
    if query.exclude_source_hashes:
        conditions += " AND NOT coalesce(provenance ->> 'input_hash', '') = ANY(%(excluded)s::text[])"
        values["excluded"] = list(query.exclude_source_hashes)
    if query.as_of is not None:
        conditions += " AND occurred_at <= %(as_of)s"
        values["as_of"] = query.as_of
    restricting, more = _only(query.only)
    return conditions + restricting, values | more


def selection_conditions(selection: Selection) -> Conditions:
    """What restricts `selection` beyond its namespace."""
    conditions, values = _filters(selection.filters)
    if selection.keys is not None:
        conditions += " AND key = ANY(%(keys)s::text[])"
        values["keys"] = list(selection.keys)
    if selection.before is not None:
        conditions += " AND occurred_at < %(before)s"
        values["before"] = selection.before
    return conditions, values


def _only(only: RecordFilter) -> Conditions:
    given: dict[str, tuple[str, Any]] = {
        "roles": ("role = ANY(%(roles)s::text[])", list(only.roles)),
        "speakers": ("speaker = ANY(%(speakers)s::text[])", list(only.speakers)),
        "since": ("occurred_at >= %(since)s", only.since),
        "until": ("occurred_at < %(until)s", only.until),
    }
    wanted = {name: each for name, each in given.items() if each[1]}
    conditions = "".join(f" AND {condition}" for condition, _ in wanted.values())
    return conditions, {name: value for name, (_, value) in wanted.items()}


def _filters(filters: Mapping[str, tuple[str, ...]]) -> Conditions:
    conditions, values = "", dict[str, Any]()
    for place, (key, allowed) in enumerate(sorted(filters.items())):
        conditions += f" AND provenance ->> %(key{place})s = ANY(%(allowed{place})s::text[])"
        values |= {f"key{place}": key, f"allowed{place}": list(allowed)}
    return conditions, values
