"""What learning from feedback brings, and what wrong feedback costs: see benchmarks/learning.py."""

import argparse
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from benchmarks.conversations import Conversation, conversations
from benchmarks.feedback_stream import (
    Judge,
    Learner,
    always,
    at_random,
    contrarily,
    honestly,
    in_some_order,
)
from benchmarks.figures import percentiles
from benchmarks.lines import emit, tell
from benchmarks.machine import describe
from benchmarks.retrieval import BATCH, measured_apart, open_brain, tell_memory
from benchmarks.retrieval_metrics import Metrics
from benchmarks.variants import VARIANTS

if TYPE_CHECKING:
    from soma.brain.api import Brain

Floats = NDArray[np.float64]

FIGURES = ("recall_at_10", "ndcg_at_10")
RESAMPLES = 1000
OTHER_KINDS = ("assistant chat", "long messages")


@dataclass(frozen=True, kw_only=True, slots=True)
class Outcome:
    """One conversation in one order: with and without learning, question by question."""

    conversation: str
    frozen: Sequence[Metrics]
    adaptive: Sequence[Metrics]


@dataclass(frozen=True, kw_only=True, slots=True)
class Setting:
    """Everything told, and agents to be had."""

    brain: "Brain"
    tenant: UUID
    told: Sequence[Conversation]
    seeds: int
    seconds: list[float]
    numbers: "count[int]"

    def learner(self, seed: int) -> Learner:
        """An agent that has learned nothing."""
        return Learner(
            brain=self.brain,
            tenant=self.tenant,
            agent=f"agent {next(self.numbers)}",
            rng=np.random.default_rng(seed),
            seconds=self.seconds,
        )

    def runs(self, run: Callable[[Conversation, int], Outcome]) -> list[Outcome]:
        """`run` for every conversation and order."""
        return [run(each, seed) for each in self.told for seed in range(self.seeds)]


