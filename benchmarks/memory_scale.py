"""Memory by its size: `python -m benchmarks --only memory_scale [--records 100000 1000000]`.

First the pace of remembering texts (made up, see made_up_texts) with the real model: one request a memory,
from one client and from two, and in batches; and after how long a memory is recalled. Then a namespace
grows to each of the sizes through the same path but for the model, whose vectors are simulated (see
simulated_embedder): it would take an hour for a million. At each size questions are recalled whole (vectors,
BM25, neighbours, ranking), with simulated vectors and with the model at work as well; and before that, when
the server has just been given all of it, and still writes and counts. Beside it stands what one would
otherwise build: a table with a vector, an HNSW index, a text search column and a GIN index.

100,000 memories take two minutes, a million about fifteen. Prints JSON lines.
"""

import gc
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

import numpy as np
import psutil

from benchmarks.figures import percentiles
from benchmarks.home import postmaster
from benchmarks.lines import emit, tell
from benchmarks.machine import describe
from benchmarks.made_up_texts import questions, texts
from benchmarks.plain_table import PlainTable
from benchmarks.server import Server
from benchmarks.simulated_embedder import SimulatedEmbedder
from soma.base.configuration import Configuration
from soma.base.database import tenant_transaction
from soma.base.ids import new_id
from soma.brain.adapters.embedder_minilm import MiniLmEmbedder
from soma.brain.api import Brain, Evidence, RecallRequest, RememberItem
from soma.fractalmemory.adapters.nearest_rows import scan
from soma.fractalmemory.adapters.vector_store_pgvector import PgvectorStore
from soma.fractalmemory.api import FractalMemory, VectorQuery
from soma.identity.models import Tenant
from soma.project.bootstrap import build_brain
from soma.project.models import models_directory

BEGINNING = datetime(2024, 1, 1, tzinfo=UTC)
BATCH = 500
CHUNK = 50_000
SESSION = 30
"""Memories of a session: neighbours are looked at."""

