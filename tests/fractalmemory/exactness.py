"""Everything that storage keeps beside its memories, computed anew from them and compared."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from typing import Any
from uuid import UUID

from django.db import connections, transaction

from soma.base.canonical import json_value
from soma.brain.domain.text_facts import text_facts
from soma.fractalmemory.api import MemoryRecord
from soma.fractalmemory.domain.passage import index_key
from soma.fractalmemory.kernels.posting_block import unpack

RECORDS = """
    SELECT id, namespace, key, content, role, speaker, occurred_at, importance, provenance, created_at,
           content_hash
    FROM memory_record WHERE tenant_id = %s
"""
PASSAGES = """
    SELECT record_id, namespace_id, number, place, session, speaker, occurred_at, previous_id, next_id, terms,
           frequencies, length
    FROM memory_passage WHERE tenant_id = %s
"""

Row = dict[str, Any]


class Stored:
    """What the tables hold of a tenant at one moment, whoever writes meanwhile."""

    def __init__(self, tenant: UUID) -> None:
        with transaction.atomic(durable=True), connections["default"].cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            cursor.execute("SELECT set_config('soma.tenant_id', %s, true)", [str(tenant)])
            self.records = {row["id"]: row for row in _rows(RECORDS, tenant)}
            self.passages = {row["record_id"]: row for row in _rows(PASSAGES, tenant)}
            self.namespaces = {row["id"]: row for row in self._all("memory_namespace", tenant)}
            self.speakers = self._all("memory_speaker", tenant)
            self.postings = self._all("memory_posting", tenant)
            self.usage = {row["namespace"]: row for row in self._all("memory_usage", tenant)}
            self.links = self._all("memory_link", tenant)

    def _all(self, table: str, tenant: UUID) -> list[Row]:
        return list(_rows(f"SELECT * FROM {table} WHERE tenant_id = %s", tenant))

    def of_namespace(self, namespace_id: int) -> list[Row]:
        """The passages of a namespace, by their numbers."""
        rows = (row for row in self.passages.values() if row["namespace_id"] == namespace_id)
        return sorted(rows, key=lambda row: row["number"])


def assert_exact(tenant: UUID, *, analysed: bool = True) -> Stored:
    """Check that nothing is lost or miscounted. `analysed`: the terms are those that the brain finds."""
    stored = Stored(tenant)
    _check_records(stored)
    _check_passages(stored, analysed=analysed)
    _check_counts(stored)
    _check_postings(stored)
    _check_sessions(stored)
    return stored


def _check_records(stored: Stored) -> None:
    keys = Counter((row["namespace"], row["key"]) for row in stored.records.values())
    assert max(keys.values(), default=1) == 1
    for row in stored.records.values():
        values = {name: value for name, value in row.items() if name != "content_hash"}
        values["provenance"] = json_value(values["provenance"])
        assert row["content_hash"] == MemoryRecord(**values).content_hash
    assert all({link["source_id"], link["target_id"]} <= set(stored.records) for link in stored.links)


def _check_passages(stored: Stored, *, analysed: bool) -> None:
    assert set(stored.passages) == set(stored.records)
    for record_id, passage in stored.passages.items():
        record = stored.records[record_id]
        assert stored.namespaces[passage["namespace_id"]]["name"] == record["namespace"]
        assert (passage["speaker"], passage["occurred_at"]) == (record["speaker"], record["occurred_at"])
        if analysed:
            facts = text_facts(record["content"])
            expected = Counter({index_key(term): count for term, count in facts.terms.items()})
            assert dict(zip(passage["terms"], passage["frequencies"], strict=True)) == expected
            assert passage["length"] == facts.length


def _check_counts(stored: Stored) -> None:
    for namespace_id, namespace in stored.namespaces.items():
        passages = stored.of_namespace(namespace_id)
        assert passages, f"{namespace['name']} stands though it is empty"
        assert namespace["records"] == len(passages)
        assert namespace["tokens"] == sum(row["length"] for row in passages)
        numbers = [row["number"] for row in passages]
        assert len(set(numbers)) == len(numbers)
        assert max(numbers) < namespace["next_number"]
    spoken = Counter((row["namespace_id"], row["speaker"]) for row in stored.passages.values())
    assert {(row["namespace_id"], row["name"]): row["records"] for row in stored.speakers} == spoken
    used: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    for row in stored.records.values():
        for name in (row["namespace"], ""):
            used[name][0] += 1
            used[name][1] += len(row["content"].encode())
    assert {name: [row["records"], row["bytes"]] for name, row in stored.usage.items()} == used


def _check_postings(stored: Stored) -> None:
    kept: dict[tuple[int, str], list[tuple[int, int, int]]] = defaultdict(list)
    for row in sorted(stored.postings, key=lambda row: row["first_number"]):
        numbers, frequencies, lengths = unpack(row["first_number"], bytes(row["block"]))
        assert len(numbers), "a block without postings"
        kept[row["namespace_id"], row["term"]] += zip(
            numbers.tolist(), frequencies.tolist(), lengths.tolist(), strict=True
        )
    expected: dict[tuple[int, str], list[tuple[int, int, int]]] = defaultdict(list)
    for namespace_id, namespace in stored.namespaces.items():
        for row in stored.of_namespace(namespace_id):
            if row["number"] <= namespace["sealed_to"]:
                for term, frequency in zip(row["terms"], row["frequencies"], strict=True):
                    expected[namespace_id, term].append((row["number"], frequency, row["length"]))
    assert kept == expected


def _check_sessions(stored: Stored) -> None:
    sessions: dict[tuple[int, str], list[Row]] = defaultdict(list)
    for row in stored.passages.values():
        if row["session"]:
            sessions[row["namespace_id"], row["session"]].append(row)
        else:
            assert (row["previous_id"], row["next_id"]) == (None, None)
    for chain in sessions.values():
        chain.sort(key=lambda row: (row["occurred_at"], row["place"]))
        ids = [row["record_id"] for row in chain]
        assert [row["previous_id"] for row in chain] == [None, *ids[:-1]]
        assert [row["next_id"] for row in chain] == [*ids[1:], None]


def _rows(statement: str, tenant: UUID) -> Iterator[Row]:
    with connections["default"].cursor() as cursor:
        cursor.execute(statement, [tenant])
        names = [column.name for column in cursor.description]
        for values in cursor.fetchall():
            yield dict(zip(names, values, strict=True))
