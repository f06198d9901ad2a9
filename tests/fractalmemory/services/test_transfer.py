"""soma.fractalmemory.services.export_namespace and import_namespace"""

import json
from collections.abc import Sequence
from datetime import timedelta
from itertools import pairwise
from typing import Any
from uuid import UUID

import numpy as np
import pytest
from numpy.typing import NDArray

from soma.base.clock import now
from soma.base.database import tenant_transaction
from soma.base.errors import InvalidInput
from soma.fractalmemory.adapters.link_store_postgres import PostgresLinkStore
from soma.fractalmemory.adapters.vector_store_pgvector import PgvectorStore
from soma.fractalmemory.api import (
    FractalMemory,
    Imported,
    IndexedRecord,
    Link,
    LinkKey,
    MemoryTransfer,
    Selection,
    WrongDimensions,
)
from tests.fractalmemory.memories import NEW_YEAR, memory, query, towards

pytestmark = pytest.mark.req("MEM-001")

STORE, LINKS = PgvectorStore(), PostgresLinkStore()


@pytest.fixture
def transfer() -> MemoryTransfer:
    return MemoryTransfer(STORE, LINKS)


RECORD = (
    b'{"line": "record", "key": "k", "content": "c", "role": "user", "speaker": "", "importance": 0.5,'
    b' "occurred_at": "2026-01-01T00:00:00Z", "created_at": "2026-01-01T00:00:00Z", "provenance": {},'
    b' "vector": "%b"}'
)


def never(texts: Sequence[str]) -> NDArray[np.float32]:
    raise AssertionError(f"{len(texts)} texts have no vectors")


def put(tenant: UUID, *batch: IndexedRecord) -> None:
    with tenant_transaction(tenant):
        STORE.upsert(tenant, batch)


def link(tenant: UUID, source: IndexedRecord, target: IndexedRecord, conductance: float = 0.5) -> None:
    key = LinkKey(source_id=source.record.id, target_id=target.record.id, kind="next")
    with tenant_transaction(tenant):
        assert LINKS.link(tenant, [Link(key=key, conductance=conductance, created_at=NEW_YEAR)]) == 1


def lines(transfer: MemoryTransfer, tenant: UUID, namespace: str = "n") -> list[dict[str, Any]]:
    return [json.loads(line) for line in transfer.export(tenant, namespace)]


def three(tenant: UUID) -> list[IndexedRecord]:
    """Three memories, the first linked to the second and that to the third."""
    batch = [
        memory(
            f"schlüssel/{i}🗝",
            towards(0, aside=0.3 * i),
            content=f"Line\nbreak \u2028 {i}",
            speaker="Zoë",
            importance=0.1 * i,
            occurred_at=NEW_YEAR + timedelta(microseconds=i),
            provenance={"trace_id": "t", "page": i, "draft": None},
        )
        for i in range(3)
    ]
    put(tenant, *batch)
    link(tenant, batch[0], batch[1])
    link(tenant, batch[1], batch[2], 0.25)
    return batch


def test_a_namespace_comes_back_as_it_went(
    transfer: MemoryTransfer, tenant: UUID, other_tenant: UUID
) -> None:
    """Memories, provenance, links and, to the bit, vectors; into another tenant, under another name."""
    batch = three(tenant)
    exported = list(transfer.export(tenant, "n", vectors=True))
    assert all(line.endswith(b"\n") and line.count(b"\n") == 1 for line in exported)
    imported = transfer.import_lines(other_tenant, "copy", exported, never)
    assert imported == Imported(stored=3, links=2)
    assert [
        {**line, "namespace": "n"} if line["line"] == "namespace" else line
        for line in lines(transfer, other_tenant, "copy")
    ] == lines(transfer, tenant)
    with tenant_transaction(tenant):
        before = STORE.search(tenant, query(batch[0].vector))
    with tenant_transaction(other_tenant):
        after = STORE.search(other_tenant, query(batch[0].vector, namespace="copy"))
    assert [scored.similarity for scored in after] == [scored.similarity for scored in before]
    assert not {scored.record.id for scored in after} & {scored.record.id for scored in before}


def test_the_same_lines_again_change_nothing(transfer: MemoryTransfer, tenant: UUID) -> None:
    three(tenant)
    exported = list(transfer.export(tenant, "n", vectors=True))
    assert transfer.import_lines(tenant, "n", exported, never) == Imported(unchanged=3, links=2)
    assert lines(transfer, tenant) == [json.loads(line) | {} for line in transfer.export(tenant, "n")]
    assert len(list(transfer.export(tenant, "n"))) == 6


def test_contents_without_vectors_are_embedded(
    transfer: MemoryTransfer, tenant: UUID, other_tenant: UUID
) -> None:
    three(tenant)
    asked: list[str] = []

    def embed(texts: Sequence[str]) -> NDArray[np.float32]:
        asked.extend(texts)
        return np.array([towards(7 + number) for number in range(len(texts))])

    exported = list(transfer.export(tenant, "n"))
    assert all("vector" not in json.loads(line) for line in exported)
    transfer.import_lines(other_tenant, "n", exported, embed)
    assert asked == [f"Line\nbreak \u2028 {i}" for i in range(3)]
    with tenant_transaction(other_tenant):
        [best, *_] = STORE.search(other_tenant, query(towards(8)))
    assert best.record.content == asked[1]


