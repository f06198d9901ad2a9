"""What can be a message."""

import pytest

from soma.agent.domain.message import MAXIMUM_MESSAGE_BYTES, checked_text
from soma.base.errors import InvalidInput, LimitExceeded


@pytest.mark.req("CHAT-001")
@pytest.mark.parametrize("text", ["", " \n\t", "a\x00b", "a\ud800"])
def test_what_is_no_text_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput):
        checked_text(text)


@pytest.mark.req("CHAT-001")
def test_the_limit_is_in_bytes_and_is_named() -> None:
    assert checked_text("é" * (MAXIMUM_MESSAGE_BYTES // 2))

    with pytest.raises(LimitExceeded, match="32770 bytes; the limit is 32768 bytes"):
        checked_text("é" * (MAXIMUM_MESSAGE_BYTES // 2 + 1))
