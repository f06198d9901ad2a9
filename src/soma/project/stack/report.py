"""How one server of the stack stands, and how that is found out."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlsplit, urlunsplit

from soma.base.errors import Unavailable
from soma.project.stack.member import Member
from soma.project.stack.record import Record
from soma.project.stack.server import Server
from soma.project.stack.servers import KINDS


@dataclass(frozen=True, kw_only=True, slots=True)
class Report:
    """`state` in a word or two; `reason` where it does not serve, `latency_ms` of its answer where it does.

    The address is shown without its password.
    """

    name: str
    state: str
    address: str = ""
    version: str = ""
    how: str = ""
    latency_ms: float | None = None
    log: str = ""
    reason: str = ""

    @property
    def serves(self) -> bool:
        """Whether it can be used now."""
        return self.latency_ms is not None


def report_on(member: Member) -> Report:
    """How `member` stands, asked now."""
    return _external(member) if member.external else _own(member.name, member.server)


def without_password(address: str) -> str:
    """`address` as it may be shown."""
    parts = urlsplit(address)
    if parts.password is None:
        return address
    host = parts.netloc.rpartition("@")[2]
    return urlunsplit(parts._replace(netloc=f"{parts.username}@{host}" if parts.username else host))


def _external(member: Member) -> Report:
    address, kind = without_password(member.external), KINDS[member.name]()
    try:
        latency_ms = _latency_ms(lambda: kind.check(member.external))
    except Unavailable as error:
        return Report(
            name=member.name, state="not answering", address=address, how="external", reason=error.detail
        )
    return Report(name=member.name, state="external", address=address, how="external", latency_ms=latency_ms)


def _own(name: str, server: Server) -> Report:
    try:
        record = server.record
    except Unavailable as error:
        return Report(name=name, state="unknown", reason=error.detail)
    if record is None:
        return Report(name=name, state="not running")
    if not record.process.running:
        reason = "its process is gone; `somagent stack up` starts it again"
        return _recorded(server, record, state="crashed", reason=reason)
    try:
        latency_ms = _latency_ms(server.health)
    except Unavailable as error:
        return _recorded(server, record, state="not answering", reason=error.detail)
    return _recorded(server, record, state="running", latency_ms=latency_ms)


def _recorded(
    server: Server, record: Record, *, state: str, reason: str = "", latency_ms: float | None = None
) -> Report:
    return Report(
        name=server.name,
        state=state,
        address=without_password(server.address),
        version=record.version,
        how=record.how,
        latency_ms=latency_ms,
        log=str(server.log),
        reason=reason,
    )


def _latency_ms(ask: Callable[[], None]) -> float:
    """How long the second answer takes: the first loads a client."""
    ask()
    started = time.perf_counter()
    ask()
    return (time.perf_counter() - started) * 1000
