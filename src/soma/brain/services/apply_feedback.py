"""Learning from one iteration (`apply_feedback`)."""

import struct

from django.db import connections

from soma.base.database import APP
from soma.brain.domain.feedback import Feedback, Signals
from soma.brain.domain.learned_state import LearnedState
from soma.brain.domain.learning import Learning, learn
from soma.brain.domain.learning_signal import LearningSignal
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

RAW_MARK = b"r"
"""Stands after the numbers of a step of the raw rule, so that it is learned again by the rule that it was
learned by, whatever is configured then."""


def apply_feedback(feedback: Feedback, follows: LearningSignal = LearningSignal.PREDICTION_ERROR) -> Learning:
    """See Brain.apply_feedback."""
    if feedback.state is not None:
        return _learn(feedback, feedback.state, follows)
    latest = latest_step(feedback.tenant_id, feedback.agent_id, feedback.turn_id)
    if latest is None:
        standing = learned_state(feedback.tenant_id, feedback.agent_id, LearnedState())
        return _learn(feedback, standing, follows)
    if latest.iteration < feedback.iteration:
        return _learn(feedback, LearnedState.from_bytes(latest.after), follows)
    return _kept(feedback)


def signals_of(numbers: bytes | memoryview) -> Signals:
    """The signals of the feedback whose step keeps `numbers`."""
    reward, novelty, urgency, attention, *_ = NUMBERS.unpack_from(numbers)
    raw = bytes(numbers[NUMBERS.size :]) == RAW_MARK
    return Signals(
        reward=reward,
        novelty=novelty,
        urgency=urgency,
        attention=attention,
        follows=LearningSignal.RAW if raw else LearningSignal.PREDICTION_ERROR,
    )


def _learn(feedback: Feedback, before: LearnedState, follows: LearningSignal) -> Learning:
    signals = feedback.signals_for(follows)
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
    numbers = NUMBERS.pack(
        signals.reward,
        signals.novelty,
        signals.urgency,
        signals.attention,
        learning.prediction_error,
        learning.salience,
        learning.learning_rate,
    )
    return numbers + RAW_MARK if signals.follows is LearningSignal.RAW else numbers


def _kept(feedback: Feedback) -> Learning:
    row = LearnedStepRow.objects.filter(
        tenant_id=feedback.tenant_id, turn_id=feedback.turn_id, iteration=feedback.iteration
    ).first()
    if row is None:
        raise FeedbackOutOfOrder(
            f"Iteration {feedback.iteration} of turn {feedback.turn_id} comes after a later one was learned"
        )
    return learning_of(row)


def learning_of(row: LearnedStepRow) -> Learning:
    """What the feedback did that `row` keeps."""
    *_, error, worth, rate = NUMBERS.unpack_from(row.numbers)
    signals = signals_of(row.numbers)
    return Learning(
        before=LearnedState.from_bytes(row.before),
        after=LearnedState.from_bytes(row.after),
        reward=signals.reward,
        prediction_error=error,
        salience=worth,
        learning_rate=rate,
        applied=rate > 0.0,
        signal=signals.follows,
    )