def main() -> int:
    """Measure in a fresh home."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.feedback")
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--measure", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if not given.measure:
        return measured_apart("benchmarks.feedback")
    with open_brain() as (brain, _, tenant):
        describe()
        setting = Setting(
            brain=brain,
            tenant=tenant,
            told=conversations(given.data),
            seeds=given.seeds,
            seconds=[],
            numbers=count(),
        )
        _measure(setting)
    return 0


def _measure(setting: Setting) -> None:
    for each in setting.told:
        tell(f"telling {each.name}")
        tell_memory(setting.brain, setting.tenant, each, each.name, batch=BATCH)
    _report("after four conversations, learning on", setting.runs(_left_out(setting, honestly)))
    _report("after four conversations, learning ended", setting.runs(_left_out(setting, None)))
    _report("one conversation, from nothing", setting.runs(_alone(setting, honestly)))
    for kind in OTHER_KINDS:
        _report(f"after four conversations, one of another kind: {kind}", setting.runs(_other(setting, kind)))
    for judge in (at_random, contrarily, always):
        _report(f"feedback given {judge.__name__}, from nothing", setting.runs(_alone(setting, judge)))
        _report(
            f"feedback given {judge.__name__}, after four conversations",
            setting.runs(_left_out(setting, judge)),
        )
    emit(
        "feedback, ms",
        feedbacks=len(setting.seconds),
        **{name: round(1e3 * value, 2) for name, value in percentiles(setting.seconds).items()},
        p99=round(1e3 * float(np.quantile(setting.seconds, 0.99)), 2),
    )


def _left_out(setting: Setting, judge: Judge | None) -> Callable[[Conversation, int], Outcome]:
    return lambda told, seed: _after_the_others(setting, told, told.name, seed, judge)


def _other(setting: Setting, kind: str) -> Callable[[Conversation, int], Outcome]:
    def run(told: Conversation, seed: int) -> Outcome:
        [changed] = VARIANTS[kind]([told])
        namespace = f"{told.name}/{kind}"
        if seed == 0:
            tell_memory(setting.brain, setting.tenant, changed, namespace, batch=BATCH)
        return _after_the_others(setting, changed, namespace, seed, honestly)

    return run


def _after_the_others(
    setting: Setting, told: Conversation, namespace: str, seed: int, judge: Judge | None
) -> Outcome:
    """Learn on the other conversations, then be asked about this one."""
    tell(f"{namespace}, order {seed}")
    learner = setting.learner(seed)
    others = [each for each in setting.told if each.name != told.name]
    for place in learner.rng.permutation(len(others)):
        other = others[place]
        learner.stream(other, other.name, in_some_order(learner.rng, other), honestly)
    return _asked(setting, learner, told, namespace, seed, judge)


def _alone(setting: Setting, judge: Judge) -> Callable[[Conversation, int], Outcome]:
    def run(told: Conversation, seed: int) -> Outcome:
        tell(f"{told.name} alone, order {seed}")
        return _asked(setting, setting.learner(seed), told, told.name, seed, judge)

    return run


def _asked(
    setting: Setting, learner: Learner, told: Conversation, namespace: str, seed: int, judge: Judge | None
) -> Outcome:
    asked = in_some_order(np.random.default_rng(seed), told)
    return Outcome(
        conversation=told.name,
        frozen=setting.learner(seed).stream(told, namespace, asked, None),
        adaptive=learner.stream(told, namespace, asked, judge),
    )


def _report(what: str, outcomes: Sequence[Outcome]) -> None:
    frozen, adaptive = (
        _rows([metrics for each in outcomes for metrics in getattr(each, side)])
        for side in ("frozen", "adaptive")
    )
    halves = [_halves(each) for each in outcomes]
    emit(
        "learning, %",
        what=what,
        questions=len(frozen),
        frozen=_named(frozen.mean(axis=0)),
        adaptive=_named(adaptive.mean(axis=0)),
        difference=_interval(adaptive - frozen),
        first_half=_named(np.mean([first for first, _ in halves], axis=0)),
        second_half=_named(np.mean([second for _, second in halves], axis=0)),
        worst_conversation=_named(_by_conversation(outcomes).min(axis=0)),
    )


def _rows(measured: Sequence[Metrics]) -> Floats:
    return 100.0 * np.array([[asdict(each)[name] for name in FIGURES] for each in measured])


def _differences(outcome: Outcome) -> Floats:
    return _rows(outcome.adaptive) - _rows(outcome.frozen)


def _halves(
    outcome: Outcome,
) -> tuple[Floats, Floats]:
    """What learning brought in the first half of the stream, and in the second."""
    gained = _differences(outcome)
    middle = len(gained) // 2
    return gained[:middle].mean(axis=0), gained[middle:].mean(axis=0)


def _by_conversation(outcomes: Sequence[Outcome]) -> Floats:
    """What learning brought in each conversation, over all orders."""
    names = dict.fromkeys(each.conversation for each in outcomes)
    return np.array(
        [
            np.mean(
                [_differences(each).mean(axis=0) for each in outcomes if each.conversation == name], axis=0
            )
            for name in names
        ]
    )


def _interval(
    differences: Floats,
) -> Mapping[str, Mapping[str, float]]:
    """The mean of each figure's differences, and the bounds of its 95 % interval (bootstrap over
    questions)."""
    rng = np.random.default_rng(0)
    places = rng.integers(len(differences), size=(RESAMPLES, len(differences)))
    means = differences[places].mean(axis=1)
    low, high = np.quantile(means, [0.025, 0.975], axis=0)
    return {
        "mean": _named(differences.mean(axis=0)),
        "low": _named(low),
        "high": _named(high),
    }


def _named(values: Floats) -> Mapping[str, float]:
    return {name: round(float(value), 1) for name, value in zip(FIGURES, values, strict=True)}


if __name__ == "__main__":
    sys.exit(main())
