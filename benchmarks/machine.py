"""Where the figures come from: without this they say nothing."""

import os
import platform

import psutil

from benchmarks.lines import emit
from benchmarks.server import Server


def describe(server: Server | None = None) -> None:
    """Print the machine and the server's settings. The load average tells whether others were at work."""
    of_server = {"disk_sync_ms": round(server.sync_ms(), 3), "postgres": server.settings()} if server else {}
    emit(
        "machine",
        cores=os.cpu_count(),
        processor=_processor(),
        memory_gib=round(psutil.virtual_memory().total / (1 << 30), 1),
        python=platform.python_version(),
        load_average_1m=round(os.getloadavg()[0], 2),
        **of_server,
    )


def _processor() -> str:
    try:
        with open("/proc/cpuinfo") as lines:
            names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    except OSError:
        return platform.processor()
    return names[0] if names else platform.processor()
