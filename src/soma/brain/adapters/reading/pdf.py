"""PDF, by PDFium: the reader of Chrome, which is attacked and mended more than any other."""

import codecs
import re
from collections.abc import Iterator
from statistics import quantiles

import pypdfium2
import pypdfium2.raw as pdfium

from soma.brain.adapters.reading.cleaning import cleaned, within_limit
from soma.brain.adapters.reading.limits import MAX_PAGES
from soma.brain.domain.documents.layout import BlockKind, Layout, LayoutDraft
from soma.brain.domain.documents.unreadable import Reason, Unreadable

codecs.lookup("utf-16-le")
"""PDFium's own; a codec is a file, and while a page is read none can be opened."""

HEADER_BYTES = 1_024
"""Where the mark of a PDF stands at the latest; what stands before it is passed over, as other readers do."""

MAX_OUTLINE = 10_000
FULL_LINE = 0.75
"""A line shorter than this share of the page's long lines that ends a sentence ends its paragraph."""

SENTENCE_END = (".", "!", "?", ":", "…", "”", '"', "。")
ITEM = re.compile(r"(?:[-*+•‣◦▪]|\(?\d{1,3}[.)])\s+\S")
BREAKS = re.compile(r"\r\n?")
LEADER = re.compile(r"[^\S\n]*(?:\.[^\S\n]?){4,}")
"""Dots that lead the eye through a table of contents."""
HYPHENATED = re.compile(r"(\w)[-\u00ad\u2010\x02]\n(?=[^\W\d_])")


def layout(content: bytes) -> Layout:
    """The layout of a PDF: paragraphs, and as headings those lines that its outline names. Raises
    Unreadable."""
    if b"%PDF-" not in content[:HEADER_BYTES]:
        raise Unreadable(Reason.WRONG_TYPE, "The file is no PDF: it does not begin with %PDF-")
    document = _opened(content)
    try:
        return _layout(document)
    finally:
        document.close()


def _opened(content: bytes) -> pypdfium2.PdfDocument:
    try:
        return pypdfium2.PdfDocument(content)
    except pypdfium2.PdfiumError as error:
        if error.err_code in {pdfium.FPDF_ERR_PASSWORD, pdfium.FPDF_ERR_SECURITY}:
            raise Unreadable(
                Reason.ENCRYPTED, "The PDF is encrypted; remove its password and send it again"
            ) from None
        raise Unreadable(Reason.DAMAGED, f"The PDF is damaged: {error}") from None


def _layout(document: pypdfium2.PdfDocument) -> Layout:
    pages = len(document)
    if pages > MAX_PAGES:
        raise Unreadable(Reason.LIMIT, f"The PDF has {pages:,} pages; the limit is {MAX_PAGES:,} pages")
    outline = _outline(document)
    draft = LayoutDraft()
    damaged = 0
    for number in range(pages):
        try:
            text = _page_text(document, number)
        except pypdfium2.PdfiumError:
            damaged += 1
            continue
        _add_page(draft, text, number + 1, outline.get(number, {}))
        within_limit(draft.length)
    if not draft.blocks:
        raise _without_text(pages, damaged)
    title = cleaned(document.get_metadata_dict(skip_empty=True).get("Title", ""))
    return draft.layout(title=" ".join(title.split()), pages=pages)


def _without_text(pages: int, damaged: int) -> Unreadable:
    if damaged or not pages:
        return Unreadable(
            Reason.DAMAGED, f"The PDF is damaged: {damaged} of its {pages} pages cannot be read"
        )
    return Unreadable(
        Reason.NO_TEXT,
        f"The {pages} pages of the PDF hold no text: if they are scanned, recognise their text first",
    )


def _page_text(document: pypdfium2.PdfDocument, number: int) -> str:
    page = document[number]
    try:
        words = page.get_textpage()
        try:
            # A word that is broken over two lines has a mark of its own there.
            return HYPHENATED.sub(r"\1", BREAKS.sub("\n", words.get_text_bounded()))
        finally:
            words.close()
    finally:
        page.close()


def _outline(document: pypdfium2.PdfDocument) -> dict[int, dict[str, int]]:
    """Page → what its headings say → their level, 1 the highest."""
    found: dict[int, dict[str, int]] = {}
    for place, bookmark in enumerate(document.get_toc()):
        if place >= MAX_OUTLINE:
            break
        target = bookmark.get_dest()
        page = target.get_index() if target is not None else None
        if page is not None:
            found.setdefault(page, {}).setdefault(_plain(bookmark.get_title()), bookmark.level + 1)
    return found


def _add_page(draft: LayoutDraft, text: str, page: int, headings: dict[str, int]) -> None:
    for kind, part, level in _parts(LEADER.sub(" … ", cleaned(text)), headings):
        draft.add(kind, part, level=level, page=page)


def _parts(text: str, headings: dict[str, int]) -> Iterator[tuple[BlockKind, str, int]]:
    """The blocks of a page. Lines of a paragraph are one line: where they end is the page's affair."""
    lines = [line.strip() for line in text.split("\n")]
    full = _full_line(lines)
    held: list[str] = []
    for line in [*lines, ""]:
        level = headings.get(_plain(line), 0) if line else 0
        ends = not line or level > 0 or ITEM.match(line) is not None
        if held and (ends or _ends_paragraph(held[-1], full)):
            yield BlockKind.PARAGRAPH, " ".join(held), 0
            held = []
        if level:
            yield BlockKind.HEADING, line, level
        elif line:
            held.append(line)


def _full_line(lines: list[str]) -> float:
    """From how many characters on a line of this page is full."""
    lengths = [len(line) for line in lines if line]
    return FULL_LINE * quantiles(lengths, n=10)[-1] if len(lengths) > 1 else 0.0


def _ends_paragraph(line: str, full: float) -> bool:
    return len(line) < full and line.endswith(SENTENCE_END)


def _plain(text: str) -> str:
    """What of a heading is the same in the outline and on the page: letters and digits."""
    return "".join(letter for letter in text.casefold() if letter.isalnum())
