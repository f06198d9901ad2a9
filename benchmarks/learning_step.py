"""What a learning step takes: `python -m benchmarks --only learning_step`.

Once as mathematics alone, and once as the end of a turn does it: the step and its checkpoint in one durable
transaction, on an agent whose chain grows. The bars are for the 99th percentile.
"""

import time
from dataclasses import dataclass, replace
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from benchmarks.lines import emit, tell
from benchmarks.machine import describe
from benchmarks.server import Server
from soma.base.configuration import Configuration
from soma.base.database import tenant_transaction
from soma.base.ids import new_id
from soma.brain.api import Brain, Feedback, LearnedState, RewardParts
from soma.brain.domain.learning import learn
from soma.project.bootstrap import build_brain

AGENT = "benchmark"

Spent = NDArray[np.float64]
"""Seconds on the clock and of the processor, (2,), or of several, (n, 2)."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Effort:
    """Steps that are computed, and steps that are committed."""

    computed: int
    committed: int


FULL = Effort(computed=50_000, committed=3_000)
QUICK = Effort(computed=2_000, committed=100)


def learning_step(configuration: Configuration, effort: Effort) -> None:
    """Measure both and print which bars are met."""
    describe(Server(configuration))
    tell("computing steps")
    _report("computing alone", _computed(effort.computed), bar_ms=1.0)
    brain = build_brain(configuration)
    tell("committing steps")
    _report("with the durable checkpoint", _committed(brain, effort.committed), bar_ms=8.0)


def _computed(steps: int) -> Spent:
    """Of each step, from what an iteration tells to the next state."""
    told, state, spent = _feedbacks(new_id(), steps), LearnedState(), []
    for each in told:
        before = _now()
        state = learn(state, each.signals).after
        spent.append(_now() - before)
    return np.array(spent)


def _committed(brain: Brain, steps: int) -> Spent:
    """Of each transaction, to the return of its commit. The first ones warm the connection."""
    tenant_id, spent = new_id(), []
    with tenant_transaction(tenant_id):
        state = brain.learned_state(tenant_id, AGENT, LearnedState())
    for each in _feedbacks(tenant_id, steps + steps // 10):
        before = _now()
        with tenant_transaction(tenant_id):
            brain.apply_feedback(replace(each, state=state))
            state = brain.checkpoint(tenant_id, AGENT, each.turn_id).state
        spent.append(_now() - before)
    return np.array(spent[steps // 10 :])


def _feedbacks(tenant_id: UUID, count: int) -> list[Feedback]:
    chance = np.random.default_rng(1)
    return [
        Feedback(
            tenant_id=tenant_id,
            agent_id=AGENT,
            turn_id=new_id(),
            iteration=0,
            reward=RewardParts(
                confidence=chance.random(),
                tool_success=(None, 0.0, 1.0)[chance.integers(3)],
                latency_ms=chance.exponential(4_000.0),
                deadline_ms=12_500.0,
                cost=chance.random(),
            ),
            novelty=chance.random(),
            tools_used=int(chance.integers(2)),
        )
        for _ in range(count)
    ]


def _report(what: str, spent: Spent, *, bar_ms: float) -> None:
    p50, p99 = _cuts(spent[:, 0])
    cpu_p50, cpu_p99 = _cuts(spent[:, 1])
    emit(
        "apply_feedback",
        what=what,
        steps=len(spent),
        ms_p50=p50,
        ms_p99=p99,
        cpu_ms_p50=cpu_p50,
        cpu_ms_p99=cpu_p99,
        bar_ms_p99=bar_ms,
        met=p99 <= bar_ms,
    )


def _cuts(seconds: Spent) -> tuple[float, float]:
    """The median and the 99th percentile, in ms."""
    p50, p99 = np.percentile(seconds, [50, 99])
    return round(1e3 * float(p50), 4), round(1e3 * float(p99), 4)


def _now() -> Spent:
    """The clock, and the processor time of this thread, which others at work on the machine change less."""
    return np.array([time.perf_counter(), time.thread_time()])
