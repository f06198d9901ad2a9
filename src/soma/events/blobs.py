"""Contents that are named by their SHA-256: what is too long for a row or an event, and what people say.

The log cannot be changed, so it holds no words of anybody: it names them by their hash, and they are here,
where they can be deleted. A blob belongs to an owner (a conversation, an agent), shares nothing with another
owner's, and goes with it.

They are rows of the database, not files: a blob is written in the transaction of the event that names it, so
there is no event without its blobs, no blob without its event after a crash, one backup, and row-level
security in front of every one of them.
"""

import zlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from uuid import UUID

from django.db import connections

from soma.base.canonical import sha256_hex
from soma.base.clock import now
from soma.base.database import APP, RETENTION
from soma.base.errors import LimitExceeded
from soma.events.errors import BlobAltered, BlobMissing, OutsideTransaction
from soma.events.models import Blob

MAXIMUM_BYTES = 4 * 1024 * 1024
DEFLATED_FROM = 256
"""Shorter ones do not get shorter."""

# What is there stays as it is, but for how long it is kept. One row a statement: a turn keeps one or two
# contents at a time, and arrays of them cost the client more than a second statement.
KEEP = """
INSERT INTO blob (tenant_id, owner_id, hash, size, deflated, lasting, named_at, content)
VALUES (%s, %s, %s, %s::integer, %s, false, %s, %s)
ON CONFLICT (tenant_id, owner_id, hash) DO UPDATE SET named_at = excluded.named_at
"""

# What is lasting already is not even locked, so that the turns of an agent, which all name its capsule, do
# not wait for each other.
KEEP_LASTING = """
INSERT INTO blob (tenant_id, owner_id, hash, size, deflated, lasting, named_at, content)
SELECT kept.tenant_id, kept.owner_id, kept.hash, %s::integer, %s, true, %s, %s
FROM (VALUES (%s::uuid, %s::uuid, %s::bytea)) AS kept(tenant_id, owner_id, hash)
WHERE NOT EXISTS (
    SELECT FROM blob AS standing
    WHERE standing.tenant_id = kept.tenant_id AND standing.owner_id = kept.owner_id
      AND standing.hash = kept.hash AND standing.lasting)
ON CONFLICT (tenant_id, owner_id, hash) DO UPDATE SET named_at = excluded.named_at, lasting = true
"""

READ = "SELECT hash, deflated, content FROM blob WHERE owner_id = ANY(%s::uuid[]) AND hash = ANY(%s::bytea[])"

EXPIRE = """
DELETE FROM blob WHERE (tenant_id, owner_id, hash) IN (
    SELECT tenant_id, owner_id, hash FROM blob WHERE NOT lasting AND named_at < %s ORDER BY named_at LIMIT %s)
"""


@dataclass(frozen=True, kw_only=True)
class Content:
    """A content to keep for `owner_id`. `lasting`: rows name it too, or later events will, so that it stays
    as long as its owner does."""

    owner_id: UUID
    data: bytes
    lasting: bool = False

    @cached_property
    def hash(self) -> str:
        """SHA-256, 64 hex digits."""
        return sha256_hex(self.data)

    @cached_property
    def packed(self) -> tuple[bool, bytes]:
        """Whether it is stored deflated, and the bytes that are stored. Raises LimitExceeded past 4 MiB."""
        if len(self.data) > MAXIMUM_BYTES:
            raise LimitExceeded("the content", maximum=MAXIMUM_BYTES, actual=len(self.data), unit="bytes")
        if len(self.data) < DEFLATED_FROM:
            return False, self.data
        deflated = zlib.compress(self.data, 6)
        return (True, deflated) if len(deflated) < len(self.data) else (False, self.data)


def keep_blobs(tenant_id: UUID, contents: Sequence[Content], *, using: str = APP) -> None:
    """Keep `contents`, each once, in the open transaction of what names them. Raises OutsideTransaction,
    LimitExceeded past 4 MiB."""
    if not connections[using].in_atomic_block:
        raise OutsideTransaction("a blob belongs into the transaction of what names it")
    with connections[using].cursor() as cursor:
        # In one order everywhere: two transactions of one owner cannot deadlock.
        for each in sorted(contents, key=lambda each: (each.owner_id, each.hash)):
            place = (tenant_id, each.owner_id, bytes.fromhex(each.hash))
            deflated, data = each.packed
            if each.lasting:
                cursor.execute(KEEP_LASTING, [len(each.data), deflated, now(), data, *place])
            else:
                cursor.execute(KEEP, [*place, len(each.data), deflated, now(), data])


def read_blobs(owners: Collection[UUID], hashes: Collection[str], *, using: str = APP) -> Mapping[str, bytes]:
    """The contents of `hashes` that `owners` have, in the tenant of the open transaction. Raises BlobAltered
    for one that is not what its hash says."""
    with connections[using].cursor() as cursor:
        cursor.execute(READ, [list(owners), [bytes.fromhex(each) for each in hashes]])
        return {bytes(name).hex(): _content(bytes(name).hex(), *packed) for name, *packed in cursor}


def require_blobs(owners: Collection[UUID], hashes: Collection[str]) -> Mapping[str, bytes]:
    """See read_blobs. Raises BlobMissing for one that is not there (any more)."""
    found = read_blobs(owners, hashes) if hashes else {}
    for each in hashes:
        if each not in found:
            raise BlobMissing(f"the content {each} is not there any more", sha256=each)
    return found


def release_blobs(owners: Collection[UUID]) -> int:
    """Delete what `owners` have, for good, in the tenant of the open transaction; how many there were. What
    is left of it are hashes in the log."""
    return Blob.objects.filter(owner_id__in=owners).delete()[0]


def expire_blobs(before: datetime, *, limit: int) -> int:
    """Delete what is not lasting and was not named since `before`, of all tenants, `limit` at most; how many.
    On the connection of the role that may."""
    with connections[RETENTION].cursor() as cursor:
        cursor.execute(EXPIRE, [before, limit])
        return int(cursor.rowcount)


def _content(name: str, deflated: bool, stored: bytes | memoryview) -> bytes:
    try:
        data = zlib.decompress(stored) if deflated else bytes(stored)
    except zlib.error:
        data = b""
    if sha256_hex(data) != name:
        raise BlobAltered(f"the content {name} is not what its name says", sha256=name)
    return data
