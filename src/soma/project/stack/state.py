"""`stack.json`: what the stack of a home consists of, for whoever wants to use it.

It holds passwords and keys, so only its owner may read it. It is written from what each server's own record
says and is never read to decide what to stop.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Literal

from soma.base.errors import Unavailable
from soma.project.stack.record import write_private

Origin = Literal["started", "external"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Entry:
    """One server. `environment` points the application at it; `pid`, `started` (the identity of that process)
    and `log` are those of a server that the stack started."""

    name: str
    address: str
    origin: Origin
    environment: dict[str, str] = field(repr=False)
    pid: int | None = None
    started: str | None = None
    log: str | None = None


def stack_directory(home: Path) -> Path:
    """Where the stack of a home keeps everything."""
    return home / "stack"


def write_stack(home: Path, entries: Sequence[Entry]) -> None:
    """Publish the servers."""
    directory = stack_directory(home)
    directory.mkdir(parents=True, exist_ok=True)
    write_private(directory / "stack.json", {"servers": [asdict(entry) for entry in entries]})


def read_stack(home: Path) -> dict[str, Entry]:
    """The servers of a home by name; none where there is no stack. Raises Unavailable."""
    path = stack_directory(home) / "stack.json"
    try:
        entries = [Entry(**each) for each in json.loads(path.read_text())["servers"]]
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise Unavailable(f"{path} cannot be read ({error}); `somagent stack up` writes it anew") from None
    return {entry.name: entry for entry in entries}


def stack_environment(home: Path) -> dict[str, str]:
    """The variables that point the application at every server of the stack. Raises Unavailable."""
    return {name: value for entry in read_stack(home).values() for name, value in entry.environment.items()}
