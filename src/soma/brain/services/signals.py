"""Every signal of every candidate: what the ranking weighs, and what learning learns from."""

from collections.abc import Mapping, Sequence
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from soma.brain.domain.periods import Period, Span
from soma.brain.domain.question import MACHINES, Question
from soma.brain.domain.signal_weights import SignalWeights
from soma.brain.kernels.candidate_signals import (
    Floats,
    at,
    best_of_session,
    bm25,
    inverse_frequency,
    session_terms,
    standard,
)
from soma.brain.kernels.scoring import recency
from soma.fractalmemory.api import CandidateSet, Lexicon

SHIPPED = SignalWeights()

UTTERANCE_WORDS = 30.0
"""Up to so many words an utterance needs its neighbours to be understood; beyond, ever less."""

MEMORY_DAYS = 14.0
"""What happened in a period is told in it or in the weeks after: a fit of 1/e after so many days."""

DOCUMENT = "document"
"""The role of what stands in documents."""

SECOND_NAMED = 0.5
"""Share of the speaker's signal for who else is named: "What did Ann say to Bob?" may be found with Bob."""

RECENCY_HALF_LIFE = 30 * 86_400.0
"""Seconds after which a memory's recency is one half: a month."""


def signals(
    question: Question,
    seen: CandidateSet,
    lexicon: Lexicon,
    *,
    moment: datetime,
    graph: Floats | None = None,
) -> Mapping[str, Floats]:
    """Signal → its value for each of the n candidates, (n,). `moment` is when the question is asked.

    Neighbours and sessions speak for short utterances: their signals fade with a candidate's length. What
    they say is a mean by the weights as shipped: signals do not change with what is learned from them.
    """
    idf = inverse_frequency(lexicon.holding, lexicon.records)
    dense = standard(standard(seen.similarity) + standard(seen.best_sentence))
    lexical = standard(bm25(seen.frequencies, seen.lengths, lexicon.mean_length, idf))
    base = SHIPPED.dense * dense + SHIPPED.lexical * lexical
    brevity = np.minimum(1.0, UTTERANCE_WORDS / np.maximum(seen.words, 1.0))
    before = brevity * at(seen.previous, base)
    answers = seen.asks[seen.previous] & (seen.previous >= 0)
    speakers = [speaker or role for speaker, role in zip(seen.speakers, seen.roles, strict=True)]
    ages = np.array([(moment - occurred).total_seconds() for occurred in seen.occurred_at])
    return {
        "dense": dense,
        "lexical": lexical,
        "speaker": speaker_match(question, speakers),
        "reply": np.where(answers, before, 0.0),
        "previous": np.where(answers, 0.0, before),
        "next": brevity * at(seen.next, base),
        "session_best": brevity * standard(best_of_session(base, seen.session)),
        "session_lexical": brevity * standard(session_terms(seen.frequencies, seen.session, idf)),
        "date": date_fit(question.periods, seen.occurred_at),
        "time": seen.timed * float(question.wants_time),
        "length": np.minimum(1.0, np.log1p(seen.words) / float(np.log1p(UTTERANCE_WORDS))),
        "question": (1.0 - seen.told) * ~answered_by_machine(speakers, seen.next),
        "recency": recency(ages, RECENCY_HALF_LIFE),
        "graph": np.zeros(len(seen.ids)) if graph is None else graph,
    }


def speaker_match(question: Question, speakers: Sequence[str]) -> Floats:
    """1 for what the first one named says, less for the others named, (n,). Where nobody is named: 1 for the
    side of the conversation that the question speaks of, the person's by default, since an assistant's
    replies are made from what it was told. A document is on neither side."""
    if question.named:
        worth = dict.fromkeys(question.named, SECOND_NAMED) | {question.named[0]: 1.0}
        return np.array([worth.get(speaker, 0.0) for speaker in speakers])
    machine = _machines(speakers)
    wanted = machine if question.asked_of == "assistant" else ~machine
    if question.asked_of:
        wanted &= np.array([speaker != DOCUMENT for speaker in speakers], dtype=np.bool_)
    return np.where(wanted, 1.0 if question.asked_of else 0.5, 0.0)


def answered_by_machine(speakers: Sequence[str], following: NDArray[np.intp]) -> NDArray[np.bool_]:
    """Whether an assistant speaks next, (n,): what is asked of one often tells of the asker."""
    return _machines(speakers)[following] & (following >= 0)


def date_fit(wanted: Sequence[Period | Span], occurred_at: Sequence[datetime]) -> Floats:
    """1 for what was told within a period asked for, less the longer after it, and twice as fast before."""
    fits = np.zeros(len(occurred_at))
    for position, moment in enumerate(occurred_at if wanted else ()):
        spans = [span for period in wanted for span in period.around(moment)]
        fits[position] = max((_fit(moment, *span) for span in spans), default=0.0)
    return fits


def _machines(speakers: Sequence[str]) -> NDArray[np.bool_]:
    return np.array([speaker.lower() in MACHINES for speaker in speakers], dtype=np.bool_)


def _fit(moment: datetime, start: datetime, end: datetime) -> float:
    late, early = (moment - end).total_seconds(), (start - moment).total_seconds()
    days = max(late, 2.0 * early, 0.0) / 86_400.0
    return float(np.exp(-days / MEMORY_DAYS))