NEAREST = 50
"""How many nearest vectors a recall asks for; of so many the found are counted."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Effort:
    """Memories that the namespace has, one after the other; texts remembered with the model, online and in
    batches; questions at each size; up to which size the plain table is made as well."""

    sizes: tuple[int, ...]
    online: int
    batched: int
    questions: int
    plain: int


FULL = Effort(sizes=(20_000,), online=400, batched=2_000, questions=100, plain=100_000)
QUICK = Effort(sizes=(12_000,), online=60, batched=200, questions=20, plain=12_000)


def memory_scale(configuration: Configuration, effort: Effort) -> None:
    """Measure, and print."""
    server = Server(configuration)
    describe(server)
    tenant = new_id()
    with tenant_transaction(tenant):
        Tenant.objects.create(id=tenant, slug="benchmark", name="Benchmark")
    _pace(build_brain(configuration), tenant, effort)
    model = MiniLmEmbedder(models_directory(configuration))
    store = PgvectorStore()
    memory = FractalMemory(store)
    by_vector = Brain(memory, SimulatedEmbedder())
    with_model = Brain(memory, SimulatedEmbedder(also=model))
    plain, size = PlainTable(server, SimulatedEmbedder()), 0
    for larger in effort.sizes:
        _grow(by_vector, memory, server, tenant, size, larger)
        size = larger
        # Other questions each time: what one has read into the server's pages another need not.
        early, asked, later = _thirds(list(questions(3 * effort.questions, among=size)))
        _recalls("somastack, without embedding, just after the build", by_vector, tenant, early, size)
        _recalls("somastack, without embedding", by_vector, tenant, asked, size)
        _recalls("somastack, with embedding", with_model, tenant, later, size)
        _found(store, tenant, asked[:25], size)
        _footprint(configuration, server, size)
        if size <= effort.plain:
            _plain(plain, asked, size)
    plain.drop()


def _pace(brain: Brain, tenant: UUID, effort: Effort) -> None:
    """Remembering with the real model, into a namespace whose index is kept up meanwhile."""
    tell("remembering with the model")
    brain.start()
    try:
        brain.remember(tenant, _items("pace", 10_000_000, 20))
        _online(brain, tenant, effort.online, clients=1, first=0)
        _online(brain, tenant, effort.online, clients=2, first=effort.online)
        for size in (64, BATCH):
            items = _items("pace", 2_000_000 + size * 10_000, effort.batched)
            taken = _seconds(lambda: [brain.remember(tenant, each) for each in _batches(items, size)])  # noqa: B023
            emit("ingest", system="somastack", way=f"batches of {size}, with the model",
                 records=len(items), per_second=round(len(items) / taken, 1))  # fmt: skip
        _visible(brain, tenant, min(50, effort.online))
    finally:
        brain.stop()


def _online(brain: Brain, tenant: UUID, count: int, *, clients: int, first: int) -> None:
    items, latencies = _items("pace", first, count), list[float]()

    def remember(item: RememberItem) -> None:
        latencies.append(_seconds(lambda: brain.remember(tenant, [item])) * 1e3)

    with ThreadPoolExecutor(clients) as pool:
        taken = _seconds(lambda: list(pool.map(remember, items)))
        list(pool.map(lambda _: _close_connections(), range(clients)))
    emit("ingest", system="somastack", way=f"online, with the model, {clients} at once", records=count,
         per_second=round(count / taken, 1), request_ms=_rounded(latencies))  # fmt: skip


def _visible(brain: Brain, tenant: UUID, count: int) -> None:
    """From the start of a request to remember until a recall that came after it has found it."""
    waits, first = [], 3_000_000
    for item in _items("pace", first, count):
        started = time.perf_counter()
        brain.remember(tenant, [item])
        while not any(each.content == item.content for each in _recall(brain, tenant, "pace", item.content)):
            if time.perf_counter() - started > 10.0:
                raise RuntimeError("a memory was not recalled within ten seconds")
        waits.append((time.perf_counter() - started) * 1e3)
    emit("visible", system="somastack", way="remember, then recall until found", ms=_rounded(waits))


def _grow(brain: Brain, memory: FractalMemory, server: Server, tenant: UUID, size: int, larger: int) -> None:
    """Store up to `larger` memories, and index them in between as the indexer's thread would."""
    stored = indexed = 0.0
    client, postgres = time.process_time(), server.cpu_ms()
    for first in range(size, larger, CHUNK):
        tell(f"remembering {first} to {min(first + CHUNK, larger)}")
        items = _items("scale", first, min(CHUNK, larger - first))
        stored += _seconds(lambda: [brain.remember(tenant, each) for each in _batches(items, BATCH)])  # noqa: B023
        indexed += _seconds(lambda: memory.index(tenant, "scale"))
    count = larger - size
    emit("ingest", system="somastack", way=f"batches of {BATCH}, simulated vectors", records=count,
         size=larger,
         per_second=round(count / (stored + indexed), 1), storing_s=round(stored, 1),
         indexing_s=round(indexed, 1), client_cpu_s=round(time.process_time() - client, 1),
         server_cpu_s=round((server.cpu_ms() - postgres) / 1e3, 1))  # fmt: skip


def _recalls(system: str, brain: Brain, tenant: UUID, asked: Sequence[str], size: int) -> None:
    tell(f"asking {len(asked)} questions: {system}")
    first = _seconds(lambda: _recall(brain, tenant, "scale", "Who was it at first?"))
    spent = [_seconds(lambda: _recall(brain, tenant, "scale", each)) * 1e3 for each in asked]  # noqa: B023
    emit("recall", system=system, size=size, questions=len(asked), ms=_rounded(spent),
         first_ms=round(first * 1e3, 1))  # fmt: skip


def _thirds(asked: list[str]) -> tuple[list[str], ...]:
    size = len(asked) // 3
    return asked[:size], asked[size : 2 * size], asked[2 * size :]


def _recall(brain: Brain, tenant: UUID, namespace: str, query: str) -> Sequence[Evidence]:
    request = RecallRequest(tenant_id=tenant, agent_id=None, namespace=namespace, query=query, min_score=0.0)
    return brain.recall(request).evidence


