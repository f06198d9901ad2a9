"""Taking from a process what reading a document does not need."""

import ctypes
import resource
import sys
from contextlib import suppress

from soma.brain.adapters.reading.limits import MAX_ANSWER_BYTES

CLONE_NEWUSER, CLONE_NEWNET = 0x10000000, 0x40000000


def limit(*, cpu_seconds: int, memory_bytes: int) -> None:
    """Bound this process: past its time the system ends it, past its memory nothing more is given."""
    _bound(resource.RLIMIT_CPU, cpu_seconds)
    _bound(resource.RLIMIT_FSIZE, MAX_ANSWER_BYTES)
    _bound(resource.RLIMIT_CORE, 0)
    # macOS knows the name and refuses the limit; there, time and the size of the answer have to do.
    with suppress(ValueError, OSError):
        _bound(resource.RLIMIT_AS, memory_bytes)


def cut_off() -> None:
    """Open nothing from now on, no file and no socket; where the system allows it, without any network."""
    if sys.platform == "linux":
        # Refused in many containers. Without it the limit on descriptors stands alone.
        ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWUSER | CLONE_NEWNET)
    _bound(resource.RLIMIT_NOFILE, 0)


def _bound(kind: int, value: int) -> None:
    _, hard = resource.getrlimit(kind)
    allowed = value if hard == resource.RLIM_INFINITY else min(value, hard)
    resource.setrlimit(kind, (allowed, allowed))
