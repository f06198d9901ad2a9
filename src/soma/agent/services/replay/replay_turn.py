"""Replaying a turn for somebody who may read its trace."""

import asyncio
from dataclasses import dataclass
from uuid import UUID

from soma.agent.domain.divergence import Divergence
from soma.agent.domain.replay_report import Hashes, ReplayMode, ReplayReport
from soma.agent.domain.steps import place
from soma.agent.domain.turn import TurnStatus
from soma.agent.errors import NotReexecutable
from soma.agent.models import TurnRow
from soma.agent.ports import ModelPort
from soma.agent.services.gate import Gate
from soma.agent.services.generate import Models
from soma.agent.services.progress import Progress
from soma.agent.services.replay.held_against_log import held_against_end, held_against_events
from soma.agent.services.replay.held_against_rows import (
    StoredTurn,
    hashes,
    held_against_rows,
    stored_turn,
)
from soma.agent.services.replay.recorded_model import RecordedModel, ReexecutedModel, cut_off
from soma.agent.services.replay.recorded_turn import RecordedTurn, recorded_turn
from soma.agent.services.replay.rerun import Rerun, rerun
from soma.agent.services.replay.turn_log import COMPLETED, TurnLog, fold
from soma.agent.services.run_turn import answer_text, best_iteration
from soma.agent.services.turns import readable
from soma.base.database import DatabaseThreads, tenant_transaction
from soma.base.errors import Conflict
from soma.base.tenancy import Principal
from soma.brain.api import Brain
from soma.events.api import BlobAltered, BlobMissing, Event, EventLog, EventMissing, StoredEvent, publish

PAGE = 1000
SETTLE_SECONDS = 10.0
"""The relay is at most so far behind, unless something is wrong with it."""
POLL_SECONDS = 0.1


@dataclass(frozen=True, kw_only=True, slots=True)
class _Told:
    """A turn as the log has it; `recorded` is None where there is nothing to run, or where not everything
    that it takes is there: then `missing` or `altered` says what."""

    log: TurnLog
    recorded: RecordedTurn | None
    missing: tuple[str, ...] = ()
    altered: tuple[Divergence, ...] = ()


class Replayer:
    """Replays turns of `log`. Nothing is changed by it; that somebody did it is recorded."""

    def __init__(
        self,
        *,
        database: DatabaseThreads,
        log: EventLog,
        brain: Brain,
        models: Models,
        gate: Gate,
        settle_seconds: float = SETTLE_SECONDS,
    ) -> None:
        """The log is waited for `settle_seconds` to have a turn's end."""
        self._database = database
        self._settle_seconds = settle_seconds
        self._log = log
        self._brain = brain
        self._models = models
        self._gate = gate

    async def replay(self, principal: Principal, turn_id: UUID, mode: ReplayMode) -> ReplayReport:
        """Replay a turn that is over. Raises NotFound, Denied, Conflict while it runs, EventLogUnavailable,
        and NotReexecutable where no model of this machine gives the same bytes."""
        row = await self._database.run(self._ended, principal, turn_id)
        told = await self._told(row)
        if mode is ReplayMode.VERIFY:
            report = await self._verify(row, told)
        else:
            report = await self._reexecute(row, told)
        await self._database.run(_record, principal, report)
        return report

    async def _verify(self, row: TurnRow, told: _Told) -> ReplayReport:
        run = None
        if told.recorded is not None:
            run = await rerun(told.recorded, RecordedModel, between="the record and the loop", frames=True)
        return await self._database.run(self._held, row, told, run)

    async def _reexecute(self, row: TurnRow, told: _Told) -> ReplayReport:
        divergences, notes = list(told.altered), list[str]()
        if told.recorded is not None:
            self._require_models(told.recorded)
            run = await rerun(told.recorded, self._again, between="the model", frames=False)
            divergences += run.divergences
            if not run.divergences:
                divergences += held_against_end(told.log, run.progress)
            notes = [
                f"the output of iteration {was.number + 1} was cut off by chance; it is the recorded one"
                for was in told.recorded.iterations
                if cut_off(was)
            ]
        return _report(row, ReplayMode.REEXECUTE, told, divergences, {}, tuple(notes))

    def _again(self, recorded: RecordedTurn, progress: Progress) -> ModelPort:
        model = self._models.reproducible(recorded.iterations[-1].model)
        assert model is not None  # noqa: S101 - narrows the type; _require_models has looked
        return ReexecutedModel(model, recorded, progress)

    def _require_models(self, recorded: RecordedTurn) -> None:
        names = {was.model for was in recorded.iterations}
        unknown = sorted(name for name in names if self._models.reproducible(name) is None)
        if unknown or len(names) > 1:
            raise NotReexecutable(
                f"the turn was answered by {', '.join(unknown or sorted(names))}, which this machine does "
                "not run; the turn can be verified",
                models=sorted(names),
            )

    def _held(self, row: TurnRow, told: _Told, run: Rerun | None) -> ReplayReport:
        divergences = list(told.altered)
        with tenant_transaction(row.tenant_id):
            try:
                stored = stored_turn(row, self._brain)
            except BlobMissing as gone:
                missing = (*told.missing, f"rows: {gone.detail}")
                return _report(row, ReplayMode.VERIFY, _without(told, missing), divergences, {}, ())
        known = not told.missing and not told.altered
        if told.recorded is not None and run is not None:
            divergences += held_against_events(told.log, told.recorded)
            divergences += run.divergences
            if not run.divergences:
                divergences += held_against_end(told.log, run.progress)
        if known:
            divergences += held_against_rows(told.log, told.recorded, stored)
        return _report(row, ReplayMode.VERIFY, told, divergences, _hashes(told, run, stored), ())

    async def _told(self, row: TurnRow) -> _Told:
        log = await self._settled(row)
        gaps = log.gaps()
        if gaps:
            return _Told(log=log, recorded=None, missing=tuple(gaps))
        return await self._database.run(_recorded, row, log)

    async def _settled(self, row: TurnRow) -> TurnLog:
        """The turn's log, once the relay has come to its end."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self._settle_seconds
        while True:
            log = await self._database.run(self._folded, row)
            if log.ended is not None or loop.time() > deadline:
                return log
            await asyncio.sleep(POLL_SECONDS)

    def _folded(self, row: TurnRow) -> TurnLog:
        """What the log has of the turn; read outside a transaction, since it may be a server."""
        events: list[StoredEvent] = []
        try:
            while True:
                after = events[-1].sequence if events else 0
                page = self._log.read(row.tenant_id, key=str(row.id), after=after, limit=PAGE)
                events += page
                if len(page) < PAGE:
                    return fold(events)
        except EventMissing as lost:
            return fold(events, lost=lost.detail)

    def _ended(self, principal: Principal, turn_id: UUID) -> TurnRow:
        with tenant_transaction(principal.tenant_id):
            row = readable(principal, turn_id, self._gate, action="trace:read")
        if row.status == TurnStatus.RUNNING:
            raise Conflict("the turn is still running; replay it once it has ended")
        return row


def _recorded(row: TurnRow, log: TurnLog) -> _Told:
    """What the log's records say, as far as they are there."""
    if unrecorded := [each for each in log.iterations if "record_hash" not in each.payload]:
        missing = f"{len(unrecorded)} iterations are from before there were records"
        return _Told(log=log, recorded=None, missing=(missing,))
    with tenant_transaction(row.tenant_id):
        try:
            return _Told(log=log, recorded=recorded_turn(log))
        except BlobAltered as error:
            return _Told(log=log, recorded=None, altered=(_altered(log, error),))
        except BlobMissing as gone:
            return _Told(log=log, recorded=None, missing=(gone.detail,))


