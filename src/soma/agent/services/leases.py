"""Leases: which process runs a turn, and who takes over when it is gone.

A process renews the leases of all its turns in one statement, and learns by the same statement which of
them were asked to stop. The worker role does this, since a process runs turns of every tenant.
"""

from datetime import timedelta
from uuid import UUID

from soma.agent.domain.frames import ATTEMPT_STRIDE
from soma.agent.domain.turn import Turn, TurnStatus
from soma.agent.models import RLMIterationRow, TurnRow
from soma.agent.services.rows import turn_of
from soma.base import clock
from soma.base.database import WORKER, worker_transaction

LEASE_SECONDS = 6
RENEW_SECONDS = 0.5
TAKE_OVER_AT_MOST = 16


def renew(owner: str, turn_ids: list[UUID]) -> set[UUID]:
    """Extend the leases that `owner` still holds; the turns among them that were asked to stop."""
    now = clock.now()
    with worker_transaction():
        mine = TurnRow.objects.using(WORKER).filter(
            id__in=turn_ids, lease_owner=owner, status=TurnStatus.RUNNING
        )
        expiring = now + timedelta(seconds=LEASE_SECONDS / 2)
        mine.filter(lease_expires_at__lt=expiring).update(
            lease_expires_at=now + timedelta(seconds=LEASE_SECONDS)
        )
        return set(mine.filter(cancel_requested=True).values_list("id", flat=True))


def take_over(owner: str) -> list[Turn]:
    """Claim turns whose lease has run out. Each claim is a new attempt, whose frames get ids of their own."""
    now = clock.now()
    with worker_transaction():
        rows = list(
            TurnRow.objects.using(WORKER)
            .select_for_update(skip_locked=True)
            .filter(status=TurnStatus.RUNNING, lease_expires_at__lt=now)
            .order_by("created_at")[:TAKE_OVER_AT_MOST]
        )
        for row in rows:
            claim(row, owner)
        return [turn_of(row) for row in rows]


def release(owner: str) -> None:
    """Let go of everything at once, so that the next process need not wait for the leases to run out."""
    with worker_transaction():
        TurnRow.objects.using(WORKER).filter(lease_owner=owner, status=TurnStatus.RUNNING).update(
            lease_expires_at=clock.now() - timedelta(seconds=1)
        )


def claim(row: TurnRow, owner: str) -> None:
    """Make a locked row the next attempt of `owner`."""
    last = RLMIterationRow.objects.using(WORKER).filter(turn_id=row.id).order_by("-number").first()
    highest = max(last.first_frame_id if last else 1, row.attempts[-1]["first_frame_id"])
    row.attempt += 1
    row.attempts = [
        *row.attempts,
        {
            "first_frame_id": (highest // ATTEMPT_STRIDE + 1) * ATTEMPT_STRIDE,
            "resumed_iteration": last.number + 1 if last else 0,
        },
    ]
    row.lease_owner = owner
    row.lease_expires_at = clock.now() + timedelta(seconds=LEASE_SECONDS)
    row.save(update_fields=["attempt", "attempts", "lease_owner", "lease_expires_at"])
