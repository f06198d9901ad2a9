"""A tenant's log for somebody outside, as JSON Lines.

The first line is the header: the format, the tenant, the public key, the `head`, a checkpoint that was signed
for this export and says where it ends, and the `expiry`, signed by the retention, which says up to where
events may be gone; null where none are. Then by sequence, each on a line of its own:
- an event {"kind": "event", "event": the document that the chain covers},
- its link {"kind": "link", "sequence", "event_id", "link": 128 hex digits},
- where one was signed a checkpoint {"kind": "checkpoint", "checkpoint": …}.
The last line counts them. Each line is canonical. An event that the log no longer keeps is left out; its link
is not.

To verify: link n is SHA3-512 of the 64 bytes of link n-1 (zeros before the first) and the RFC 8785 bytes of
the document of event n, where integers past 2**53 stand in all their digits. A checkpoint's signature is
Ed25519 over the RFC 8785 bytes of the checkpoint without its member "signature"; so is an expiry's.
"""

from collections.abc import Iterator
from typing import Any

from soma.base.canonical_json import canonical_json
from soma.events.audit.checkpoint import Checkpoint, key_id_of
from soma.events.audit.event_document import stored_document
from soma.events.audit.evidence import Evidence, Page
from soma.events.audit.expiry import Expiry
from soma.events.audit.link import Link
from soma.events.event import StoredEvent

FORMAT = "soma.audit.export"
VERSION = 2


def exported(
    evidence: Evidence, head: Checkpoint, *, public: bytes, expiry: Expiry | None = None
) -> Iterator[bytes]:
    """The lines of the export that ends with `head`."""
    yield _line(
        {
            "kind": "header",
            "format": FORMAT,
            "version": VERSION,
            "tenant_id": str(head.tenant_id),
            "public_key": {"key_id": key_id_of(public), "algorithm": "Ed25519", "public": public.hex()},
            "head": head.as_json(),
            "expiry": expiry.as_json() if expiry else None,
        }
    )
    counts = dict.fromkeys(("event", "link", "checkpoint"), 0)
    for page in _pages(evidence, head.sequence):
        for kind, line in _lines(page, head):
            counts[kind] += 1
            yield line
    yield _line({"kind": "end", **{f"{kind}s": count for kind, count in counts.items()}})


def _pages(evidence: Evidence, last: int) -> Iterator[Page]:
    after, more = 0, True
    while more and after < last:
        page = evidence.page(after, last)
        if page.missing is not None:
            raise page.missing
        yield page
        reached = [link.sequence for link in page.links] + [event.sequence for event in page.events]
        after = max([after, *reached])
        more = page.more


def _lines(page: Page, head: Checkpoint) -> Iterator[tuple[str, bytes]]:
    """The page's lines up to `head`, by sequence: event, link, checkpoint."""
    found = list[tuple[int, int, StoredEvent | Link | Checkpoint]]()
    found += [(event.sequence, 0, event) for event in page.events]
    found += [(link.sequence, 1, link) for link in page.links]
    found += [(each.sequence, 2, each) for each in page.checkpoints if each.number <= head.number]
    for sequence, _, each in sorted(found, key=lambda entry: entry[:2]):
        if sequence > head.sequence:
            continue
        if isinstance(each, StoredEvent):
            yield "event", b'{"event":%s,"kind":"event"}\n' % stored_document(each)
        elif isinstance(each, Link):
            yield "link", _line(_link(each))
        else:
            yield "checkpoint", _line({"kind": "checkpoint", "checkpoint": each.as_json()})


def _link(link: Link) -> dict[str, Any]:
    return {
        "kind": "link",
        "sequence": link.sequence,
        "event_id": str(link.event_id),
        "link": link.digest.hex(),
    }


def _line(value: dict[str, Any]) -> bytes:
    return canonical_json(value) + b"\n"
