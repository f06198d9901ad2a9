"""Recall against its baselines, conversation by conversation: see benchmarks/locomo.py."""

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID

import numpy as np
import orjson

from benchmarks.conversations import Conversation, Question, conversations
from benchmarks.figures import percentiles
from benchmarks.home import fresh_home
from benchmarks.lines import emit, tell
from benchmarks.machine import describe
from benchmarks.retrieval_metrics import Metrics, mean_percent, measure

if TYPE_CHECKING:
    from soma.brain.api import Brain, Embedder, RecallRequest

ADVERSARIAL = "5"
"""Questions that nothing answers: measured apart."""
DEPTH = 100
BATCH = 64
ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS")

Rank = Callable[[Question], Sequence[str]]


def main() -> int:
    """Measure in a fresh home; the child process does it with the home's environment."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.retrieval")
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--run", type=Path)
    parser.add_argument("--measure", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.measure:
        _measure(given.data, given.run)
        return 0
    return measured_apart("benchmarks.retrieval")


def measured_apart(module: str) -> int:
    """Run `module` with the arguments of this process and --measure, in a fresh home."""
    with fresh_home() as home:
        environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("SOMA")},  # noqa: TID251
            **dict.fromkeys(ONE_THREAD, "1"),
            "DJANGO_SETTINGS_MODULE": "soma.project.settings",
            "SOMAGENT_HOME": str(home),
        }
        command = [sys.executable, "-m", module, *sys.argv[1:], "--measure"]
        return subprocess.run(command, env=environment, check=False).returncode


def _measure(data: Path, run: Path | None) -> None:
    told = conversations(data)
    with open_brain() as (brain, embedder, tenant):
        describe()
        _ingest(brain, tenant, told)
        asked = [(each, question) for each in told for question in each.questions]
        lines, rankings = _recall(brain, tenant, asked)
        _report("recall", asked, rankings)
        for name, ranked in rank_by_baselines(embedder, told).items():
            _report(name, asked, ranked)
    if run is not None:
        run.write_bytes(b"".join(orjson.dumps(line) + b"\n" for line in lines))


@contextmanager
def open_brain() -> "Iterator[tuple[Brain, Embedder, UUID]]":
    """The brain as an installation wires it, on a PostgreSQL of its own, and a tenant."""
    import django  # noqa: PLC0415 - the environment names the home first

    django.setup()
    from soma.base.database import tenant_transaction  # noqa: PLC0415
    from soma.base.ids import new_id  # noqa: PLC0415
    from soma.brain.adapters.embedder_minilm import MiniLmEmbedder  # noqa: PLC0415
    from soma.identity.models import Tenant  # noqa: PLC0415
    from soma.project.bootstrap import build_brain  # noqa: PLC0415
    from soma.project.configuration import CONFIGURATION  # noqa: PLC0415
    from soma.project.embedded_postgres import EmbeddedPostgres  # noqa: PLC0415
    from soma.project.models import models_directory  # noqa: PLC0415
    from soma.project.provision import provision  # noqa: PLC0415

    postgres = EmbeddedPostgres(CONFIGURATION.home)
    tell("starting PostgreSQL")
    postgres.start()
    try:
        provision(CONFIGURATION)
        tenant = new_id()
        with tenant_transaction(tenant):
            Tenant.objects.create(id=tenant, slug="benchmark", name="Benchmark")
        yield build_brain(CONFIGURATION), MiniLmEmbedder(models_directory(CONFIGURATION)), tenant
    finally:
        postgres.release()


def _ingest(brain: "Brain", tenant: UUID, told: Sequence[Conversation]) -> None:
    """Turn by turn, as in a chat, into the namespaces that are asked; and in batches into others."""
    tell("telling, turn by turn")
    started = time.perf_counter()
    kept = sum(tell_memory(brain, tenant, each, each.name, batch=1) for each in told)
    online = time.perf_counter() - started
    tell("telling, in batches")
    started = time.perf_counter()
    for each in told:
        tell_memory(brain, tenant, each, f"{each.name}/batched", batch=BATCH)
    batched = time.perf_counter() - started
    total = sum(len(each.turns) for each in told)
    emit(
        "ingest",
        turns=total,
        duplicates=total - kept,
        per_second_online=round(total / online, 1),
        per_second_batched=round(total / batched, 1),
    )


def tell_memory(brain: "Brain", tenant: UUID, told: Conversation, namespace: str, *, batch: int) -> int:
    """How many turns of `told` are kept."""
    from soma.brain.api import RememberItem  # noqa: PLC0415 - Django is set up by now

    items = [
        RememberItem(
            namespace=namespace,
            key=turn.turn_id,
            content=turn.text,
            role=turn.role,
            speaker=turn.speaker,
            session=turn.session,
            occurred_at=turn.said_at,
            provenance={"trace_id": "benchmark", "source_document": told.name, "turn_id": turn.turn_id},
        )
        for turn in told.turns
    ]
    stored = 0
    for start in range(0, len(items), batch):
        done = brain.remember(tenant, items[start : start + batch])
        for refusal in done.refused:
            tell(f"{namespace} {refusal.key}: not remembered, {refusal.detail}")
        stored += len(done.stored)
    return stored


def _recall(
    brain: "Brain", tenant: UUID, asked: Sequence[tuple[Conversation, Question]]
) -> tuple[list[dict[str, object]], list[Sequence[str]]]:
    """Lines for the run file, and the rankings. Each question is asked twice: the second time its vector is
    known, which leaves the time of everything else."""
    tell(f"asking {len(asked)} questions")
    lines, rankings, first, second = list[dict[str, object]](), list[Sequence[str]](), [], []
    for told, question in asked:
        request = request_for(tenant, told.name, question)
        found = brain.recall(request)
        first.append(found.latency_ms)
        second.append(brain.recall(request).latency_ms)
        ranked = [str(each.provenance["turn_id"]) for each in found.evidence]
        rankings.append(ranked)
        lines.append(
            {"question_id": question.question_id, "ranked": ranked, "latency_ms": round(found.latency_ms, 2)}
        )
    emit("recall latency, ms", with_embedding=_rounded(first), without_embedding=_rounded(second))
    return lines, rankings


def request_for(tenant: UUID, namespace: str, question: Question) -> "RecallRequest":
    """The question as the recall API takes it, with the defaults as shipped."""
    from soma.brain.api import RecallRequest  # noqa: PLC0415

    return RecallRequest(
        tenant_id=tenant,
        agent_id=None,
        namespace=namespace,
        query=question.text,
        top_k=DEPTH,
        min_score=0.0,
        kinds=None,
    )


def rank_by_baselines(embedder: "Embedder", told: Sequence[Conversation]) -> dict[str, list[Sequence[str]]]:
    """BM25 (stemmed, k1 = .9, b = .4, no function words), dense retrieval, their reciprocal rank fusion."""
    from soma.brain.domain.terms import terms  # noqa: PLC0415
    from soma.brain.kernels.candidate_signals import bm25, inverse_frequency  # noqa: PLC0415

    tell("ranking by the baselines")
    rankings: dict[str, list[Sequence[str]]] = {"bm25": [], "dense": [], "reciprocal rank fusion": []}
    for each in told:
        texts = [list(terms(turn.text)) for turn in each.turns]
        lengths = np.array([len(text) for text in texts], float)
        vectors = embedder.embed([turn.text for turn in each.turns])
        questions = embedder.embed([question.text for question in each.questions])
        ids = np.array([turn.turn_id for turn in each.turns])
        for question, vector in zip(each.questions, questions, strict=True):
            asked = tuple(dict.fromkeys(terms(question.text)))
            counts = np.array([[text.count(term) for term in asked] for text in texts], float)
            idf = inverse_frequency((counts > 0).sum(axis=0), len(texts))
            lexical = bm25(counts, lengths, float(lengths.mean()), idf)
            dense = vectors @ vector
            fused = 1.0 / (60 + _ranks(lexical)) + 1.0 / (60 + _ranks(dense))
            for name, values in zip(rankings, (lexical, dense, fused), strict=True):
                rankings[name].append(list(ids[np.argsort(-values, kind="stable")[:DEPTH]]))
    return rankings


def _ranks(
    values: "np.ndarray[tuple[int, ...], np.dtype[np.float64]]",
) -> "np.ndarray[tuple[int, ...], np.dtype[np.intp]]":
    return np.argsort(np.argsort(-values, kind="stable"))


def _report(
    system: str, asked: Sequence[tuple[Conversation, Question]], rankings: Sequence[Sequence[str]]
) -> None:
    scored = [
        (told.name, question, measure(ranked, question.evidence))
        for (told, question), ranked in zip(asked, rankings, strict=True)
        if question.evidence
    ]
    answerable = [(name, metrics) for name, question, metrics in scored if question.category != ADVERSARIAL]
    emit("retrieval, %", system=system, conversation="all", questions=len(answerable), **_mean(answerable))
    for conversation in dict.fromkeys(name for name, _ in answerable):
        own = [each for each in answerable if each[0] == conversation]
        emit("retrieval, %", system=system, conversation=conversation, questions=len(own), **_mean(own))
    adversarial = [(name, metrics) for name, question, metrics in scored if question.category == ADVERSARIAL]
    if adversarial:
        emit("retrieval, %", system=system, conversation="adversarial", questions=len(adversarial),
             **_mean(adversarial))  # fmt: skip


def _mean(measured: Sequence[tuple[str, Metrics]]) -> dict[str, float]:
    return dict(mean_percent([metrics for _, metrics in measured]))


def _rounded(values: Sequence[float]) -> dict[str, float]:
    return {name: round(value, 2) for name, value in percentiles(values).items()}


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    os._exit(code)  # the embedder's native threads may not end by themselves
