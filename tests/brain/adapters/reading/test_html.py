"""soma.brain.adapters.reading.html"""

import pytest

from soma.brain.adapters.reading import html
from soma.brain.domain.documents.layout import BlockKind

pytestmark = pytest.mark.req("RAG-001")

PAGE = """<!doctype html><html><head><title> The
 river </title><style>p {color: red}</style><script>alert("x")</script></head>
<body><nav>Home | About</nav><h1>Guide <em>to</em> rivers</h1>
<p>It <b>rises</b> &amp;
falls.<br>Always.</p><div>Some <div>nested</div> words</div>
<h2>Levels</h2><ul><li>one</li><li>two <ul><li>inner</li></ul></li></ul>
<table><tr><th>a<th>b</tr><tr><td>1<td><p>2</p></tr></table>
<pre>  make
    flood</pre><p hidden>Unseen.</p><template>Unseen.</template><img alt="A bridge"><p>Last"""


def test_blocks_say_what_a_reader_sees() -> None:
    said = html.layout(PAGE)
    parts = [(block.kind, said.text[block.start : block.end]) for block in said.blocks]

    assert parts == [
        (BlockKind.HEADING, "Guide to rivers"),
        (BlockKind.PARAGRAPH, "It rises & falls.\nAlways."),
        (BlockKind.PARAGRAPH, "Some"),
        (BlockKind.PARAGRAPH, "nested"),
        (BlockKind.PARAGRAPH, "words"),
        (BlockKind.HEADING, "Levels"),
        (BlockKind.LIST, "- one\n- two\n- inner"),
        (BlockKind.TABLE, "a | b\n1 | 2"),
        (BlockKind.CODE, "  make\n    flood"),
        (BlockKind.PARAGRAPH, "A bridge"),
        (BlockKind.PARAGRAPH, "Last"),
    ]
    assert [block.level for block in said.blocks if block.level] == [1, 2]
    assert said.title == "The river"


@pytest.mark.parametrize("page", ["", "<", "<p", "</p></div>", "<table><tr><td>", "<!--", "<svg><p>"])
def test_what_is_broken_is_read_all_the_same(page: str) -> None:
    assert html.layout(f"Before. {page}").text.startswith("Before.")


def test_a_page_of_nothing_has_no_blocks() -> None:
    assert html.layout("<script>var x = 1;</script>").blocks == ()