def _found(store: PgvectorStore, tenant: UUID, asked: Sequence[str], size: int) -> None:
    """Which share of the nearest vectors the index finds: the answer to compare with reads every row."""
    tell("comparing with every row")
    shares, spent, exact = [], [], []
    for vector in SimulatedEmbedder().embed(asked):
        query = VectorQuery(namespace="scale", vector=vector, limit=NEAREST)
        with tenant_transaction(tenant):
            started = time.perf_counter()
            found = {each.record.id for each in store.search(tenant, query)}
            spent.append((time.perf_counter() - started) * 1e3)
            with store._cursor() as cursor:
                started = time.perf_counter()
                right = {each.record.id for each in scan(cursor, tenant, query)}
                exact.append((time.perf_counter() - started) * 1e3)
        shares.append(len(found & right) / len(right))
    emit("nearest", system="somastack", size=size, limit=NEAREST,
         share_found=round(float(np.mean(shares)), 4),
         ms=_rounded(spent), every_row_ms=_rounded(exact))  # fmt: skip


def _footprint(configuration: Configuration, server: Server, size: int) -> None:
    gc.collect()
    process = psutil.Process()
    main = postmaster(configuration.home)
    servers = [main, *main.children(recursive=True)] if main is not None else []
    data = configuration.home / "postgres"
    emit("footprint", system="somastack", size=size, process_rss_mb=round(process.memory_info().rss / 2**20),
         server_pss_mb=round(sum(_pss(each) for each in servers) / 2**20),
         data_directory_mb=round(sum(f.stat().st_size for f in data.rglob("*") if f.is_file()) / 2**20),
         tables_mb=server.sizes_mb("soma", "memory_%"))  # fmt: skip


def _pss(process: psutil.Process) -> int:
    try:
        return int(process.memory_full_info().pss)
    except psutil.Error:
        return 0


def _plain(plain: PlainTable, asked: Sequence[str], size: int) -> None:
    tell(f"the plain table, {size}")
    rows = size - plain.size
    stored = _seconds(lambda: plain.grow(size))
    built = _seconds(plain.build)
    emit("ingest", system="plain pgvector table", way="COPY, simulated vectors, then both indexes", size=size,
         records=rows, per_second=round(size / (stored + built), 1), storing_s=round(stored, 1),
         indexing_s=round(built, 1))  # fmt: skip
    spent: dict[str, list[float]] = {"vector": [], "text": []}
    for question in asked:
        spent["vector"].append(_seconds(lambda: plain.nearest(question, NEAREST)) * 1e3)  # noqa: B023
        spent["text"].append(_seconds(lambda: plain.matching(question, NEAREST)) * 1e3)  # noqa: B023
    both = [sum(each) for each in zip(*spent.values(), strict=True)]
    emit("recall", system="plain pgvector table: 50 by vector and 50 by text, no ranking", size=size,
         questions=len(asked), ms=_rounded(both), by_vector_ms=_rounded(spent["vector"]),
         by_text_ms=_rounded(spent["text"]))  # fmt: skip
    emit("footprint", system="plain pgvector table", size=size, tables_mb=plain.sizes_mb())


def _items(namespace: str, first: int, count: int) -> list[RememberItem]:
    return [
        RememberItem(
            namespace=namespace,
            key=f"{number}",
            content=text,
            role="user",
            speaker=("Ann", "Bob")[number % 2],
            session=f"session {number // SESSION}",
            occurred_at=BEGINNING + timedelta(minutes=number),
            provenance={"trace_id": "benchmark", "source_document": "made up"},
        )
        for number, text in enumerate(texts(count, first=first), first)
    ]


def _batches(items: Sequence[RememberItem], size: int) -> Iterator[Sequence[RememberItem]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]


def _seconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def _rounded(values: Sequence[float]) -> dict[str, float]:
    return {name: round(value, 2) for name, value in percentiles(values).items()}


def _close_connections() -> None:
    from django.db import connections  # noqa: PLC0415 - of the thread that calls

    connections.close_all()