def _altered(log: TurnLog, error: BlobAltered) -> Divergence:
    """At the iteration whose record it is; what several iterations share is of the first."""
    names = [each.payload["record_hash"] for each in log.iterations]
    number = names.index(error.sha256) if error.sha256 in names else 0
    return Divergence(
        place=place(number, "record"),
        between="a content and its hash",
        expected={"sha256": error.sha256},
        found={"sha256": "another"},
    )


def _without(told: _Told, missing: tuple[str, ...]) -> _Told:
    return _Told(log=told.log, recorded=told.recorded, missing=missing, altered=told.altered)


def _hashes(told: _Told, run: Rerun | None, stored: StoredTurn) -> dict[str, Hashes]:
    """Empty where nothing could be rebuilt."""
    if told.missing or told.altered:
        return {}
    if run is None:
        return hashes([], None, stored)
    completed = told.log.ended is not None and told.log.ended.type == COMPLETED
    progress = run.progress
    best = best_iteration(progress.iterations, refine=progress.capsule.loop.refine)
    return hashes(progress.iterations, answer_text(progress, best) if completed else None, stored)


def _report(
    row: TurnRow,
    mode: ReplayMode,
    told: _Told,
    divergences: list[Divergence],
    found: dict[str, Hashes],
    notes: tuple[str, ...],
) -> ReplayReport:
    return ReplayReport(
        turn_id=row.id,
        mode=mode,
        status=row.status,
        iterations=len(told.log.iterations),
        attempts=row.attempt,
        log=told.log.to_dict(),
        hashes=found,
        divergences=tuple(divergences),
        missing=told.missing,
        notes=notes,
    )


def _record(principal: Principal, report: ReplayReport) -> None:
    first = report.first
    with tenant_transaction(principal.tenant_id):
        publish(
            Event(
                tenant_id=principal.tenant_id,
                type="chat.turn_replayed",
                key=str(principal.session_id),
                trace_id=principal.trace_id,
                payload={
                    "turn_id": str(report.turn_id),
                    "user_id": str(principal.user_id),
                    "mode": report.mode.value,
                    "verdict": report.verdict.value,
                    "diverged_at": None if first is None else str(first.place),
                },
            )
        )
