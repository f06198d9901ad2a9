"""How the event backbone of an installation is doing, all its processes together."""

from dataclasses import dataclass

from soma.base.errors import Unavailable
from soma.events import dead_letters, outbox
from soma.events.consumer_backlog import ConsumerBacklog
from soma.events.consumer_heartbeats import Heartbeat
from soma.events.consumer_runner import ConsumerRunner
from soma.events.dead_letters import LetterCount
from soma.events.outbox import Backlog


@dataclass(frozen=True, kw_only=True, slots=True)
class ConsumerReport:
    """A consumer, wherever it is at work. `backlog` is None while nobody knows, `heartbeat` where it was
    never heard of."""

    name: str
    backlog: ConsumerBacklog | None
    heartbeat: Heartbeat | None

    @property
    def silent(self) -> bool:
        """Whether nobody seems to be at its work."""
        return self.heartbeat is None or self.heartbeat.silent


@dataclass(frozen=True, kw_only=True, slots=True)
class BackboneStatus:
    """What waits in the outbox, how far each consumer is, what was given up; of all tenants. `log_fault` says
    why the log could not be asked; empty where it could."""

    outbox: Backlog
    consumers: tuple[ConsumerReport, ...]
    dead_letters: tuple[LetterCount, ...]
    log_fault: str


def backbone_status(consumers: ConsumerRunner) -> BackboneStatus:
    """Ask the database and the log. Blocking."""
    backlogs, fault = _backlogs(consumers)
    heartbeats = consumers.heartbeats()
    return BackboneStatus(
        outbox=outbox.backlog(),
        consumers=tuple(
            ConsumerReport(
                name=each.name, backlog=backlogs.get(each.name), heartbeat=heartbeats.get(each.name)
            )
            for each in consumers.status()
        ),
        dead_letters=tuple(dead_letters.counts()),
        log_fault=fault,
    )


def _backlogs(consumers: ConsumerRunner) -> tuple[dict[str, ConsumerBacklog], str]:
    try:
        return {backlog.name: backlog for backlog in consumers.backlogs()}, ""
    except Unavailable as error:
        return {}, error.detail
