"""All the servers of one home: brought up in the order of their needs, taken down in the reverse."""

import fcntl
from collections.abc import Collection, Iterator
from contextlib import contextmanager

from soma.base.configuration import Configuration
from soma.base.errors import Unavailable
from soma.project.stack.cache import Progress
from soma.project.stack.member import Member
from soma.project.stack.report import Report, report_on, without_password
from soma.project.stack.servers import KINDS
from soma.project.stack.state import stack_directory, write_stack


class Stack:
    """The servers of `configuration.home`. One whose address the configuration names is used there: it is
    asked for its health, and never started or stopped."""

    def __init__(self, configuration: Configuration) -> None:
        self._configuration = configuration

    def up(self, names: Collection[str], progress: Progress) -> Iterator[Report]:
        """Start the servers `names` and what they need; a report of each as soon as it stands or does not."""
        served: set[str] = set()
        with self._alone(progress):
            for name in self._with_needs(names):
                report = self._up(name, served, progress)
                served |= {name} if report.serves else set()
                self._publish()
                yield report

    def down(self, names: Collection[str], progress: Progress) -> Iterator[Report]:
        """Stop those of the servers `names` that we started, the last first."""
        with self._alone(progress):
            for name in reversed(KINDS):
                if name in names:
                    yield self._down(self.member(name), progress)
                    self._publish()

    def status(self, names: Collection[str]) -> Iterator[Report]:
        """How each of `names` stands, asked now."""
        return (report_on(self.member(name)) for name in KINDS if name in names)

    def fetch(self, names: Collection[str], progress: Progress) -> Iterator[Report]:
        """Build or fetch the programs of the servers `names`, and start none."""
        for name in self._with_needs(names):
            member = self.member(name)
            if member.external:
                yield Report(name=name, state="external", address=without_password(member.external))
                continue
            try:
                program = KINDS[name]().program(progress)
            except Unavailable as error:
                yield Report(name=name, state="not to be had", reason=error.detail)
            else:
                yield Report(name=name, state="fetched", version=program.version, how=program.how)

    def member(self, name: str) -> Member:
        """The server `name` of this stack."""
        return Member(name=name, configuration=self._configuration)

    def _with_needs(self, names: Collection[str]) -> list[str]:
        """`names` and what those of them that are ours need, each after what it needs."""
        wanted = set(names)
        for name in reversed(KINDS):
            if name in wanted and not self.member(name).external:
                wanted.update(KINDS[name].needs)
        return [name for name in KINDS if name in wanted]

    def _up(self, name: str, served: Collection[str], progress: Progress) -> Report:
        member = self.member(name)
        lacking = [need for need in KINDS[name].needs if need not in served]
        if not member.external:
            if lacking:
                reason = f"it needs {' and '.join(lacking)}, which does not serve"
                return Report(name=name, state="failed", reason=reason)
            try:
                member.startable.start(progress)
            except Unavailable as error:
                log = str(member.server.log) if member.server.log.exists() else ""
                return Report(name=name, state="failed", reason=error.detail, log=log)
        return report_on(member)

    def _down(self, member: Member, progress: Progress) -> Report:
        try:
            if member.server.record is None and member.external:
                address = without_password(member.external)
                return Report(name=member.name, state="external", address=address, how="left as it is")
            if member.server.record is not None:
                progress(f"stopping {member.name}")
            # One that we started before another was named by address is still ours.
            stopped = member.server.stop()
        except Unavailable as error:
            return Report(name=member.name, state="failed", reason=error.detail)
        return Report(name=member.name, state="stopped" if stopped else "not running")

    def _publish(self) -> None:
        entries = []
        for name in KINDS:
            try:
                entry = self.member(name).entry
            except Unavailable:
                # Its own report says what is wrong with its record.
                continue
            entries += [entry] if entry is not None else []
        write_stack(self._configuration.home, entries)

    @contextmanager
    def _alone(self, progress: Progress) -> Iterator[None]:
        """One command at a time changes the stack of a home."""
        directory = stack_directory(self._configuration.home)
        directory.mkdir(parents=True, exist_ok=True)
        with open(directory / "lock", "a+b") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                progress("waiting for another `somagent stack` of this home")
                fcntl.flock(lock, fcntl.LOCK_EX)
            yield
