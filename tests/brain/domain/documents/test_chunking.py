"""soma.brain.domain.documents.chunking"""

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from soma.brain.domain.documents.chunking import SMALL_TOKENS, chunks_of
from soma.brain.domain.documents.layout import Block, BlockKind, Layout, LayoutDraft
from soma.brain.domain.documents.size import MAX_TOKENS, tokens

pytestmark = pytest.mark.req("RAG-001")

WORDS = st.text(alphabet=st.characters(codec="utf-8", exclude_categories=("Cs", "Cc")), max_size=400)
PROSE = st.lists(
    st.sampled_from(
        ["the", "brown", "fox", "jumps.", "Over", "12,5", "dogs!", "\n", "«ключ»", "東京。", "-"]
    ),
    max_size=600,
).map(" ".join)
BLOCKS = st.tuples(st.sampled_from(BlockKind), st.one_of(WORDS, PROSE), st.integers(1, 4), st.integers(1, 9))


@st.composite
def layouts(draw: st.DrawFn) -> Layout:
    """Texts put together of blocks of every kind; some of them lose some blocks, not their text."""
    draft = LayoutDraft()
    for kind, text, level, page in draw(st.lists(BLOCKS, max_size=12)):
        draft.add(kind, text, level=level if kind is BlockKind.HEADING else 0, page=page)
    whole = draft.layout()
    kept = tuple(block for block in whole.blocks if draw(st.booleans()) or draw(st.booleans()))
    return Layout(text=whole.text, blocks=kept)


def prose(sentences: int) -> str:
    """So many sentences, no two the same."""
    return " ".join(f"Sentence {number} says that the river rose again." for number in range(sentences))


def drafted(*blocks: tuple[BlockKind, str, int]) -> Layout:
    draft = LayoutDraft()
    for kind, text, level in blocks:
        draft.add(kind, text, level=level)
    return draft.layout()


@given(layout=layouts())
@settings(max_examples=150, deadline=None)
def test_nothing_is_lost_moved_or_told_twice(layout: Layout) -> None:
    chunks = chunks_of(layout)

    assert "".join("".join(chunk.text for chunk in chunks).split()) == "".join(layout.text.split())
    assert all(chunk.text == layout.text[chunk.start : chunk.end] for chunk in chunks)
    assert all(first.end <= second.start for first, second in pairwise(chunks))
    assert [chunk.number for chunk in chunks] == list(range(len(chunks)))


@given(layout=layouts())
@settings(max_examples=150, deadline=None)
def test_every_chunk_says_something_and_is_bounded(layout: Layout) -> None:
    for chunk in chunks_of(layout):
        assert chunk.text.strip() == chunk.text != ""
        assert tokens(chunk.text) <= MAX_TOKENS


@given(text=st.one_of(WORDS, PROSE), cut=st.integers(0, 400))
def test_a_text_has_no_more_tokens_than_its_parts(text: str, cut: int) -> None:
    assert tokens(text) <= tokens(text[:cut]) + tokens(text[cut:])


def test_long_prose_is_cut_between_sentences_into_chunks_that_are_filled() -> None:
    chunks = chunks_of(drafted((BlockKind.PARAGRAPH, prose(200), 0)))

    assert all(chunk.text.startswith("Sentence") and chunk.text.endswith("again.") for chunk in chunks)
    assert all(len(chunk.text.split()) > 100 for chunk in chunks[:-1])


def test_a_section_begins_a_chunk_that_knows_the_headings_above_it() -> None:
    layout = drafted(
        (BlockKind.HEADING, "Guide", 1),
        (BlockKind.PARAGRAPH, prose(8), 0),
        (BlockKind.HEADING, "Rivers", 2),
        (BlockKind.HEADING, "In spring", 3),
        (BlockKind.PARAGRAPH, prose(8), 0),
        (BlockKind.HEADING, "Lakes", 2),
        (BlockKind.PARAGRAPH, prose(8), 0),
    )
    chunks = chunks_of(layout)

    assert [chunk.heading for chunk in chunks] == [
        ("Guide",), ("Guide", "Rivers", "In spring"), ("Guide", "Lakes"),
    ]  # fmt: skip
    assert chunks[1].text.startswith("Rivers\n\nIn spring\n\nSentence 0")


def test_small_sections_share_a_chunk_and_what_is_above_both() -> None:
    layout = drafted(
        (BlockKind.HEADING, "Glossary", 1),
        (BlockKind.HEADING, "Bank", 2),
        (BlockKind.PARAGRAPH, "Where a river ends.", 0),
        (BlockKind.HEADING, "Bed", 2),
        (BlockKind.PARAGRAPH, "Where it lies.", 0),
    )
    [chunk] = chunks_of(layout)

    assert chunk.heading == ("Glossary",)
    assert tokens(chunk.text) < SMALL_TOKENS


@pytest.mark.parametrize("kind", [BlockKind.TABLE, BlockKind.LIST, BlockKind.CODE])
def test_what_fits_stays_whole_and_what_does_not_is_cut_between_lines(kind: BlockKind) -> None:
    lines = [f"| row {number} | the level of the river. | {number} metres |" for number in range(60)]
    short = "\n".join(lines[:8])
    chunks = chunks_of(drafted((BlockKind.PARAGRAPH, prose(14), 0), (kind, short, 0)))
    assert [chunk.text.count("\n") for chunk in chunks] == [0, 7]

    for chunk in chunks_of(drafted((kind, "\n".join(lines), 0))):
        assert set(chunk.text.split("\n")) <= set(lines)


def test_pages_are_the_first_and_the_last() -> None:
    draft = LayoutDraft()
    for page in (3, 4):
        draft.add(BlockKind.PARAGRAPH, prose(3), page=page)
    [chunk] = chunks_of(draft.layout())

    assert chunk.pages == (3, 4)


def test_nothing_makes_no_chunks() -> None:
    assert chunks_of(Layout(text=" \n\n ", blocks=())) == ()
    empty = Block(kind=BlockKind.PARAGRAPH, start=0, end=2)
    assert chunks_of(Layout(text="  ", blocks=(empty,))) == ()
