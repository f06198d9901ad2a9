"""One server in one directory: started, watched and stopped the same way whatever its kind."""

import fcntl
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

from soma.base.canonical import sha256_hex
from soma.base.errors import Unavailable
from soma.project.stack.cache import Progress
from soma.project.stack.kind import Kind, Program
from soma.project.stack.place import Place, Ports, place_of
from soma.project.stack.ports import is_free
from soma.project.stack.process import Launch, Process, spawn
from soma.project.stack.record import Record, read_record, remove_record, write_record
from soma.project.stack.tool import printed, tail

POLL_SECONDS = 0.05
JOIN_SECONDS = 15.0
ATTEMPTS = 3
"""A free port may be taken before the server has it."""
LOG_BYTES = 64 * 1024 * 1024
TAKEN = "address already in use"


class Server:
    """A server of `kind` in `directory`.

    Several processes may hold one: whichever starts it first does, the others join it. Without a `port`
    it keeps the one it had, or takes a free one.
    """

    def __init__(
        self, kind: Kind, directory: Path, *, port: int | None = None, preferred: int | None = None
    ) -> None:
        self.kind = kind
        self.directory = directory.resolve()
        self._ports = Ports(fixed=port, preferred=preferred)
        self._last: Record | None = None

    @property
    def name(self) -> str:
        """The name of its kind."""
        return self.kind.name

    @property
    def log(self) -> Path:
        """What it prints."""
        return self.directory / "log"

    @property
    def record(self) -> Record | None:
        """What is known of its last start, unless it was stopped since. Raises Unavailable."""
        return read_record(self.directory)

    @property
    def running(self) -> bool:
        """Whether its process runs."""
        record = self.record
        return record is not None and record.process.running

    @property
    def place(self) -> Place:
        """Where it lives. Raises Unavailable before its first start."""
        record = self.record or self._last
        if record is None:
            raise Unavailable(f"{self.name} has not been started in {self.directory}")
        return place_of(self.directory, record)

    @property
    def address(self) -> str:
        """How clients reach it."""
        return self.kind.address(self.place)

    @property
    def environment(self) -> dict[str, str]:
        """The variables that point the application at it."""
        return self.kind.environment(self.place)

    def start(self, progress: Progress = lambda _: None) -> None:
        """Start it and wait until it answers; a healthy one that runs as it should is left alone.

        Raises Unavailable with the reason and the end of its log.
        """
        program = self.kind.program(progress)
        with self._alone():
            record = self.record
            if record is not None and record.process.running:
                if self._plan(self.place, program) == record.plan and self._answers():
                    self._last = record
                    return
                progress(f"{self.name} runs, but not as it should: starting it again")
                self._end(record.process)
            progress(f"starting {self.name}")
            self._start(program)

    def stop(self) -> bool:
        """Stop it, cleanly if it can; whether it was running."""
        with self._alone():
            record = self.record
            if record is None:
                return False
            was_running = record.process.running
            self._end(record.process)
            self._last = record
            remove_record(self.directory)
            return was_running

    def kill(self) -> None:
        """End it at once, as a power cut would."""
        record = self.record
        if record is not None:
            record.process.kill()

    def health(self) -> None:
        """Ask it whether it can work. Raises Unavailable when it does not say so."""
        if not self.running:
            raise Unavailable(f"{self.name} does not run")
        self.kind.check(self.address)

    def _start(self, program: Program) -> None:
        offset = self.log.stat().st_size if self.log.exists() else 0
        for attempt in range(1, ATTEMPTS + 1):
            place = self._ports.place(self.directory, self.record or self._last, anew=attempt > 1)
            try:
                self._start_at(place, program)
            except Unavailable:
                taken = not is_free(place.port) or TAKEN in printed(self.log, after=offset).lower()
                if not taken or attempt == ATTEMPTS:
                    raise
            else:
                return

    def _start_at(self, place: Place, program: Program) -> None:
        place.data.mkdir(parents=True, exist_ok=True)
        self.kind.prepare(place, program)
        self._turn_log()
        offset = self.log.stat().st_size if self.log.exists() else 0
        process: Process | None = None
        try:
            process = self._spawn(self.kind.launch(place, program))
            self._last = self._remember(process, place, program)
            self._wait_until_healthy(process, place, offset)
            self.kind.settle(place, program)
        except BaseException:
            # Interrupted too: nothing half-started stays behind.
            if process is not None:
                self._end(process)
            remove_record(self.directory)
            raise

    def _turn_log(self) -> None:
        """Begin a new log where the old one is long; one old one is kept."""
        if self.log.exists() and self.log.stat().st_size > LOG_BYTES:
            self.log.replace(self.log.with_name("log.1"))

    def _spawn(self, launch: Launch) -> Process:
        try:
            return spawn(launch, self.log)
        except OSError as error:
            raise Unavailable(f"{self.name} cannot be started: {error}") from error

    def _remember(self, process: Process, place: Place, program: Program) -> Record:
        record = Record(
            pid=process.pid,
            started=process.started,
            port=place.port,
            inner_port=place.inner_port,
            version=program.version,
            how=program.how,
            plan=self._plan(place, program),
        )
        write_record(self.directory, record)
        return record

    def _wait_until_healthy(self, process: Process, place: Place, offset: int) -> None:
        deadline = time.monotonic() + self.kind.start_seconds
        address = self.kind.address(place)
        while True:
            try:
                self.kind.check(address)
                reason = ""
            except Unavailable as error:
                reason = error.detail
            # Asked after the answer: on a taken port somebody else would have given it.
            if not process.running:
                raise Unavailable(f"{self.name} ended while starting: {tail(self.log, after=offset)}")
            if not reason:
                return
            if time.monotonic() >= deadline:
                raise Unavailable(
                    f"{self.name} did not answer in {self.kind.start_seconds:g} s ({reason}): "
                    f"{tail(self.log, after=offset)}"
                )
            time.sleep(POLL_SECONDS)

    def _plan(self, place: Place, program: Program) -> str:
        """A digest of how it is started, so that a change of version or settings is noticed."""
        launch: Mapping[str, object] = asdict(self.kind.launch(place, program))
        return sha256_hex(repr(sorted(launch.items())).encode())

    def _answers(self) -> bool:
        """Whether it does within a while: a busy one is not to be ended under those who use it."""
        deadline = time.monotonic() + JOIN_SECONDS
        while self.running and time.monotonic() < deadline:
            try:
                self.health()
            except Unavailable:
                time.sleep(POLL_SECONDS)
            else:
                return True
        return False

    def _end(self, process: Process) -> None:
        process.end(by=self.kind.stop_signal, seconds=self.kind.stop_seconds)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """One process at a time starts or stops the server of a directory."""
        self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        with open(self.directory / "lock", "a+b") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
