"""soma.brain.adapters.reading.pdf"""

import pytest

from soma.brain.adapters.reading import pdf
from soma.brain.domain.documents.layout import BlockKind
from tests.brain.adapters.reading.pdf_file import paragraph
from tests.brain.adapters.reading.pdf_file import pdf as file

pytestmark = pytest.mark.req("RAG-001")

FIRST = paragraph(
    "1. Of rivers",
    "A river rises in the hills and goes down to the sea, which takes a while and",
    "many turns, as everybody knows who has ever fol-",
    "lowed one.",
    "Another paragraph begins here, after a short line, and it is as long as the",
    "first.",
)


def test_lines_become_paragraphs_and_the_outline_headings() -> None:
    said = pdf.layout(file(FIRST, paragraph("It ends here."), headings=[("1 Of rivers", 0)]))
    parts = [(block.kind, said.text[block.start : block.end], block.page) for block in said.blocks]

    assert parts[0] == (BlockKind.HEADING, "1. Of rivers", 1)
    assert parts[1][1].startswith("A river rises") and parts[1][1].endswith("ever followed one.")
    assert "a while and many turns" in parts[1][1]
    assert parts[2][1].startswith("Another paragraph") and parts[2][1].endswith("first.")
    assert parts[3] == (BlockKind.PARAGRAPH, "It ends here.", 2)
    assert said.pages == 2


def test_dots_that_lead_to_a_page_number_are_left_out() -> None:
    said = pdf.layout(file(paragraph("Rivers . . . . . . . . . 12", "Lakes..........13")))

    assert "Rivers … 12" in said.text and "Lakes … 13" in said.text
