"""Questions asked one after the other, with feedback on what was shown."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING
from uuid import UUID

import numpy as np

from benchmarks.conversations import Conversation, Question
from benchmarks.retrieval import ADVERSARIAL, request_for
from benchmarks.retrieval_metrics import Metrics, measure

if TYPE_CHECKING:
    from soma.brain.api import Brain, Evidence

SHOWN = 20

Judge = Callable[[np.random.Generator, Question, "Evidence"], bool]


def honestly(rng: np.random.Generator, question: Question, evidence: "Evidence") -> bool:
    """Marks what is evidence."""
    return evidence.provenance["turn_id"] in question.evidence


def at_random(rng: np.random.Generator, question: Question, evidence: "Evidence") -> bool:
    """Marks one in five, whatever it is."""
    return bool(rng.random() < 0.2)


def contrarily(rng: np.random.Generator, question: Question, evidence: "Evidence") -> bool:
    """Marks what is no evidence."""
    return not honestly(rng, question, evidence)


def always(rng: np.random.Generator, question: Question, evidence: "Evidence") -> bool:
    """Marks everything."""
    return True


@dataclass(frozen=True, kw_only=True, slots=True)
class Learner:
    """An agent that is asked, and may be told how it did. `seconds` takes the time of each feedback."""

    brain: "Brain"
    tenant: UUID
    agent: str
    rng: np.random.Generator
    seconds: list[float]

    @contextmanager
    def returning(self) -> Iterator[None]:
        """What is learned within is taken back in the end, by a rollback."""
        from soma.base.database import tenant_transaction  # noqa: PLC0415 - Django is set up by now

        with tenant_transaction(self.tenant):
            known = self.brain.learned_report(self.tenant, self.agent, checkpoints=1).checkpoints
        yield
        if known:
            with tenant_transaction(self.tenant):
                self.brain.rollback(self.tenant, self.agent, sequence=known[-1].sequence)

    def stream(self, namespace: str, asked: Sequence[Question], judge: Judge | None) -> list[Metrics]:
        """How well each of `asked` was answered, before `judge` said so. None does not say."""
        return [self._answer(namespace, question, judge) for question in asked]

    def _answer(self, namespace: str, question: Question, judge: Judge | None) -> Metrics:
        request = replace(request_for(self.tenant, namespace, question), agent_id=self.agent, top_k=SHOWN)
        shown = self.brain.recall(request).evidence
        if judge is not None:
            self._tell(namespace, [(each, judge(self.rng, question, each)) for each in shown])
        return measure([str(each.provenance["turn_id"]) for each in shown], question.evidence)

    def _tell(self, namespace: str, judged: "Sequence[tuple[Evidence, bool]]") -> None:
        from soma.base.database import tenant_transaction  # noqa: PLC0415 - Django is set up by now
        from soma.base.ids import new_id  # noqa: PLC0415
        from soma.brain.api import EvidenceFeedback, Judgement  # noqa: PLC0415

        feedback = EvidenceFeedback(
            tenant_id=self.tenant,
            agent_id=self.agent,
            namespace=namespace,
            source_id=new_id(),
            judged=[Judgement(features=each.features, relevant=relevant) for each, relevant in judged],
        )
        started = time.perf_counter()
        with tenant_transaction(self.tenant):
            self.brain.credit_evidence(feedback)
        self.seconds.append(time.perf_counter() - started)


def in_some_order(rng: np.random.Generator, told: Conversation) -> list[Question]:
    """The questions of `told` that something answers, shuffled."""
    answered = [each for each in told.questions if each.evidence and each.category != ADVERSARIAL]
    return [answered[place] for place in rng.permutation(len(answered))]
