"""PDF files as they come: good ones, and such as harm a careless reader."""

import zlib
from collections.abc import Sequence

CATALOGUE, PAGES, FONT, INFO, OUTLINE = 1, 2, 3, 4, 5
FIRST_FREE = 6


def paragraph(*lines: str) -> bytes:
    """A page's drawing of `lines`, one under the other."""
    words = b" T* ".join(f"({line}) Tj".encode("latin-1") for line in lines)
    return b"BT /F1 11 Tf 72 720 Td 14 TL " + words + b" ET"


def pdf(
    *pages: bytes, title: str = "", headings: Sequence[tuple[str, int]] = (), trailer: bytes = b""
) -> bytes:
    """A file of pages drawn by `pages`, with an outline of `headings`: what they say, and on which page."""
    contents = [_stream(page) for page in pages]
    return _pages(contents, title=title, headings=headings, trailer=trailer)


def encrypted() -> bytes:
    """A file whose words need a password."""
    secret = b"<" + b"41" * 32 + b">"
    encrypt = b"<< /Filter /Standard /V 1 /R 2 /P -4 /O " + secret + b" /U " + secret + b" >>"
    identity = b"/ID [<41414141> <41414141>]"
    return pdf(paragraph("Nobody reads this."), trailer=b"/Encrypt " + encrypt + b" " + identity)


def scanned() -> bytes:
    """A page that is drawn, and says nothing."""
    return pdf(b"0 0 1 rg 72 72 400 600 re f")


def circular() -> bytes:
    """A file whose tree of pages, and whose outline, contain themselves."""
    objects = {
        CATALOGUE: b"<< /Type /Catalog /Pages 2 0 R /Outlines 5 0 R >>",
        PAGES: b"<< /Type /Pages /Kids [2 0 R 2 0 R] /Count 2 >>",
        OUTLINE: b"<< /First 6 0 R /Last 6 0 R /Count 1 >>",
        6: b"<< /Title (Round) /Parent 5 0 R /Next 6 0 R /First 6 0 R /Dest [2 0 R /Fit] >>",
    }
    return _file(objects)


def circular_outline() -> bytes:
    """A good page, under an outline that contains itself."""
    outline = {
        OUTLINE: b"<< /First 8 0 R /Last 8 0 R /Count 1 >>",
        8: b"<< /Title (Round) /Parent 5 0 R /Next 8 0 R /First 8 0 R /Dest [6 0 R /Fit] >>",
    }
    return _pages([_stream(paragraph("Round", "and round it goes."))], replaced=outline)


def bomb(size: int, *, layers: int) -> bytes:
    """A page whose drawing unfolds, `layers` times compressed, to `size` bytes."""
    content = b" " * (1 << 20)
    packer = zlib.compressobj(9)
    packed = b"".join(packer.compress(content) for _ in range(size >> 20)) + packer.flush()
    for _ in range(layers - 1):
        packed = zlib.compress(packed, 9)
    filters = b" ".join([b"/FlateDecode"] * layers)
    return _pages([_stream(packed, b"/Filter [" + filters + b"]")])


def _stream(content: bytes, more: bytes = b"") -> bytes:
    return b"<< /Length %d %s >>\nstream\n%s\nendstream" % (len(content), more, content)


def _pages(
    contents: Sequence[bytes],
    *,
    title: str = "",
    headings: Sequence[tuple[str, int]] = (),
    trailer: bytes = b"",
    replaced: dict[int, bytes] | None = None,
) -> bytes:
    pages = [FIRST_FREE + 2 * place for place in range(len(contents))]
    items = [FIRST_FREE + 2 * len(contents) + place for place in range(len(headings))]
    objects = {
        CATALOGUE: b"<< /Type /Catalog /Pages 2 0 R /Outlines 5 0 R >>",
        PAGES: b"<< /Type /Pages /Kids [%s] /Count %d >>" % (_all(pages), len(pages)),
        FONT: b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
        INFO: f"<< /Title ({title}) >>".encode(),
        OUTLINE: b"<< /Count 0 >>",
    }
    for page, content in zip(pages, contents, strict=True):
        objects[page] = (
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents %d 0 R"
            b" /Resources << /Font << /F1 3 0 R >> >> >>" % (page + 1)
        )
        objects[page + 1] = content
    if items:
        objects[OUTLINE] = b"<< /First %d 0 R /Last %d 0 R /Count %d >>" % (items[0], items[-1], len(items))
    for place, (said, page) in enumerate(headings):
        following = b"/Next %d 0 R" % items[place + 1] if place + 1 < len(items) else b""
        objects[items[place]] = b"<< /Title (%s) /Parent 5 0 R /Dest [%d 0 R /Fit] %s >>" % (
            said.encode(), pages[page], following,
        )  # fmt: skip
    return _file(objects | (replaced or {}), trailer)


def _all(numbers: Sequence[int]) -> bytes:
    return b" ".join(b"%d 0 R" % number for number in numbers)


def _file(objects: dict[int, bytes], trailer: bytes = b"") -> bytes:
    file, places = b"%PDF-1.7\n", dict[int, int]()
    for number, content in sorted(objects.items()):
        places[number] = len(file)
        file += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    table = b"".join(
        b"%010d 00000 n \n" % places[number] if number in places else b"0000000000 65535 f \n"
        for number in range(max(objects) + 1)
    )
    size = max(objects) + 1
    return (
        file
        + b"xref\n0 %d\n%s" % (size, table)
        + b"trailer\n<< /Size %d /Root 1 0 R /Info 4 0 R %s >>\n" % (size, trailer)
        + b"startxref\n%d\n%%%%EOF\n" % len(file)
    )
