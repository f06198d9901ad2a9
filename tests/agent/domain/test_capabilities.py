"""What a message asks of a model."""

import pytest

from soma.agent.domain.capabilities import required_capabilities


@pytest.mark.req("CTX-002")
@pytest.mark.parametrize(
    ("message", "capabilities"),
    [
        ("Hello there.", ("text",)),
        ("Fix this:\n```\ndef f(): pass\n```", ("text", "code")),
        ("What is on photo.JPG?", ("text", "vision")),
        ("Transcribe talk.mp3", ("text", "audio")),
        ("Sum up report.pdf", ("text", "document")),
        ("word " * 2000, ("text", "long_context")),
    ],
)
def test_capabilities(message: str, capabilities: tuple[str, ...]) -> None:
    assert required_capabilities(message) == capabilities
