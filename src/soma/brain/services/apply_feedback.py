"""Learning from one iteration (`apply_feedback`)."""

import struct

from django.db import connections

from soma.base.database import APP
from soma.brain.domain.feedback import Feedback, Signals
from soma.brain.domain.learned_state import LearnedState
from soma.brain.domain.learning import Learning, learn
from soma.brain.errors import FeedbackOutOfOrder
from soma.brain.models import LearnedStepRow
from soma.brain.services.learned_state import latest_step, learned_state

CLAIM_ITERATION = """
    INSERT INTO learned_step (tenant_id, turn_id, iteration, agent_id, before, after, numbers)
    VALUES (%s, %s, %s, %s, %s, %s, %s)
    ON CONFLICT (tenant_id, turn_id, iteration) DO NOTHING
"""
"""Keeps what an iteration has learned, unless it is kept already; the row count says which. Waits for
another transaction that is just keeping the same iteration. SQL, because the ORM does not tell whether an
insert that may be ignored took place, and asking first would be a second statement at every iteration."""

NUMBERS = struct.Struct(">7d")
"""reward, novelty, urgency, attention; prediction error, salience, learning rate."""


def apply_feedback(feedback: Feedback) -> Learning:
    """See Brain.apply_feedback."""
    if feedback.state is not None:
        return _learn(feedback, feedback.state)
    latest = latest_step(feedback.tenant_id, feedback.agent_id, feedback.turn_id)
    if latest is None:
        return _learn(feedback, learned_state(feedback.tenant_id, feedback.agent_id, LearnedState()))
    if latest.iteration < feedback.iteration:
        return _learn(feedback, LearnedState.from_bytes(latest.after))
    return _kept(feedback)


def signals_of(numbers: bytes | memoryview) -> Signals:
    """The signals of the feedback whose step keeps `numbers`."""
    reward, novelty, urgency, attention, *_ = NUMBERS.unpack(numbers)
    return Signals(reward=reward, novelty=novelty, urgency=urgency, attention=attention)


def _learn(feedback: Feedback, before: LearnedState) -> Learning:
    signals = feedback.signals
    learning = learn(before, signals)
    return learning if _claim(feedback, signals, learning) else _kept(feedback)


def _claim(feedback: Feedback, signals: Signals, learning: Learning) -> bool:
    with connections[APP].cursor() as cursor:
        cursor.execute(
            CLAIM_ITERATION,
            [
                feedback.tenant_id,
                feedback.turn_id,
                feedback.iteration,
                feedback.agent_id,
                learning.before.to_bytes(),
                learning.after.to_bytes(),
                _numbers(signals, learning),
            ],
        )
        return bool(cursor.rowcount)


def _numbers(signals: Signals, learning: Learning) -> bytes:
    return NUMBERS.pack(
        signals.reward,
        signals.novelty,
        signals.urgency,
        signals.attention,
        learning.prediction_error,
        learning.salience,
        learning.learning_rate,
    )


def _kept(feedback: Feedback) -> Learning:
    row = LearnedStepRow.objects.filter(
        tenant_id=feedback.tenant_id, turn_id=feedback.turn_id, iteration=feedback.iteration
    ).first()
    if row is None:
        raise FeedbackOutOfOrder(
            f"Iteration {feedback.iteration} of turn {feedback.turn_id} comes after a later one was learned"
        )
    *_, error, worth, rate = NUMBERS.unpack(row.numbers)
    return Learning(
        before=LearnedState.from_bytes(row.before),
        after=LearnedState.from_bytes(row.after),
        reward=signals_of(row.numbers).reward,
        prediction_error=error,
        salience=worth,
        learning_rate=rate,
        applied=rate > 0.0,
    )
