"""What is remembered of a server between two commands, in a private file of its directory."""

import json
import os
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from soma.base.errors import Unavailable
from soma.project.stack.process import Process

NAME = "server.json"


@dataclass(frozen=True, kw_only=True, slots=True)
class Record:
    """A server that was started and not stopped. `plan` is the digest of how it was started."""

    pid: int
    started: str
    port: int
    inner_port: int
    version: str
    how: str
    plan: str

    @property
    def process(self) -> Process:
        """The process, which may have ended."""
        return Process(pid=self.pid, started=self.started)


def read_record(directory: Path) -> Record | None:
    """The record of the server in `directory`. Raises Unavailable when it cannot be understood: whether a
    process of ours runs is then not known, so none is started over it."""
    path = directory / NAME
    try:
        return Record(**json.loads(path.read_text()))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError) as error:
        raise Unavailable(f"{path} cannot be read ({error}); stop what runs there and remove it") from None


def write_record(directory: Path, record: Record) -> None:
    """Keep `record`."""
    write_private(directory / NAME, asdict(record))


def remove_record(directory: Path) -> None:
    """Forget the server in `directory`."""
    (directory / NAME).unlink(missing_ok=True)


def write_private(path: Path, content: Any) -> None:
    """Write JSON that only its owner may read: whole or not at all."""
    descriptor, draft = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(descriptor, "w") as stream:
            json.dump(content, stream, indent=2)
            stream.write("\n")
        Path(draft).replace(path)
    except BaseException:
        Path(draft).unlink(missing_ok=True)
        raise
