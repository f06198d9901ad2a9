#!/usr/bin/env python3
"""Verify an export of a SomaStack audit chain. Needs Python 3.9 or newer and nothing else.

    python verifier.py EXPORT.jsonl --key HEX [--checkpoint EARLIER.json]

--key is the public key, 64 hex digits, as somebody gave it to you whom you trust; without it the key that the
export names is used, which proves only that the export agrees with itself. --checkpoint is a checkpoint that
you have kept: the export must hold it, so that nothing before it can have been rewritten, or cut off, since.
Events that the retention has signed that it removes may be missing while their links are there. --expired
accepts others too: a log in Kafka keeps its links for good, and its events for as long as its operator wants.

Exit code 0: every event is as it was recorded. 1: not so; the first place is named. 2: this cannot be read.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import re
import sys
from collections.abc import Iterator
from typing import Any

Point = tuple[int, int, int, int]
Document = Any

MEMBERS = {
    "header": {"kind", "format", "version", "tenant_id", "public_key", "head", "expiry"},
    "event": {"kind", "event"},
    "link": {"kind", "sequence", "event_id", "link"},
    "checkpoint": {"kind", "checkpoint"},
    "end": {"kind", "events", "links", "checkpoints"},
}
"""The lines of an export, and exactly what each holds: a member that nothing covers could say anything."""

# Ed25519 as in RFC 8032, section 5.1: integers modulo P, points of the twisted Edwards curve in extended
# coordinates (X, Y, Z, T) with x = X/Z, y = Y/Z, xy = T/Z. Verification handles no secret, so time may vary.
P = 2**255 - 19
ORDER = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
ROOT_OF_MINUS_ONE = pow(2, (P - 1) // 4, P)
NEUTRAL: Point = (0, 1, 1, 0)


def add(one: Point, two: Point) -> Point:
    """The sum of two points."""
    a = (one[1] - one[0]) * (two[1] - two[0]) % P
    b = (one[1] + one[0]) * (two[1] + two[0]) % P
    c = 2 * one[3] * two[3] * D % P
    d = 2 * one[2] * two[2] % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % P, g * h % P, f * g % P, e * h % P


def multiply(factor: int, point: Point) -> Point:
    """`factor` times `point`."""
    product = NEUTRAL
    while factor:
        if factor & 1:
            product = add(product, point)
        point, factor = add(point, point), factor >> 1
    return product


def decompress(data: bytes) -> Point | None:
    """The point that 32 bytes spell, or None."""
    y = int.from_bytes(data, "little")
    sign, y = y >> 255, y & (1 << 255) - 1
    if y >= P:
        return None
    square = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * ROOT_OF_MINUS_ONE % P
    if (x * x - square) % P or (x == 0 and sign):
        return None
    x = P - x if x & 1 != sign else x
    return x, y, 1, x * y % P


def same(one: Point, two: Point) -> bool:
    """Whether two points are the same."""
    return not ((one[0] * two[2] - two[0] * one[2]) % P or (one[1] * two[2] - two[1] * one[2]) % P)


def ed25519_verify(public: bytes, message: bytes, signature: bytes) -> bool:
    """Whether `signature`, 64 bytes, is that of `message` under `public`, 32 bytes."""
    if len(public) != 32 or len(signature) != 64:
        return False
    base = decompress((4 * pow(5, P - 2, P) % P).to_bytes(32, "little"))
    key, r = decompress(public), decompress(signature[:32])
    s = int.from_bytes(signature[32:], "little")
    if base is None or key is None or r is None or s >= ORDER:
        return False
    h = int.from_bytes(hashlib.sha512(signature[:32] + public + message).digest(), "little") % ORDER
    return same(multiply(s, base), add(r, multiply(h, key)))


def number(value: float) -> str:
    """A float as ECMAScript writes it."""
    if value == 0:
        return "0"
    if value < 0:
        return "-" + number(-value)
    mantissa, _, exponent = repr(value).partition("e")
    whole, _, fraction = mantissa.partition(".")
    digits = (whole + fraction).lstrip("0")
    point = len(digits) - len(fraction) + int(exponent or 0)
    digits = digits.rstrip("0")
    if len(digits) <= point <= 21:
        return digits + "0" * (point - len(digits))
    if 0 < point <= 21:
        return digits[:point] + "." + digits[point:]
    if -6 < point <= 0:
        return "0." + "0" * -point + digits
    return digits[0] + ("." + digits[1:] if digits[1:] else "") + f"e{point - 1:+d}"


def canonical(value: Document) -> str:
    """RFC 8785 text of a JSON value; integers past 2**53 in all their digits."""
    if isinstance(value, dict):
        names = sorted(value, key=lambda name: name.encode("utf-16-be", "surrogatepass"))
        return "{" + ",".join(f"{canonical(name)}:{canonical(value[name])}" for name in names) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(canonical, value)) + "]"
    return number(value) if isinstance(value, float) else json.dumps(value, ensure_ascii=False)


def octets(value: Document) -> bytes:
    """The bytes that are hashed and signed."""
    return canonical(value).encode("utf-8", "surrogatepass")


def from_hex(text: str, size: int) -> bytes:
    """The bytes of exactly so many lower-case hex digits."""
    if not re.fullmatch("[0-9a-f]{%d}" % (2 * size), text):  # noqa: UP031 - braces
        raise Unreadable(f"there must be {2 * size} hex digits where {text[:40]!r} stands")
    return bytes.fromhex(text)


class Unreadable(Exception):
    """The file is not what it should be."""


class Broken(Exception):
    """The chain does not hold."""

    def __init__(self, sequence: int, event_id: str | None, detail: str) -> None:
        super().__init__(f"event {sequence} ({event_id or 'unknown'}): {detail}")


class Verifier:
    """Takes the lines of an export, one after the other."""

    def __init__(self, header: Document, key: str, earlier: Document, *, expired: bool) -> None:
        named = header["public_key"]
        self.public = from_hex(key or named["public"], 32)
        key_id = hashlib.sha256(self.public).hexdigest()[:16]
        if named != {"algorithm": "Ed25519", "key_id": key_id, "public": self.public.hex()}:
            raise Broken(0, None, "the export names another key than yours")
        self.tenant = header["tenant_id"]
        self.head = self.signed(header["head"])
        self.earlier = self.signed(earlier) if earlier else None
        expiry = header["expiry"]
        self.gone = self.signed(expiry, "soma.audit.expiry")["sequence"] if expiry else 0
        self.accepts_expired = expired
        self.link, self.sequence = bytes(64), 0
        self.event: Document = None
        self.events = self.links = self.checkpoints = 0
        self.passed = self.ended = False

    def take(self, text: str) -> None:
        """Raise Broken when the line does not go on from those before it."""
        line = read(text)
        if self.ended:
            raise Broken(self.sequence, None, "inserted: there are lines behind the end")
        if self.event is not None and line["kind"] != "link":
            raise Broken(
                self.event["sequence"], self.event["event_id"], "event inserted, or its link removed"
            )
        if line["kind"] == "event":
            self.event = line["event"]
        elif line["kind"] == "link":
            self.take_link(line["sequence"], line["event_id"], from_hex(line["link"], 64))
            self.event = None
        elif line["kind"] == "checkpoint":
            self.take_checkpoint(self.signed(line["checkpoint"]))
        else:
            self.take_end(line)

    def take_link(self, sequence: int, event_id: str, link: bytes) -> None:
        """Raise Broken unless the event before it, if there is one, has this link."""
        expected, event = self.sequence + 1, self.event
        if event is not None and event["sequence"] != sequence:
            raise Broken(
                expected, None, f"event removed, inserted or reordered: {event['sequence']} stands here"
            )
        if sequence < expected:
            raise Broken(sequence, event_id, f"inserted or reordered: it stands behind {self.sequence}")
        accepted = self.accepts_expired or (sequence <= self.gone and not self.events)
        if sequence > expected and not self.accepts_expired:
            raise Broken(expected, None, f"event and link removed: {sequence} follows")
        if event is None and not accepted:
            raise Broken(sequence, event_id, "event removed, or older than the log keeps (see --expired)")
        if event is not None:
            if event["event_id"] != event_id or event["tenant_id"] != self.tenant:
                raise Broken(sequence, event_id, f"changed or reordered: {event['event_id']} stands here")
            if hashlib.sha3_512(self.link + octets(event)).digest() != link:
                raise Broken(sequence, event_id, "event or link changed")
            self.events += 1
        self.link, self.sequence, self.links = link, sequence, self.links + 1

    def take_checkpoint(self, checkpoint: Document) -> None:
        """Raise Broken unless it follows the last one and the chain stands where it says."""
        self.checkpoints += 1
        if checkpoint["number"] != self.checkpoints:
            raise Broken(
                checkpoint["sequence"], checkpoint["event_id"], "a checkpoint was removed or inserted"
            )
        self.fits(checkpoint)
        self.passed = self.passed or self.earlier == checkpoint

    def take_end(self, line: Document) -> None:
        """Raise Broken unless everything is there."""
        self.fits(self.head)
        counts = {"events": self.events, "links": self.links, "checkpoints": self.checkpoints}
        if line != {"kind": "end", **counts} or self.head["number"] != self.checkpoints:
            raise Broken(self.sequence, None, "the last line counts something else than there is")
        if self.earlier and not self.passed:
            raise Broken(
                self.earlier["sequence"], self.earlier["event_id"], "the chain lacks your checkpoint"
            )
        self.ended = True

    def fits(self, checkpoint: Document) -> None:
        """Raise Broken unless the chain stands where `checkpoint` says."""
        sequence = checkpoint["sequence"]
        if sequence != self.sequence:
            raise Broken(
                self.sequence + 1, None, f"removed or truncated: a checkpoint was made at {sequence}"
            )
        if checkpoint["link"] != self.link.hex():
            raise Broken(sequence, checkpoint["event_id"], "something up to here was changed with its links")

    def signed(self, checkpoint: Document, kind: str = "soma.audit.checkpoint") -> Document:
        """`checkpoint`, or what else is of this kind. Raises Broken unless it is the tenant's, and signed."""
        unsigned = {name: value for name, value in checkpoint.items() if name != "signature"}
        ours = unsigned["type"] == kind and unsigned["tenant_id"] == self.tenant
        signature = from_hex(checkpoint["signature"], 64)
        if not ours or not ed25519_verify(self.public, octets(unsigned), signature):
            detail = "checkpoint or expiry changed: it is not signed so"
            raise Broken(unsigned["sequence"], unsigned.get("event_id"), detail)
        return checkpoint


