"""The document reader: a process for each document, which may fail without harm.

PDF and HTML come from strangers, and their parsers are written in C. A parser that is overcome is so in a
process that holds one document, can open no file and no socket, and ends when its time or memory are used up.
"""

import signal
import subprocess
import sys
from collections.abc import Callable
from tempfile import TemporaryFile
from time import monotonic
from typing import IO

from soma.brain.adapters.reading.child import Task
from soma.brain.adapters.reading.limits import CPU_SECONDS, MAX_ANSWER_BYTES, MEMORY_BYTES, WALL_SECONDS
from soma.brain.adapters.reading.message import document_of
from soma.brain.domain.documents.chunk import ReadDocument
from soma.brain.domain.documents.source import Source
from soma.brain.domain.documents.unreadable import Reason, Unreadable
from soma.brain.errors import IngestStopped

COMMAND = ("-X", "utf8", "-m", "soma.brain.adapters.reading.child")
LOOK_SECONDS = 0.1
"""How often it is asked whether to stop."""

OUT_OF_TIME = frozenset({signal.SIGXCPU, signal.SIGKILL})


class ProcessDocumentReader:
    """See DocumentReader."""

    def __init__(self, *, cpu_seconds: int = CPU_SECONDS, memory_bytes: int = MEMORY_BYTES) -> None:
        """`cpu_seconds` of computing and `memory_bytes` of address space are what one document may take."""
        self._cpu_seconds = cpu_seconds
        self._memory_bytes = memory_bytes

    def read(self, source: Source, stopped: Callable[[], bool]) -> ReadDocument:
        """See DocumentReader."""
        task = Task(
            path=str(source.path),
            media_type=str(source.media_type),
            charset=source.charset,
            name=source.name,
            title=source.title,
            cpu_seconds=self._cpu_seconds,
            memory_bytes=self._memory_bytes,
        )
        with TemporaryFile() as answer, TemporaryFile() as faults:
            status = self._run(task, answer, faults, stopped)
            if status:
                raise self._failure(status, _end_of(faults))
            answer.seek(0)
            return _document(answer.read(MAX_ANSWER_BYTES))

    def _run(self, task: Task, answer: IO[bytes], faults: IO[bytes], stopped: Callable[[], bool]) -> int:
        """The exit status of the process, negative for a signal."""
        # Given nothing of our environment: it holds addresses and keys.
        environment = {"PYTHONPATH": ":".join(path for path in sys.path if path)}
        command = [sys.executable, *COMMAND, *task.words()]
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=answer, stderr=faults, env=environment, cwd="/"
        )
        try:
            return _wait(process, stopped)
        finally:
            process.kill()
            process.wait()

    def _failure(self, status: int, fault: str) -> Unreadable:
        if status < 0 and -status in OUT_OF_TIME:
            return Unreadable(
                Reason.LIMIT, f"Reading the document takes more than {self._cpu_seconds} s of computing"
            )
        how = signal.Signals(-status).name if status < 0 else fault or f"exit status {status}"
        return Unreadable(
            Reason.DAMAGED,
            f"The document is damaged, or takes more than {self._memory_bytes >> 20:,} MiB to read: "
            f"its reader ended with {how}",
        )


def _wait(process: "subprocess.Popen[bytes]", stopped: Callable[[], bool]) -> int:
    deadline = monotonic() + WALL_SECONDS
    while monotonic() < deadline:
        try:
            return process.wait(LOOK_SECONDS)
        except subprocess.TimeoutExpired:
            if stopped():
                raise IngestStopped("Reading was stopped") from None
    raise Unreadable(Reason.LIMIT, f"Reading the document takes more than {WALL_SECONDS:.0f} s")


def _document(message: bytes) -> ReadDocument:
    try:
        return document_of(message)
    except ValueError as error:
        raise Unreadable(Reason.DAMAGED, f"The document's reader answered nonsense: {error}") from error


def _end_of(faults: IO[bytes]) -> str:
    """The last line that the process wrote about itself."""
    faults.seek(0)
    lines = faults.read(65_536).decode(errors="replace").strip().splitlines()
    return lines[-1][:200] if lines else ""
