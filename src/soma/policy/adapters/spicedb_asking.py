"""Asking SpiceDB for what the database has committed, wherever SpiceDB itself may be.

A write reaches SpiceDB before the transaction that it belongs to is committed, and may be rolled back after
that. What such a write says must never be an answer.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from authzed.api.v1 import (
    CheckBulkPermissionsRequest,
    CheckBulkPermissionsRequestItem,
    Consistency,
    ZedToken,
)

from soma.policy.adapters import relation_revisions
from soma.policy.adapters import spicedb_ledger as ledger
from soma.policy.adapters.relation_answers import Answers
from soma.policy.adapters.relation_revisions import Revision
from soma.policy.adapters.spicedb_keeper import SpiceDbKeeper
from soma.policy.adapters.spicedb_messages import answer, items
from soma.policy.adapters.spicedb_server import SpiceDbFailed, SpiceDbServer

SHORTEST_MS = 5.0
LOOK_AGAIN_SECONDS = 0.005
"""Between two looks whether a writer has come to its end."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Found:
    """Yes, no or why there is none, of each check, and whether the revision asked for is where SpiceDB was
    then, or where it was one write before."""

    answers: Sequence[bool | str]
    reached: bool
    left: bool


class SpiceDbAsking:
    """Asks within `deadline_ms`, and has `keeper` look after tenants of whom SpiceDB knows something else."""

    def __init__(self, server: SpiceDbServer, keeper: SpiceDbKeeper, *, deadline_ms: float) -> None:
        self._server = server
        self._keeper = keeper
        self._deadline_ms = deadline_ms

    def found(self, tenant_id: UUID, answers: Answers) -> Sequence[bool | str | None]:
        """The answers at the revision that this transaction sees; None for all where SpiceDB has not got it.

        Costs one statement and one call while SpiceDB is where the database is. It may be one write ahead:
        of one that has committed between our two looks, of one that holds the lock and has not committed
        yet, or of one that was rolled back. The first we follow; to the others we ask again at the snapshot
        that our revision had. Raises SpiceDbFailed.
        """
        revision = relation_revisions.current(tenant_id)
        while revision.id is not None:
            newest = self._ask(tenant_id, revision, answers, _since(revision))
            if newest.reached:
                return newest.answers
            now, written = _look(tenant_id)
            if now == revision:
                if newest.left and (before := self._ask_before(tenant_id, revision, answers)) is not None:
                    if not written:
                        self._keeper.ask(tenant_id)  # nobody is there who will commit what SpiceDB has
                    return before
                now = self._wait(tenant_id, revision, answers) if written else now
                if now == revision:
                    break
            revision = now
        self._keeper.ask(tenant_id)
        return [None] * len(answers.sensible)

    def _ask_before(
        self, tenant_id: UUID, revision: Revision, answers: Answers
    ) -> Sequence[bool | str] | None:
        """The answers at the snapshot of `revision`; None where SpiceDB has it no more, which is after a day
        unless it is told otherwise, or where it is not what the ledger says was reached there."""
        try:
            found = self._ask(tenant_id, revision, answers, _at(revision))
        except SpiceDbFailed as failed:
            if not failed.answered:
                raise
            return None
        return found.answers if found.reached else None

    def _wait(self, tenant_id: UUID, revision: Revision, answers: Answers) -> Revision:
        """The revision that comes after this one which somebody writes; the same one where nothing comes of
        that, or nothing in time."""
        now, written = revision, True
        while now == revision and written and answers.elapsed_ms < self._deadline_ms - SHORTEST_MS:
            time.sleep(LOOK_AGAIN_SECONDS)
            now, written = _look(tenant_id)
        return now

    def _ask(self, tenant_id: UUID, revision: Revision, answers: Answers, when: Consistency) -> Found:
        marks = ledger.questions(tenant_id, revision)
        asked = [*items(tenant_id, answers.sensible), *marks]
        found = self._called(asked, answers, when)
        if len(answers.sensible) > 1:
            # It looks into checks that are alike together, and what one of them meets all of them fail with.
            for place, item in enumerate(asked[: -len(marks)]):
                if isinstance(found[place], str):
                    alone, *there = self._called([item, *marks], answers, when)
                    if there == found[-len(marks) :]:  # it may have gone on since
                        found[place] = alone
        if any(isinstance(each, str) for each in found):
            self._keeper.ask(tenant_id)  # it may not know our schema
        return Found(answers=found[: -len(marks)], reached=found[-2] is True, left=found[-1] is True)

    def _called(
        self, asked: Sequence[CheckBulkPermissionsRequestItem], answers: Answers, when: Consistency
    ) -> list[bool | str]:
        left_ms = max(SHORTEST_MS, self._deadline_ms - answers.elapsed_ms)
        request = CheckBulkPermissionsRequest(consistency=when, items=asked)
        return [answer(pair) for pair in self._server.check(request, left_ms / 1000).pairs]


def _look(tenant_id: UUID) -> tuple[Revision, bool]:
    """The revision that is committed, and whether somebody writes the next one. If nobody does, nobody will
    until this transaction ends."""
    standing = relation_revisions.current_unless_written(tenant_id)
    return standing or relation_revisions.current(tenant_id), standing is None


def _since(revision: Revision) -> Consistency:
    """What SpiceDB has by now, or what it had at `revision` where that is as good to it."""
    return Consistency(at_least_as_fresh=ZedToken(token=revision.zed_token))


def _at(revision: Revision) -> Consistency:
    """What SpiceDB had at `revision`, whatever it was told since."""
    return Consistency(at_exact_snapshot=ZedToken(token=revision.zed_token))
