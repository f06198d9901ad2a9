"""The machine's tools: what lacks or fails is said in one line."""

import sys
from pathlib import Path

import pytest

from soma.base.errors import Unavailable
from soma.project.stack import tool
from soma.project.stack.build_go import build_go
from soma.project.stack.build_maven import resolve_jars
from soma.project.stack.servers import KINDS
from soma.project.stack.tool import find_tool, read_tool, run_tool, tail

pytestmark = pytest.mark.req("STACK-001")


def script(text: str) -> list[str]:
    """A command that runs Python."""
    return [sys.executable, "-c", text]


def test_a_missing_tool_is_named_with_who_needs_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(Unavailable, match="Kafka needs `java`, which is not on this machine's PATH"):
        find_tool("java", needed_for="Kafka")


@pytest.mark.parametrize("name", ["opa", "spicedb", "temporal", "kafka"])
def test_without_its_tools_a_server_is_not_to_be_had(
    name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert not KINDS[name]().cached()

    with pytest.raises(Unavailable, match=r"needs `(go|java)`, which is not on this machine's PATH"):
        KINDS[name]().program(lambda _: None)


def test_a_failing_tool_shows_the_end_of_what_it_printed(tmp_path: Path) -> None:
    fails = script("print('first'); print('the reason'); raise SystemExit(3)")
    with pytest.raises(Unavailable, match=r"building x failed: first \| the reason"):
        run_tool(fails, what="building x", log=tmp_path / "log", progress=lambda _: None)
    with pytest.raises(Unavailable, match=r"asking failed: first \| the reason"):
        read_tool(fails, what="asking")


def test_a_tool_that_takes_long_reports(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tool, "REPORT_SECONDS", 0.1)
    said: list[str] = []
    slow = script("import time; time.sleep(0.5)")

    run_tool(slow, what="building x", log=tmp_path / "log", progress=said.append)

    assert said and all(line.startswith("building x, ") for line in said)


def test_an_interrupted_tool_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tool, "REPORT_SECONDS", 0.0)

    def interrupt(_: str) -> None:
        raise KeyboardInterrupt

    long = script(f"import time; time.sleep(60); open({str(tmp_path / 'ended')!r}, 'w')")
    with pytest.raises(KeyboardInterrupt):
        run_tool(long, what="building x", log=tmp_path / "log", progress=interrupt)


def test_a_build_that_fails_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    with pytest.raises(Unavailable, match=r"building opa failed: .*no/such/package"):
        build_go("opa", module="", package="example.invalid/no/such/package", progress=lambda _: None)


def test_jars_are_not_fetched_twice(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    if not KINDS["kafka"]().cached():
        pytest.skip("Kafka's jars are not in the cache yet")
    here = resolve_jars("kafka", pom="kafka/pom.xml", progress=lambda _: None)
    monkeypatch.setenv("PATH", str(tmp_path))

    assert resolve_jars("kafka", pom="kafka/pom.xml", progress=lambda _: None) == here
    assert list(here.glob("kafka_2.13-*.jar"))


def test_the_end_of_a_log_is_short_and_only_of_this_start(tmp_path: Path) -> None:
    log = tmp_path / "log"
    assert tail(log) == "it printed nothing"
    log.write_text("old\n")
    old = log.stat().st_size
    assert tail(log, after=old) == "it printed nothing"
    log.write_text("old\n" + "\n".join(f"line {number} {'x' * 1000}" for number in range(50)))

    said = tail(log, after=old)

    assert "old" not in said and "line 49" in said
    assert len(said) < 3000
