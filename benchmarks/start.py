"""How long it takes to begin, and what stands in memory then."""

import re
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import httpx
import orjson
import psutil

from benchmarks.home import postmaster
from benchmarks.lines import emit, tell

QUESTION = "What is 12 * 7?"
SOMAGENT = (sys.executable, "-m", "soma.project.main")
SECONDS = 60.0
MEBIBYTE = 1 << 20


def start(home: Path, environment: Mapping[str, str]) -> None:
    """Measure a cold start in `home`, which is empty, then a warm one in the same. `environment` names it."""
    tell("cold start: ask")
    started = time.perf_counter()
    asked = subprocess.run(
        [*SOMAGENT, "ask", "--json", QUESTION],
        env=environment,
        stdout=subprocess.PIPE,
        check=True,
        timeout=SECONDS,
    )
    seconds = time.perf_counter() - started
    emit(
        "cold_start",
        until="somagent ask is done",
        seconds=round(seconds, 2),
        answer=orjson.loads(asked.stdout)["answer"],
    )
    tell("warm start: up")
    started = time.perf_counter()
    server = subprocess.Popen(
        [*SOMAGENT, "up", "--port", "0"], env=environment, stdout=subprocess.PIPE, text=True
    )
    try:
        address = _address(server)
        _wait_until_ready(address)
        emit("warm_start", until="GET /readyz is 200", seconds=round(time.perf_counter() - started, 2))
        emit("memory", of="an idle server", **_memory(home, server.pid))
    finally:
        server.send_signal(signal.SIGINT)
        try:
            server.wait(SECONDS)
        except subprocess.TimeoutExpired:
            server.kill()


def _address(server: "subprocess.Popen[str]") -> str:
    assert server.stdout is not None  # noqa: S101 - it was opened with a pipe
    for line in server.stdout:
        if found := re.search(r"Open (http://[^/]+)/", line):
            return found[1]
    raise RuntimeError("somagent up ended before it listened")


def _wait_until_ready(address: str) -> None:
    while httpx.get(f"{address}/readyz").status_code != httpx.codes.OK:
        time.sleep(0.02)


def _memory(home: Path, server: int) -> dict[str, float]:
    """Mebibytes. The server's processes share buffers, so what is proportionally theirs is added up."""
    database = postmaster(home)
    if database is None:
        raise RuntimeError("the embedded PostgreSQL does not run")
    processes = [database, *database.children(recursive=True)]
    return {
        "server_rss_mib": round(psutil.Process(server).memory_info().rss / MEBIBYTE, 1),
        "postgres_pss_mib": round(sum(each.memory_full_info().pss for each in processes) / MEBIBYTE, 1),
        "postgres_rss_sum_mib": round(sum(each.memory_info().rss for each in processes) / MEBIBYTE, 1),
        "postgres_processes": len(processes),
    }
