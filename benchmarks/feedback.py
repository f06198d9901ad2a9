"""What learning from feedback brings, and what wrong feedback costs: see benchmarks/learning.py."""

import argparse
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID

import numpy as np

from benchmarks.conversations import Conversation, Question, conversations
from benchmarks.feedback_report import Outcome, report
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

AS_TOLD = "as told"
KINDS = tuple(kind for kind in VARIANTS if kind != "group")
"""Groups join conversations: none could be left out of what is learned on first."""
WRONG = (at_random, contrarily, always)


@dataclass(frozen=True, kw_only=True, slots=True)
class Scenario:
    """Conversations of a `kind`, with somebody who judges what is shown, or nobody; `carried` says whether
    the agent has learned on other conversations, as told, before."""

    kind: str = AS_TOLD
    judge: Judge | None = honestly
    carried: bool

    @property
    def name(self) -> str:
        """What the line is about."""
        before = "after four conversations" if self.carried else "from nothing"
        judged = "learning ended" if self.judge is None else f"feedback given {self.judge.__name__}"
        return f"{before}, {self.kind}, {judged}"


def scenarios(kinds: Sequence[str]) -> tuple[Scenario, ...]:
    """What is measured in every order: conversations of these `kinds`, and what stays when learning ends."""
    learning = (Scenario(kind=kind, carried=carried) for carried in (True, False) for kind in kinds)
    return (*learning, Scenario(judge=None, carried=True))


MISLED = tuple(Scenario(judge=judge, carried=carried) for carried in (True, False) for judge in WRONG)
"""What is measured in the first order alone: what wrong feedback costs."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Setting:
    """Everything told, by kind, and agents to be had. `frozen` keeps what is answered without learning."""

    brain: "Brain"
    tenant: UUID
    told: dict[str, list[Conversation]]
    seeds: int
    seconds: list[float] = field(default_factory=list)
    numbers: "count[int]" = field(default_factory=count)
    frozen: dict[tuple[str, str], Metrics] = field(default_factory=dict)

    def learner(self, seed: int) -> Learner:
        """An agent that has learned nothing."""
        return Learner(
            brain=self.brain,
            tenant=self.tenant,
            agent=f"agent {next(self.numbers)}",
            rng=np.random.default_rng(seed),
            seconds=self.seconds,
        )


def main() -> int:
    """Measure in a fresh home."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.feedback")
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--kinds", required=True)
    parser.add_argument("--measure", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    kinds = (AS_TOLD, *given.kinds.split(","))
    if unknown := set(kinds) - set(KINDS):
        parser.error(f"it does not measure {', '.join(sorted(unknown))}; it does {', '.join(KINDS)}")
    if not given.measure:
        return measured_apart("benchmarks.feedback")
    told = conversations(given.data)
    with open_brain() as (brain, _, tenant):
        describe()
        told_as = {kind: VARIANTS[kind](told) for kind in kinds}
        _measure(Setting(brain=brain, tenant=tenant, told=told_as, seeds=given.seeds))
    return 0


def _measure(setting: Setting) -> None:
    started = time.perf_counter()
    for kind, conversations_ in setting.told.items():
        tell(f"telling: {kind}")
        for each in conversations_:
            tell_memory(setting.brain, setting.tenant, each, _namespace(kind, each), batch=BATCH)
            _answer_frozen(setting, kind, each)
    outcomes, ordered = dict[str, list[Outcome]](), scenarios(tuple(setting.told))
    for place, left_out in enumerate(setting.told[AS_TOLD]):
        for seed in range(setting.seeds):
            tell(f"{left_out.name}, order {seed}")
            ask = partial(_asked, setting, place, seed)
            experienced = _experienced(setting, left_out, seed)
            for scenario in (*ordered, *MISLED) if seed == 0 else ordered:
                learner = experienced if scenario.carried else setting.learner(seed)
                outcomes.setdefault(scenario.name, []).append(ask(learner, scenario))
    for name, streams in outcomes.items():
        report(name, streams)
    emit(
        "feedback, ms",
        feedbacks=len(setting.seconds),
        **{name: round(1e3 * value, 2) for name, value in percentiles(setting.seconds).items()},
        p99=round(1e3 * float(np.quantile(setting.seconds, 0.99)), 2),
        minutes=round((time.perf_counter() - started) / 60.0, 1),
    )


def _answer_frozen(setting: Setting, kind: str, told: Conversation) -> None:
    asked = in_some_order(np.random.default_rng(0), told)
    answered = setting.learner(0).stream(_namespace(kind, told), asked, None)
    for question, metrics in zip(asked, answered, strict=True):
        setting.frozen[kind, question.question_id] = metrics


def _experienced(setting: Setting, left_out: Conversation, seed: int) -> Learner:
    """An agent that has learned on the other conversations."""
    learner = setting.learner(seed)
    others = [each for each in setting.told[AS_TOLD] if each.name != left_out.name]
    for place in learner.rng.permutation(len(others)):
        other = others[place]
        learner.stream(_namespace(AS_TOLD, other), in_some_order(learner.rng, other), honestly)
    return learner


def _asked(setting: Setting, place: int, seed: int, learner: Learner, scenario: Scenario) -> Outcome:
    """The conversation at `place` in the scenario's kind, after which the learner is as it was before."""
    told = setting.told[scenario.kind][place]
    asked: Sequence[Question] = in_some_order(np.random.default_rng(seed), told)
    with learner.returning():
        adaptive = learner.stream(_namespace(scenario.kind, told), asked, scenario.judge)
    return Outcome(
        conversation=told.name,
        asked=[each.question_id for each in asked],
        frozen=[setting.frozen[scenario.kind, each.question_id] for each in asked],
        adaptive=adaptive,
    )


def _namespace(kind: str, told: Conversation) -> str:
    return f"{told.name}/{kind}"


if __name__ == "__main__":
    sys.exit(main())