def test_links_find_what_stands_under_another_key(
    transfer: MemoryTransfer, tenant: UUID, other_tenant: UUID
) -> None:
    batch = three(tenant)
    put(other_tenant, memory("older", content=batch[1].record.content, speaker="Zoë"))
    imported = transfer.import_lines(other_tenant, "n", transfer.export(tenant, "n", vectors=True), never)
    assert imported == Imported(stored=2, duplicates=1, links=2)
    links = [line for line in lines(transfer, other_tenant) if line["line"] == "link"]
    assert [(line["source"], line["target"]) for line in links] == [
        ("schlüssel/0🗝", "older"),
        ("older", "schlüssel/2🗝"),
    ] or [(line["source"], line["target"]) for line in links] == [
        ("older", "schlüssel/2🗝"),
        ("schlüssel/0🗝", "older"),
    ]


def test_nothing_of_another_namespace_or_tenant_is_exported(
    transfer: MemoryTransfer, tenant: UUID, other_tenant: UUID
) -> None:
    here, there = memory("here"), memory("there", namespace="n2")
    put(tenant, here, there)
    put(other_tenant, memory("theirs"))
    link(tenant, here, there)
    link(tenant, there, here)
    assert [line.get("key") for line in lines(transfer, tenant)] == [None, "here"]
    assert [line.get("key") for line in lines(transfer, other_tenant)] == [None, "theirs"]
    assert lines(transfer, tenant, "nowhere") == [{"line": "namespace", "format": 1, "namespace": "nowhere"}]


def test_what_was_deleted_is_not_exported(transfer: MemoryTransfer, tenant: UUID) -> None:
    batch = three(tenant)
    with tenant_transaction(tenant):
        FractalMemory(STORE).delete_matching(tenant, Selection(namespace="n", keys=(batch[1].record.key,)))
    assert [line["line"] for line in lines(transfer, tenant)] == ["namespace", "record", "record"]


def test_many_pages_go_over(
    transfer: MemoryTransfer, tenant: UUID, other_tenant: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    from soma.fractalmemory.services import export_namespace, import_namespace

    monkeypatch.setattr(export_namespace, "PAGE", 3)
    monkeypatch.setattr(import_namespace, "PAGE", 4)
    batch = [memory(f"k{i:02}", towards(i)) for i in range(10)]
    put(tenant, *batch)
    for source, target in pairwise(batch):
        link(tenant, source, target)
    imported = transfer.import_lines(other_tenant, "n", transfer.export(tenant, "n", vectors=True), never)
    assert imported == Imported(stored=10, links=9)


@pytest.mark.req("MEM-004")
def test_links_go_over_with_what_usage_made_of_them(
    transfer: MemoryTransfer, tenant: UUID, other_tenant: UUID
) -> None:
    a, b = memory("a"), memory("b")
    put(tenant, a, b)
    key = LinkKey(source_id=a.record.id, target_id=b.record.id, kind="used_together")
    at = now()
    with tenant_transaction(tenant):
        used = Link(key=key, conductance=2.0, created_at=NEW_YEAR, rest=0.0, flow=0.75)
        LINKS.link(tenant, [used], at - timedelta(days=30))
    transfer.import_lines(other_tenant, "n", transfer.export(tenant, "n", vectors=True), never)
    [line] = [line for line in lines(transfer, other_tenant) if line["line"] == "link"]
    assert line["conductance"] == pytest.approx(1.0, rel=1e-4)  # half of it had faded
    assert (line["rest"], line["flow"]) == (0.0, 0.75)


def test_a_link_of_an_older_export_rests_at_its_conductance(transfer: MemoryTransfer, tenant: UUID) -> None:
    put(tenant, memory("a"), memory("b"))
    line = {"line": "link", "source": "a", "target": "b", "kind": "next", "conductance": 0.5}
    line["created_at"] = "2026-01-01T00:00:00Z"
    assert transfer.import_lines(tenant, "n", [json.dumps(line).encode()], never) == Imported(links=1)
    [found] = [line for line in lines(transfer, tenant) if line["line"] == "link"]
    assert (found["conductance"], found["rest"], found["flow"]) == (0.5, 0.5, 0.0)


@pytest.mark.parametrize(
    ("line", "why"),
    [
        (b"{", "JSONDecodeError"),
        (b"[]", "TypeError"),
        (b'{"line": "other"}', "KeyError"),
        (b'{"line": "record", "key": "k"}', "KeyError"),
        (b'{"line": "namespace", "format": 2}', "format 2, not 1"),
        (b'{"line": "link", "source": 1}', "no text"),
        (
            b'{"line": "link", "source": "a", "target": "b", "kind": "k", "conductance": -1}',
            "a conductance of -1",
        ),
        (
            b'{"line": "link", "source": "a", "target": "b", "kind": "k", "conductance": NaN}',
            "JSONDecodeError",
        ),
        (RECORD % b"AA==", "multiple of element size"),
        (RECORD % b"AHw=", "is not finite"),
        (RECORD % b"?", "Error"),
    ],
)
def test_a_line_that_says_nothing_is_named(
    transfer: MemoryTransfer, tenant: UUID, line: bytes, why: str
) -> None:
    with pytest.raises(InvalidInput, match=rf"Line 3: .*{why}") as refused:
        transfer.import_lines(tenant, "n", [*list(transfer.export(tenant, "n")), b"\n", line], never)
    assert refused.value.extra == {"line": 3}


def test_a_vector_of_another_length_is_refused(
    transfer: MemoryTransfer, tenant: UUID, other_tenant: UUID
) -> None:
    three(tenant)
    header, first, *_ = transfer.export(tenant, "n", vectors=True)
    short = json.loads(first) | {"vector": "AAAAAAAA"}
    with pytest.raises(WrongDimensions):
        transfer.import_lines(other_tenant, "n", [header, json.dumps(short).encode()], never)