def read(text: str) -> Document:
    """The line that `text` is. Raises Broken for one that was not written so."""
    line = json.loads(text)
    if canonical(line) + "\n" != text or set(line) != MEMBERS.get(line["kind"]):
        raise Broken(line.get("sequence", 0), None, "changed: no export has such a line")
    return line


def verified(lines: Iterator[str], key: str, earlier: Document, *, expired: bool = False) -> Verifier:
    """The verifier that has taken all `lines`."""
    header = read(next(lines, "null"))
    if (header["kind"], header.get("format"), header.get("version")) != ("header", "soma.audit.export", 2):
        raise Unreadable("the first line is not the header of an export")
    verifier = Verifier(header, key, earlier, expired=expired)
    for line in lines:
        verifier.take(line)
    if not verifier.ended:
        raise Broken(verifier.sequence + 1, None, "truncated: the file ends here")
    return verifier


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(description="Verify an export of a SomaStack audit chain.")
    parser.add_argument("export")
    parser.add_argument("--key", default="", help="the public key, from somebody you trust")
    parser.add_argument("--checkpoint", help="a file with a checkpoint that you have kept")
    parser.add_argument("--expired", action="store_true", help="accept links without events")
    given = parser.parse_args()
    try:
        earlier = None
        if given.checkpoint:
            with open(given.checkpoint, encoding="utf-8") as file:
                earlier = json.load(file)
        with open(given.export, encoding="utf-8", newline="\n") as lines:
            done = verified(lines, given.key, earlier, expired=given.expired)
    except Broken as broken:
        print(f"BROKEN: {broken}")
        return 1
    except (Unreadable, OSError, ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        print(f"UNREADABLE: {type(error).__name__}: {error}")
        return 2
    if not given.key:
        print("Note: verified with the key that the export itself names.", file=sys.stderr)
    signed = f"{done.checkpoints} checkpoints, the last of {done.head['created_at']}"
    print(f"OK: {done.events} of {done.sequence} events, {signed}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
