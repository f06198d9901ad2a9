"""soma.brain.adapters.reading.plain_text"""

import pytest

from soma.brain.adapters.reading import plain_text
from soma.brain.domain.documents.layout import BlockKind

pytestmark = pytest.mark.req("RAG-001")

TEXT = """\
=========
The river
=========

It rises
and falls.

Levels
------

- one
- two

name   metres
low    1
"""


def test_paragraphs_stand_between_empty_lines_and_headings_are_underlined() -> None:
    said = plain_text.layout(TEXT)

    assert [(block.kind, block.level, block.title) for block in said.blocks] == [
        (BlockKind.HEADING, 1, "The river"),
        (BlockKind.PARAGRAPH, 0, ""),
        (BlockKind.HEADING, 2, "Levels"),
        (BlockKind.LIST, 0, ""),
        (BlockKind.TABLE, 0, ""),
    ]
    assert [TEXT[block.start : block.end] for block in said.blocks][1] == "It rises\nand falls."
