"""`somagent chat`: a conversation in the terminal."""

import signal

import pytest

from tests.interfaces.cli.installation import Installation

pytestmark = [pytest.mark.req("CLI-001"), pytest.mark.req("CHAT-002")]


@pytest.mark.usefixtures("asked")
def test_chat_answers_stops_and_goes_on(installation: Installation) -> None:
    chat = installation.start("chat")
    chat.until(lambda text: "/quit leaves" in text)
    begun = len(chat.text)
    chat.write("Tell me a very long story about a lighthouse keeper, as long as you can.")
    chat.until(lambda text: len(text) > begun + 20)
    chat.process.send_signal(signal.SIGINT)
    chat.until(lambda text: "cancelled" in text)
    chat.write("/new")
    chat.write("Say hello.")
    chat.until(lambda text: text.count(" iteration") > 2)
    chat.write("/quit")
    assert chat.end() == 0
    assert "Traceback" not in chat.text
    assert "\x1b" not in chat.text


@pytest.mark.usefixtures("asked")
def test_end_of_input_and_ctrl_c_at_the_prompt_leave(installation: Installation) -> None:
    assert installation.run("chat", stdin="").returncode == 0
    chat = installation.start("chat")
    chat.until(lambda text: "/quit leaves" in text)
    chat.process.send_signal(signal.SIGINT)
    assert chat.end() == 0
