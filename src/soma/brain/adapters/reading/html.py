"""HTML, by Lexbor: a parser that makes of any bytes the tree that a browser makes of them.

Lexbor (selectolax) follows the HTML standard, is maintained, and needs no other package. lxml parses HTML 4
by rules of its own; html5lib is right, and slow, and has not been released for years.
"""

import re
from collections.abc import Iterator

from selectolax.lexbor import LexborHTMLParser, LexborNode

from soma.brain.adapters.reading.cleaning import cleaned
from soma.brain.domain.documents.layout import BlockKind, Layout, LayoutDraft

UNSEEN = frozenset(
    """
    head script style template noscript svg math canvas iframe object embed audio video map select datalist
    button nav
    """.split()
)
"""What shows no text of the document."""

BLOCKS = frozenset(
    """
    html body address article aside blockquote caption center dd details dialog dir div dl dt fieldset
    figcaption figure footer form header hgroup hr legend li main menu ol p pre section summary table tbody
    tfoot thead tr ul
    """.split()
)
HEADINGS = {f"h{level}": level for level in range(1, 7)}
LISTS = frozenset({"ul", "ol", "menu", "dir"})
CELLS = frozenset({"td", "th"})
SPACE = re.compile(r"\s+")
SPACES = re.compile(r"[^\S\n]+")


def layout(text: str) -> Layout:
    """The layout of an HTML page, as a reader without scripts sees it. Its title is its <title>."""
    parser = LexborHTMLParser(text)
    title = parser.css_first("title")
    draft = _Draft()
    if parser.root is not None:
        _walk(parser.root, draft)
    draft.flush()
    return draft.text.layout(title=SPACE.sub(" ", cleaned(title.text())).strip() if title else "")


class _Draft:
    """What was seen of the page so far: finished blocks, and the words of the one that goes on."""

    def __init__(self) -> None:
        self.text = LayoutDraft()
        self._words: list[str] = []
        self._open = dict.fromkeys((BlockKind.LIST, BlockKind.TABLE, BlockKind.CODE), 0)

    def enter(self, node: LexborNode, tag: str) -> None:
        if tag in HEADINGS:
            self.flush()
        elif tag in LISTS or tag in {"table", "pre"}:
            self._begin(_kind(tag))
        elif tag in CELLS:
            self._words.append(" | " if self._is_in_row() else "")
        elif tag == "li":
            self._words.append("\n- ")
        elif tag == "br":
            self._words.append("\n")
        elif tag == "img":
            self._words.append(f" {_line(node.attributes.get('alt') or '')} ")
        elif tag in BLOCKS:
            self._part()

    def leave(self, tag: str) -> None:
        if tag in HEADINGS:
            self.flush(BlockKind.HEADING, level=HEADINGS[tag])
        elif tag in LISTS or tag in {"table", "pre"}:
            self._end(_kind(tag))
        elif tag in BLOCKS:
            self._part()

    def say(self, words: str) -> None:
        self._words.append(words if self._open[BlockKind.CODE] else _line(words))

    def flush(self, kind: BlockKind | None = None, *, level: int = 0) -> None:
        """End the block that goes on."""
        said = "".join(self._words)
        self._words.clear()
        is_code = self._open[BlockKind.CODE] > 0
        lines = said.split("\n") if is_code else [SPACES.sub(" ", line).strip() for line in said.split("\n")]
        kept = [line.rstrip() for line in lines if line.strip(" -|") or (is_code and line)]
        self.text.add(kind or self._outermost(), "\n".join(kept), level=level)

    def _part(self) -> None:
        """A block begins or ends: within a list or a table that is but a new line."""
        if self._outermost() is BlockKind.PARAGRAPH:
            self.flush()
        elif not self._words or self._words[-1] not in {"\n- ", " | ", ""}:
            self._words.append("\n")

    def _begin(self, kind: BlockKind) -> None:
        self._part()
        self._open[kind] += 1

    def _end(self, kind: BlockKind) -> None:
        if sum(self._open.values()) == 1:
            self.flush()
        else:
            self._words.append("\n")
        self._open[kind] = max(0, self._open[kind] - 1)

    def _outermost(self) -> BlockKind:
        return next((kind for kind, depth in self._open.items() if depth), BlockKind.PARAGRAPH)

    def _is_in_row(self) -> bool:
        return bool(self._words) and not self._words[-1].endswith("\n")


def _walk(root: LexborNode, draft: _Draft) -> None:
    """Tell `draft` of every node in order, without a stack: pages may be as deep as they are long."""
    for node, entered in _events(root):
        tag = node.tag or ""
        if not entered:
            draft.leave(tag)
        elif node.is_text_node:
            draft.say(cleaned(node.text_content or ""))
        else:
            draft.enter(node, tag)


def _events(root: LexborNode) -> Iterator[tuple[LexborNode, bool]]:
    """Each node that is seen, as it is entered and as it is left."""
    node, entered = root, True
    while True:
        if entered and _is_seen(node):
            yield node, True
            child = node.first_child
            if child is not None:
                node = child
                continue
        if not node.is_text_node and _is_seen(node):
            yield node, False
        if node.mem_id == root.mem_id:
            return
        sibling = node.next
        if sibling is not None:
            node, entered = sibling, True
            continue
        parent = node.parent
        if parent is None:
            return
        node, entered = parent, False


def _is_seen(node: LexborNode) -> bool:
    if node.is_text_node:
        return True
    return bool(node.is_element_node) and node.tag not in UNSEEN and "hidden" not in node.attributes


def _kind(tag: str) -> BlockKind:
    return {"table": BlockKind.TABLE, "pre": BlockKind.CODE}.get(tag, BlockKind.LIST)


def _line(words: str) -> str:
    return SPACE.sub(" ", words)
