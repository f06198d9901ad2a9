"""soma.brain.domain.capsule_sources"""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from soma.base.errors import InvalidInput
from soma.brain.domain.capsule_sources import LONGEST_PASSAGE, blocks_of_file, passages
from tests.brain.capsules import MADE

pytestmark = pytest.mark.req("MEM-005")

MARKDOWN = """# Tools

The kettle is green.

It is in the workshop.

## Outside
The ladder hangs behind the shed.

# House

### Kitchen

There is no kettle.
"""


def lines(*values: Any) -> bytes:
    return "\n".join(json.dumps(value) for value in values).encode()


def test_passages_stand_under_their_headings() -> None:
    assert list(passages(MARKDOWN)) == [
        "Tools\n\nThe kettle is green.\n\nIt is in the workshop.",
        "Tools – Outside\n\nThe ladder hangs behind the shed.",
        "House – Kitchen\n\nThere is no kettle.",
    ]


@given(st.lists(st.text("abc é", min_size=1, max_size=3_000), max_size=6))
def test_no_word_is_lost_and_no_passage_too_long(paragraphs: list[str]) -> None:
    text = "\n\n".join(paragraphs)
    found = list(passages(text))
    assert "".join("".join(found).split()) == "".join(text.split())
    assert all(len(passage) <= LONGEST_PASSAGE + 2 * len(paragraphs) for passage in found)


def test_a_line_says_what_it_likes() -> None:
    given_ = {
        "key": "k", "content": "Zoë's\u2028kettle", "role": "user", "speaker": "Zoë", "importance": 1,
        "occurred_at": "2026-02-01T13:00:00+01:00", "provenance": {"page": 3},
    }  # fmt: skip
    full, short = blocks_of_file("facts.jsonl", lines(given_, {"content": "b"}) + b"\n\n", at=MADE)
    assert (full.key, full.speaker, full.importance, full.provenance) == ("k", "Zoë", 1, {"page": 3})
    assert full.members()["occurred_at"] == "2026-02-01T12:00:00.000000Z"
    assert (short.key, short.role, short.occurred_at) == ("facts.jsonl#2", "document", MADE)


def test_the_same_file_gives_the_same_blocks() -> None:
    twice = [blocks_of_file("a.md", MARKDOWN.encode(), at=MADE) for _ in range(2)]
    assert twice[0] == twice[1]
    assert [block.key for block in twice[0]] == ["a.md#1", "a.md#2", "a.md#3"]


@pytest.mark.parametrize(
    "bad",
    [
        b"nonsense",
        b"[1]",
        b'{"contents": "a"}',
        b'{"content": 5}',
        b'{"content": "a", "surprise": 1}',
        b'{"content": "a", "importance": true}',
        b'{"content": "a", "importance": "1"}',
        b'{"content": "a", "provenance": []}',
        b'{"content": "a", "occurred_at": "yesterday"}',
        b'{"content": "a", "occurred_at": "2026-01-01T00:00:00"}',
    ],
)
def test_a_bad_line_is_named(bad: bytes) -> None:
    with pytest.raises(InvalidInput, match=r"facts\.jsonl, line 2"):
        blocks_of_file("facts.jsonl", b'{"content": "a"}\n' + bad, at=MADE)


def test_text_is_utf_8() -> None:
    with pytest.raises(InvalidInput, match="byte 3"):
        blocks_of_file("a.txt", b"abc\xff", at=MADE)
    assert blocks_of_file("a.txt", b"\xef\xbb\xbfabc", at=MADE)[0].content == "abc"
    assert blocks_of_file("a.txt", b" \n", at=MADE) == []
