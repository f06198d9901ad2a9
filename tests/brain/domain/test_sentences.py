"""Where the sentences of a text stand."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from soma.brain.domain.sentences import SENTENCE_WORDS, sentence_spans

pytestmark = pytest.mark.req("MEM-002")


def sentences(text: str) -> list[str]:
    return [text[start:end] for start, end in sentence_spans(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("I bake bread. She plays the violin!", ["I bake bread.", "She plays the violin!"]),
        ("Wow! That is a nice tower.", ["Wow! That is a nice tower."]),
        ("That is a nice tower. Wow!", ["That is a nice tower. Wow!"]),
        ("  one line of text\n\n another line of text ", ["one line of text", "another line of text"]),
        ("Yes.", ["Yes."]),
        ("", [""]),
        ("...", ["..."]),
    ],
)
def test_sentences_stand_where_they_are_written(text: str, expected: list[str]) -> None:
    assert sentences(text) == expected


def test_a_long_sentence_is_cut_into_windows_that_overlap_by_half() -> None:
    words = [f"w{number}" for number in range(100)]
    found = [part.split() for part in sentences(" ".join(words))]
    assert [len(part) for part in found] == [SENTENCE_WORDS] * 4
    assert [part[0] for part in found] == ["w0", "w20", "w40", "w60"]
    assert found[-1][-1] == "w99"


@given(st.text(alphabet="ab .!?\n'", max_size=300))
def test_spans_rise_stay_in_the_text_and_leave_out_no_word(text: str) -> None:
    spans = sentence_spans(text)
    assert spans
    assert all(0 <= start <= end <= len(text) for start, end in spans)
    assert [start for start, _ in spans] == sorted(start for start, _ in spans)
    covered = {place for start, end in spans for place in range(start, end)}
    assert all(place in covered for place, character in enumerate(text) if character in "ab")
