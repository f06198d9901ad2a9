"""What was built or fetched for the servers, kept outside the checkout: made once, whole or not at all."""

import fcntl
import hashlib
import os
import platform
import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

Progress = Callable[[str], None]
"""Is told, in a few words, what is done now."""


def cache_directory() -> Path:
    """Where it is: `$XDG_CACHE_HOME/somastack`, or `~/.cache/somastack`."""
    base = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(base).expanduser().resolve() / "somastack"


def digest(*parts: bytes | str) -> str:
    """A short name for what is made from exactly these parts on this kind of machine."""
    machine = (sys.platform, platform.machine())
    hashed = hashlib.sha256()
    for part in (*machine, *parts):
        raw = part.encode() if isinstance(part, str) else part
        hashed.update(len(raw).to_bytes(8, "big") + raw)
    return hashed.hexdigest()[:20]


def cached(name: str, key: str) -> Path | None:
    """The directory of `name` made for `key`, if there is one."""
    place = cache_directory() / name / key
    return place if place.is_dir() else None


def obtain(name: str, key: str, make: Callable[[Path], None]) -> Path:
    """The directory of `name` for `key`; `make` fills it if it is not there. Only one process makes it:
    the others wait and find it."""
    shelf = cache_directory() / name
    shelf.mkdir(parents=True, exist_ok=True)
    with open(shelf / "lock", "a+b") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        place = shelf / key
        if not place.is_dir():
            draft = Path(tempfile.mkdtemp(prefix=".draft-", dir=shelf))
            try:
                make(draft)
                draft.chmod(0o755)
                draft.rename(place)
            finally:
                shutil.rmtree(draft, ignore_errors=True)
        return place
