"""From the bytes of a text to its characters."""

import codecs
import re

from soma.brain.domain.documents.unreadable import Reason, Unreadable

MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
"""Byte order marks, the longer before those that they begin with."""

FORMATS = (
    (b"%PDF-", "PDF"),
    (b"PK\x03\x04", "ZIP (as Office files are)"),
    (b"\x1f\x8b", "gzip"),
    (b"\x7fELF", "ELF"),
    (b"\x89PNG", "PNG"),
    (b"\xff\xd8\xff", "JPEG"),
    (b"GIF8", "GIF"),
    (b"\xd0\xcf\x11\xe0", "OLE (as old Office files are)"),
    (b"{\\rtf", "RTF"),
)
"""What files that are no text begin with."""

META = re.compile(rb"""<meta[^>]{0,200}?charset\s*=\s*["']?\s*([\w.:-]{1,40})""", re.IGNORECASE)
META_BYTES = 2_048
SAMPLE_BYTES = 1 << 20
"""So much of a text tells its encoding, where nothing else does."""

CONTROLS = re.compile(r"[\x00-\x08\x0e-\x1a\x7f]")
MAX_CONTROLS = 0.002
"""The share of control characters from which on a file is no text: texts have none, or a few strays."""


def decoded(content: bytes, *, charset: str = "", html: bool = False) -> str:
    """The characters of `content`: by its byte order mark, else as `charset` says, else as an HTML file says
    itself, else as UTF-8, else as it looks. Raises Unreadable."""
    for start, name in FORMATS:
        if content.startswith(start):
            raise Unreadable(Reason.WRONG_TYPE, f"The file is {name}, not the text that it was sent as")
    text = _marked(content) or _declared(content, charset, html=html)
    if text is None:
        text = _guessed(content)
    if "\0" in text or len(CONTROLS.findall(text)) > MAX_CONTROLS * len(text):
        raise Unreadable(Reason.NOT_TEXT, "The file holds control characters, as no text does")
    return text


def _marked(content: bytes) -> str | None:
    for mark, name in MARKS:
        if content.startswith(mark):
            return _by(content, name)
    return None


def _declared(content: bytes, charset: str, *, html: bool) -> str | None:
    if charset:
        return _by(content, charset)
    match = META.search(content, 0, META_BYTES) if html else None
    if match is not None:
        try:
            return _by(content, match[1].decode())
        except Unreadable:
            # Pages are often wrong about themselves.
            return None
    return None


def _by(content: bytes, name: str) -> str:
    try:
        return content.decode(name)
    except LookupError:
        raise Unreadable(Reason.UNKNOWN_ENCODING, f"There is no encoding called {name!r}") from None
    except ValueError as error:
        raise Unreadable(Reason.UNKNOWN_ENCODING, f"The text is not in {name}: {error}"[:300]) from None


def _guessed(content: bytes) -> str:
    try:
        return content.decode()
    except UnicodeDecodeError:
        pass
    if b"\0" in content:
        raise Unreadable(Reason.NOT_TEXT, "The file holds zero bytes, and no mark of UTF-16 or UTF-32")
    from charset_normalizer import from_bytes  # noqa: PLC0415 - most texts are UTF-8

    best = from_bytes(content[:SAMPLE_BYTES]).best()
    if best is None:
        raise Unreadable(Reason.UNKNOWN_ENCODING, "The text is not UTF-8, and nothing says what it is in")
    return _by(content, best.encoding)
