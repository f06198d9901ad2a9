"""`somagent chat`: a conversation in the terminal."""

import re
import signal

import pytest

from tests.interfaces.cli.installation import Installation

pytestmark = [pytest.mark.req("CLI-001"), pytest.mark.req("CHAT-002")]
BEGUN = "/quit leaves"
COMPLETED = re.compile(r"\d iterations? · .*(converged|llm_completed|max_iterations) · ")


@pytest.mark.usefixtures("asked")
def test_chat_answers_stops_and_goes_on(installation: Installation) -> None:
    with installation.start("chat") as chat:
        begun = len(chat.until(lambda text: BEGUN in text))
        chat.write("Tell me a very long story about a lighthouse keeper, as long as you can.")
        chat.until(lambda text: len(text) > begun + 100)
        chat.process.send_signal(signal.SIGINT)
        chat.until(lambda text: "cancelled" in text)
        chat.write("/new")
        chat.write("Say hello.")
        chat.until(lambda text: COMPLETED.search(text) is not None)
        chat.write("/quit")
        assert chat.end() == 0
    assert "Traceback" not in chat.text
    assert "\x1b" not in chat.text


@pytest.mark.usefixtures("asked")
def test_end_of_input_leaves(installation: Installation) -> None:
    assert installation.run("chat", stdin="").returncode == 0


@pytest.mark.usefixtures("asked")
def test_ctrl_c_at_the_prompt_leaves(installation: Installation) -> None:
    with installation.start("chat") as chat:
        chat.until(lambda text: BEGUN in text)
        chat.process.send_signal(signal.SIGINT)
        assert chat.end() == 0
