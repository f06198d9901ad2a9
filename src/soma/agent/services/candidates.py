"""What could be done next, with what is expected of each: confidence, cost, latency.

Cost is a share of the turn's token budget and latency one of its deadline, as the reward has them, so that λ,
μ and ν weigh here what they have learned there.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from soma.agent.domain.capsule import LoopSettings
from soma.agent.domain.convergence import success_factor
from soma.agent.domain.measures import Figure, Measures
from soma.agent.domain.tool import ToolExecution, ToolSpec
from soma.brain.api import Candidate, Estimate, Source, chance_of_relevance

ASK_CONFIDENCE = 0.5
ASK_MS = 20_000.0
"""A person who is asked back is taken to answer in 20 s, and to help every second time: nothing of this is
measured."""
UNFIT = 0.1
"""How much a tool counts whose patterns do not match the message."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Situation:
    """What a message meets. `shown` are the calibrated confidences of the evidence that the prompt shows,
    best first; `more` is how many further ones a wider recall would give at most, and `room` the tokens that
    are left for them. `evidence_tokens` and `prompt_tokens` are what the shown evidence and the whole prompt
    take. `tools` may be called still, `results` are those that were."""

    message: str
    shown: tuple[float, ...]
    more: int
    room: int
    evidence_tokens: int
    prompt_tokens: int
    tools: Sequence[ToolSpec]
    results: Sequence[ToolExecution]
    loop: LoopSettings
    measures: Measures


def candidates(situation: Situation) -> list[Candidate]:
    """The actions, each with its estimates."""
    found = [_answer(situation), _from_memory(situation), _wider(situation), _ask(situation)]
    if any(one.executed for one in situation.results):
        found.append(_from_results(situation))
    return [*found, *(_call(situation, tool) for tool in situation.tools)]


def _answer(now: Situation) -> Candidate:
    """From what the model knows by itself."""
    run = now.measures.plain
    return Candidate(
        action="answer",
        confidence=_share(run.confidence),
        cost=_cost(now, now.prompt_tokens - now.evidence_tokens, run.tokens),
        latency=_latency(now, run.latency_ms),
    )


def _from_memory(now: Situation) -> Candidate:
    run = now.measures.grounded
    return Candidate(
        action="answer_from_memory",
        confidence=_relevance(now.shown),
        cost=_cost(now, now.prompt_tokens, run.tokens),
        latency=_latency(now, run.latency_ms),
    )


def _wider(now: Situation) -> Candidate:
    """Recalling twice as much, as far as the lane has room: what comes next is taken to be as relevant as the
    last that is shown, and as long as the mean."""
    run = now.measures.grounded
    each = now.evidence_tokens / len(now.shown) if now.shown else 0.0
    further = min(now.more, int(now.room / each)) if each else 0
    return Candidate(
        action="recall_wider",
        confidence=_relevance((*now.shown, *now.shown[-1:] * further)),
        cost=_cost(now, now.prompt_tokens + each * further, run.tokens),
        latency=_latency(now, now.measures.recall_ms, run.latency_ms),
    )


def _ask(now: Situation) -> Candidate:
    run = now.measures.plain
    return Candidate(
        action="ask",
        confidence=Estimate(value=ASK_CONFIDENCE, source=Source.PRIOR),
        cost=_cost(now, 2 * now.prompt_tokens, run.tokens, run.tokens),
        latency=_latency(now, run.latency_ms, Figure(value=ASK_MS), run.latency_ms),
    )


def _from_results(now: Situation) -> Candidate:
    run = now.measures.grounded
    executed = sum(one.executed for one in now.results)
    return Candidate(
        action="answer_from_results",
        confidence=Estimate(value=success_factor(now.results), source=Source.MEASURED, samples=executed),
        cost=_cost(now, now.prompt_tokens, run.tokens),
        latency=_latency(now, run.latency_ms),
    )


def _call(now: Situation, tool: ToolSpec) -> Candidate:
    call, answer, measured = now.measures.call, now.measures.grounded, now.measures.tool(tool.name)
    return Candidate(
        action="call_tool",
        target=tool.name,
        confidence=_help(tool, now.message, measured.success),
        cost=_cost(now, 2 * now.prompt_tokens, call.tokens, answer.tokens),
        latency=_latency(now, call.latency_ms, measured.latency_ms, answer.latency_ms),
    )


def _help(tool: ToolSpec, message: str, success: Figure) -> Estimate:
    """That the tool succeeds and that it is one for this message."""
    fit = 1.0 if not tool.triggers or tool.triggered_by(message) else UNFIT
    return Estimate(
        value=success.value * fit,
        source=_source(success),
        samples=success.samples,
        parts={"success": success.value, "fit": fit},
    )


def _relevance(confidences: Sequence[float]) -> Estimate:
    return Estimate(
        value=chance_of_relevance(confidences), source=Source.CALIBRATED, samples=len(confidences)
    )


def _share(figure: Figure) -> Estimate:
    return Estimate(value=figure.value, source=_source(figure), samples=figure.samples)


def _cost(now: Situation, prompt: float, *written: Figure) -> Estimate:
    tokens = prompt + sum(figure.value for figure in written)
    return _spent(tokens, now.loop.turn_token_budget, "tokens", written)


def _latency(now: Situation, *steps: Figure) -> Estimate:
    return _spent(sum(figure.value for figure in steps), now.loop.deadline_ms, "ms", steps)


def _spent(amount: float, allowed: float, unit: str, figures: Sequence[Figure]) -> Estimate:
    """A sum is measured where all of it is, by as many samples as its least known part has."""
    return Estimate(
        value=min(1.0, amount / allowed) if allowed > 0 else 1.0,
        source=_source(*figures),
        samples=min(figure.samples for figure in figures),
        amount=amount,
        unit=unit,
    )


def _source(*figures: Figure) -> Source:
    return Source.MEASURED if all(figure.samples for figure in figures) else Source.PRIOR
