"""Processor time: of this process by what its threads do, and of a PostgreSQL server."""

import threading
import time
from collections.abc import Mapping
from contextlib import suppress

import psutil

PARTS = {
    "MainThread": "event_loop",
    "soma-db": "database_threads",
    "soma-relay": "relay",
    "soma-brain.consolidation": "consolidation",
}
"""Beginnings of thread names, and what is reported of them. Other threads are `other`."""

OURS_IN_BACKGROUND = ("relay", "consolidation")


def client_ms() -> Mapping[str, float]:
    """What this process has used so far, by part, and in `total`."""
    spent = dict.fromkeys([*PARTS.values(), "other"], 0.0)
    for thread in threading.enumerate():
        if thread.ident is not None:
            clock = time.pthread_getcpuclockid(thread.ident)
            spent[_part(thread.name)] += time.clock_gettime(clock) * 1000
    total = time.process_time() * 1000
    spent["other"] += total - sum(spent.values())
    return {**spent, "total": total}


def server_ms(postmaster: psutil.Process) -> float:
    """What the server has used so far: its processes, and those of its children that have ended."""
    times = postmaster.cpu_times()
    spent = times.user + times.system + times.children_user + times.children_system
    for process in postmaster.children(recursive=True):
        with suppress(psutil.NoSuchProcess):
            times = process.cpu_times()
            spent += times.user + times.system
    return float(spent * 1000)


def _part(thread: str) -> str:
    return next((part for start, part in PARTS.items() if thread.startswith(start)), "other")
