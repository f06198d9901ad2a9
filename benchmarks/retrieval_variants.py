"""Recall against its baselines on conversations told in other ways: see benchmarks/locomo.py --variants."""

import argparse
import os
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID

from benchmarks.conversations import Conversation, conversations
from benchmarks.lines import emit, tell
from benchmarks.retrieval import (
    ADVERSARIAL,
    BATCH,
    measured_apart,
    open_brain,
    rank_by_baselines,
    request_for,
    tell_memory,
)
from benchmarks.retrieval_metrics import mean_percent, measure
from benchmarks.variants import VARIANTS

if TYPE_CHECKING:
    from soma.brain.api import Brain

FIGURES = ("recall_at_10", "ndcg_at_10")


def main() -> int:
    """Measure in a fresh home."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.retrieval_variants")
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--variants", default="all")
    parser.add_argument("--conversations", type=int)
    parser.add_argument("--measure", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    names = list(VARIANTS) if given.variants == "all" else given.variants.split(",")
    if unknown := set(names) - set(VARIANTS):
        parser.error(f"there is no variant {', '.join(sorted(unknown))}")
    if not given.measure:
        return measured_apart("benchmarks.retrieval_variants")
    told = conversations(given.data)[: given.conversations]
    with open_brain() as (brain, embedder, tenant):
        for name in names:
            tell(name)
            changed = VARIANTS[name](told)
            rankings = rank_by_baselines(embedder, changed)
            rankings["recall"] = _recall(brain, tenant, name, changed)
            _report(name, changed, rankings)
    return 0


def _recall(brain: "Brain", tenant: UUID, variant: str, told: Sequence[Conversation]) -> list[Sequence[str]]:
    ranked = list[Sequence[str]]()
    for each in told:
        namespace = f"{variant}/{each.name}"
        tell_memory(brain, tenant, replace(each, name=namespace), namespace, batch=BATCH)
        for question in each.questions:
            found = brain.recall(request_for(tenant, namespace, question))
            ranked.append([str(evidence.provenance["turn_id"]) for evidence in found.evidence])
    return ranked


def _report(variant: str, told: Sequence[Conversation], rankings: dict[str, list[Sequence[str]]]) -> None:
    """What each system finds; `margin` is by how much recall is ahead of the best of the others."""
    questions = [question for each in told for question in each.questions]
    asked = [
        place
        for place, question in enumerate(questions)
        if question.evidence and question.category != ADVERSARIAL
    ]
    found = {
        system: mean_percent([measure(ranked[place], questions[place].evidence) for place in asked])
        for system, ranked in rankings.items()
    }
    for figure in FIGURES:
        by_system = {system: figures[figure] for system, figures in found.items()}
        ours = by_system.pop("recall")
        emit(
            "variant, %",
            variant=variant,
            figure=figure,
            questions=len(asked),
            recall=ours,
            **by_system,
            margin=round(ours - max(by_system.values()), 1),
        )


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    os._exit(code)  # the embedder's native threads may not end by themselves
