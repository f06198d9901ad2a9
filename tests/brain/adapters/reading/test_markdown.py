"""soma.brain.adapters.reading.markdown"""

import pytest

from soma.brain.adapters.reading import markdown
from soma.brain.domain.documents.layout import BlockKind

pytestmark = pytest.mark.req("RAG-001")

GUIDE = """---
title: "The river"
tags: [water]
---

# Guide to *rivers* and `lakes`

It rises.
And falls.

Low
---

- one
- two

  more of two

| a | b |
|---|---|
| 1 | 2 |

```sh
make flood

```

[reference]: https://example.org
"""


def test_blocks_are_what_they_are_and_say_what_was_written() -> None:
    said = markdown.layout(GUIDE)
    parts = [(block.kind, GUIDE[block.start : block.end].split("\n", maxsplit=1)[0]) for block in said.blocks]

    assert parts == [
        (BlockKind.HEADING, "# Guide to *rivers* and `lakes`"),
        (BlockKind.PARAGRAPH, "It rises."),
        (BlockKind.HEADING, "Low"),
        (BlockKind.LIST, "- one"),
        (BlockKind.TABLE, "| a | b |"),
        (BlockKind.CODE, "```sh"),
    ]
    assert [(block.level, block.title) for block in said.blocks if block.level] == [
        (1, "Guide to rivers and lakes"), (2, "Low"),
    ]  # fmt: skip
    assert GUIDE[said.blocks[3].start : said.blocks[3].end].endswith("more of two")


def test_the_title_is_the_front_matters_else_the_first_heading() -> None:
    assert markdown.layout(GUIDE).title == "The river"
    assert markdown.layout("## Below\n\n# Above\n").title == "Above"
    assert markdown.layout("Nothing is above.").title == ""
