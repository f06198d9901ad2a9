"""A server's process: known again by its start, ended politely, then not."""

import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from soma.project.stack.process import Launch, Process, has_ended, spawn, this_process
from tests.events.waiting import wait_until

pytestmark = pytest.mark.req("STACK-001")

Script = Callable[[str], Process]
OBEDIENT = "import signal, sys; signal.signal(signal.SIGTERM, lambda *_: sys.exit())"
STUBBORN = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)"
WAIT = "print('ready', flush=True); signal.pause()"


@pytest.fixture
def script(tmp_path: Path) -> Iterator[Script]:
    """Runs Python as a server's process, once it has printed `ready`."""
    started: list[Process] = []

    def run(text: str) -> Process:
        log = tmp_path / "log"
        command = (sys.executable, "-c", textwrap.dedent(text))
        process = spawn(Launch(command=command, directory=tmp_path), log)
        started.append(process)
        wait_until(lambda: "ready" in log.read_text())
        return process

    yield run
    for process in started:
        process.kill()


def test_it_ends_by_itself_when_asked(script: Script) -> None:
    process = script(f"{OBEDIENT}\n{WAIT}")

    assert process.end(by=signal.SIGTERM, seconds=10)

    assert not process.running
    assert has_ended(process.pid)


def test_it_is_killed_when_it_does_not_end(script: Script) -> None:
    process = script(f"{STUBBORN}\n{WAIT}")

    assert not process.end(by=signal.SIGTERM, seconds=0.1)

    assert not process.running


def test_its_children_end_with_it(script: Script, tmp_path: Path) -> None:
    process = script(
        f"""
        import os, signal
        child = os.fork()
        if child == 0:
            os.setsid()
            signal.pause()
        open("child", "w").write(str(child))
        {WAIT}
        """
    )
    child = int((tmp_path / "child").read_text())

    process.kill()

    assert has_ended(child)


def test_another_process_of_its_number_is_left_alone(script: Script) -> None:
    process = script(f"{OBEDIENT}\n{WAIT}")
    recycled = Process(pid=process.pid, started=f"{process.started}0")

    assert not recycled.running
    recycled.kill()

    assert process.running


def test_an_exit_code_that_nobody_took_is_no_running_process() -> None:
    child = subprocess.Popen([sys.executable, "-c", ""])
    process = psutil.Process(child.pid)
    wait_until(lambda: process.status() == psutil.STATUS_ZOMBIE)

    assert has_ended(child.pid)
    child.wait()


def test_it_is_in_a_session_of_its_own_and_outlives_who_started_it(tmp_path: Path) -> None:
    starter = textwrap.dedent(
        f"""
        from pathlib import Path
        from soma.project.stack.process import Launch, spawn
        process = spawn(Launch(command=("sleep", "60"), directory=Path({str(tmp_path)!r})), Path("log"))
        print(process.pid, process.started)
        """
    )
    printed = subprocess.run(
        [sys.executable, "-c", starter], cwd=tmp_path, capture_output=True, text=True, check=True
    ).stdout.split()
    process = Process(pid=int(printed[0]), started=printed[1])

    assert process.running
    assert os.getsid(process.pid) == process.pid
    process.kill()


def test_our_secrets_are_not_given_to_it(
    script: Script, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOMAGENT_MODEL_API_KEY", "a secret")

    process = script(f"import signal; {WAIT}")

    assert "SOMAGENT_MODEL_API_KEY" not in psutil.Process(process.pid).environ()


def test_what_it_prints_and_writes_is_its_owners_alone(script: Script, tmp_path: Path) -> None:
    script(f"import signal; open('written', 'w'); {WAIT}")

    assert {(tmp_path / name).stat().st_mode & 0o777 for name in ("log", "written")} == {0o600}


def test_this_process_knows_itself() -> None:
    us = this_process()

    assert us.pid == os.getpid()
    assert us.running
