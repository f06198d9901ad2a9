"""`somagent ask`: one turn without a server."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.interfaces.cli.installation import Installation

pytestmark = pytest.mark.req("CLI-001")


def test_first_answer_of_a_fresh_home(asked: dict[str, Any]) -> None:
    assert isinstance(asked["answer"], str)
    assert asked["answer"]
    assert asked["status"] == "completed"
    assert asked["iterations"] >= 1
    assert 0 <= asked["confidence"] <= 1
    assert asked["exit_reason"] in {"converged", "max_iterations", "llm_completed"}
    assert asked["seed"] == 7
    assert asked["latency_ms"] > 0
    assert asked["tools_used"] == []
    assert asked["degraded_reasons"] == []
    assert asked["model"]


def test_event_count_is_what_the_log_holds_of_the_turn(asked: dict[str, Any]) -> None:
    # Started, one for each iteration, completed, and the request to remember.
    assert asked["event_count"] == asked["iterations"] + 3


def test_conversation_goes_on(installation: Installation, asked: dict[str, Any]) -> None:
    again = installation.ask("And now goodbye.", "--conversation", asked["conversation_id"])
    assert again["conversation_id"] == asked["conversation_id"]
    assert again["turn_id"] != asked["turn_id"]


@pytest.mark.req("CHAT-004", "REPLAY-002")
@pytest.mark.timeout(300)
def test_without_kafka_the_answer_comes_and_says_that_its_events_wait(
    installation: Installation, asked: dict[str, Any]
) -> None:
    without = replace(installation, settings={"SOMAGENT_KAFKA_SERVERS": "127.0.0.1:9"})
    told = without.ask("Say hello.", "--seed", "7")
    assert (told["status"], told["event_count"]) == ("completed", 0)
    assert any(reason.startswith("events:") for reason in told["degraded_reasons"])
    plain = without.run("ask", "Say hello.", "--seed", "7")
    assert plain.returncode == 0
    assert "degraded: events: they wait in the outbox" in plain.stderr


def test_dash_reads_standard_input_and_a_pipe_gets_the_answer_alone(
    installation: Installation, asked: dict[str, Any]
) -> None:
    ended = installation.run("ask", "-", "--seed", "7", stdin="Say hello.")
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.strip()
    assert "\x1b" not in ended.stdout
    assert "confidence" not in ended.stdout
    assert ended.stderr == ""


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["ask"], "Missing argument 'TEXT'"),
        (["ask", "hello", "--seed", "many"], "not a valid int"),
        (["ask", "hello", "--seed", "4294967296"], "not in the range"),
        (["ask", "hello", "--conversation", "nonsense"], "not the id of a conversation"),
    ],
)
def test_wrong_use_is_2(installation: Installation, arguments: list[str], says: str) -> None:
    ended = installation.run(*arguments)
    assert ended.returncode == 2
    assert says in ended.stderr
    assert ended.stdout == ""


@pytest.mark.usefixtures("asked")
@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["ask", "hello", "--conversation", "0198a5ee-0000-7000-8000-000000000000"], "no such conversation"),
        (["ask", "hello", "--agent", "nobody"], "nobody"),
    ],
)
def test_what_is_not_there_is_2(installation: Installation, arguments: list[str], says: str) -> None:
    ended = installation.run(*arguments)
    assert ended.returncode == 2, ended.stderr
    assert says in ended.stderr
    assert "Traceback" not in ended.stderr
    assert ended.stdout == ""


def test_input_that_is_not_utf8_is_2(installation: Installation) -> None:
    with installation.start("ask", "-") as command:
        assert command.process.stdin is not None
        command.process.stdin.write(b"caf\xe9")
        assert command.end() == 2
        assert "not UTF-8" in command.text


@pytest.mark.usefixtures("asked")
@pytest.mark.req("AUTH-002")
def test_denied_is_3(installation: Installation, tmp_path: Path) -> None:
    """A policy that cannot be read allows nothing."""
    closed = replace(installation, settings={"SOMAGENT_POLICY_DIR": str(tmp_path)})
    ended = closed.run("ask", "--json", "hello")
    assert ended.returncode == 3
    assert "Not allowed" in ended.stderr
    assert ended.stdout == ""


@pytest.mark.usefixtures("asked")
@pytest.mark.parametrize(
    "settings",
    [{"SOMAGENT_LOCAL_MODEL": "/nowhere/model.gguf"}, {"SOMAGENT_PORT": "many"}],
    ids=["no model", "bad variable"],
)
def test_environment_that_is_not_ready_is_4(installation: Installation, settings: dict[str, str]) -> None:
    ended = replace(installation, settings=settings).run("ask", "hello")
    assert ended.returncode == 4, ended.stderr
    assert ended.stderr.startswith("somagent: ")
    assert "Traceback" not in ended.stderr
