"""Contents are kept once an owner, in the transaction of what names them, and as long as that needs."""

from datetime import timedelta
from uuid import UUID

import psycopg
import pytest
from django.db import DatabaseError, connections
from hypothesis import given, settings
from hypothesis import strategies as st

from soma.base.canonical import sha256_hex
from soma.base.clock import now
from soma.base.crypto import SigningKey
from soma.base.database import APP, RETENTION, tenant_transaction
from soma.base.errors import LimitExceeded
from soma.base.ids import new_id
from soma.events.api import (
    AuditSigner,
    BlobAltered,
    BlobMissing,
    ConsumerRunner,
    Content,
    OutsideTransaction,
    PostgresEventLog,
    Retention,
    keep_blobs,
    read_blobs,
    release_blobs,
    require_blobs,
)
from soma.events.blobs import MAXIMUM_BYTES
from soma.events.models import Blob

pytestmark = pytest.mark.req("REPLAY-002")


@pytest.fixture
def tenant() -> UUID:
    return new_id()


def keep(tenant: UUID, owner: UUID, *data: bytes, lasting: bool = False) -> list[str]:
    contents = [Content(owner_id=owner, data=each, lasting=lasting) for each in data]
    with tenant_transaction(tenant):
        keep_blobs(tenant, contents)
    return [each.hash for each in contents]


def read(tenant: UUID, owner: UUID, *hashes: str) -> dict[str, bytes]:
    with tenant_transaction(tenant):
        return dict(read_blobs([owner], hashes))


def test_it_is_named_by_its_hash_and_comes_back(tenant: UUID) -> None:
    owner, data = new_id(), [b"", b"short", b"long " * 1000, bytes(range(256)) * 4]
    hashes = keep(tenant, owner, *data)
    assert hashes == [sha256_hex(each) for each in data]
    assert read(tenant, owner, *hashes) == dict(zip(hashes, data, strict=True))


@settings(max_examples=25, deadline=None)
@given(data=st.binary(max_size=3000))
def test_any_content_comes_back(data: bytes) -> None:
    tenant, owner = new_id(), new_id()
    [name] = keep(tenant, owner, data)
    assert read(tenant, owner, name) == {name: data}


def test_long_ones_are_deflated(tenant: UUID) -> None:
    keep(tenant, new_id(), b"again and " * 1000)
    with tenant_transaction(tenant):
        [row] = Blob.objects.all()
    assert row.size == 10_000
    assert len(row.content) < 200


def test_the_same_is_kept_once_an_owner(tenant: UUID) -> None:
    mine, other = new_id(), new_id()
    for owner in (mine, mine, other):
        keep(tenant, owner, b"the same", b"the same")
    with tenant_transaction(tenant):
        assert Blob.objects.count() == 2


def test_another_tenant_and_another_owner_have_nothing(tenant: UUID) -> None:
    owner = new_id()
    [name] = keep(tenant, owner, b"mine alone")
    assert read(new_id(), owner, name) == {}
    assert read(tenant, new_id(), name) == {}
    with tenant_transaction(new_id()), pytest.raises(DatabaseError, match="row-level security"):
        keep_blobs(tenant, [Content(owner_id=owner, data=b"smuggled")])


def test_it_goes_with_its_transaction(tenant: UUID) -> None:
    owner = new_id()
    content = Content(owner_id=owner, data=b"never named")

    def kept_and_lost() -> None:
        with tenant_transaction(tenant):
            keep_blobs(tenant, [content])
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        kept_and_lost()
    assert read(tenant, owner, content.hash) == {}
    with pytest.raises(OutsideTransaction):
        keep_blobs(tenant, [content])


def test_what_is_gone_or_altered_is_named(tenant: UUID, superuser: psycopg.Connection) -> None:
    owner = new_id()
    [name] = keep(tenant, owner, b"true words " * 100)
    with tenant_transaction(tenant), pytest.raises(BlobMissing, match="ab" * 32):
        require_blobs([owner], ["ab" * 32])
    superuser.execute(
        "UPDATE blob SET content = 'false words', deflated = false WHERE owner_id = %s", [owner]
    )
    with tenant_transaction(tenant), pytest.raises(BlobAltered, match=name):
        require_blobs([owner], [name])
    superuser.execute("UPDATE blob SET deflated = true WHERE owner_id = %s", [owner])
    with tenant_transaction(tenant), pytest.raises(BlobAltered, match=name):
        read_blobs([owner], [name])


def test_nobody_rewrites_one(tenant: UUID) -> None:
    owner = new_id()
    keep(tenant, owner, b"written once")
    with pytest.raises(DatabaseError, match="permission denied"), tenant_transaction(tenant):
        Blob.objects.filter(owner_id=owner).update(content=b"other")


def test_an_owner_is_released_with_all_that_it_has(tenant: UUID) -> None:
    owner, other = new_id(), new_id()
    keep(tenant, owner, b"one", b"two", lasting=True)
    [left] = keep(tenant, other, b"one")
    with tenant_transaction(tenant):
        assert release_blobs([owner]) == 2
    assert read(tenant, other, left) == {left: b"one"}


def test_too_long_a_content_is_refused(tenant: UUID) -> None:
    with pytest.raises(LimitExceeded, match=str(MAXIMUM_BYTES)):
        keep(tenant, new_id(), b"x" * (MAXIMUM_BYTES + 1))


def test_retention_deletes_what_only_old_events_name(tenant: UUID, superuser: psycopg.Connection) -> None:
    owner, log = new_id(), PostgresEventLog()
    [lasting] = keep(tenant, owner, b"a message", lasting=True)
    [old, again, young] = keep(tenant, owner, b"a record", b"named again", b"of today")
    superuser.execute(
        "UPDATE blob SET named_at = %s WHERE owner_id = %s AND hash <> %s",
        [now() - timedelta(days=40), owner, bytes.fromhex(young)],
    )
    keep(tenant, owner, b"named again")
    signer = AuditSigner(SigningKey.from_seed(b"b" * 32))
    assert Retention(log, ConsumerRunner(log, []), signer=signer, days=30).sweep().blobs >= 1
    assert set(read(tenant, owner, lasting, old, again, young)) == {lasting, again, young}


def test_the_retention_cannot_take_what_is_young_or_lasting(tenant: UUID) -> None:
    owner = new_id()
    keep(tenant, owner, b"young")
    keep(tenant, owner, b"lasting", lasting=True)
    with connections[RETENTION].cursor() as cursor:
        cursor.execute("DELETE FROM blob WHERE owner_id = %s", [owner])
        assert cursor.rowcount == 0
    with tenant_transaction(tenant):
        assert Blob.objects.using(APP).filter(owner_id=owner).count() == 2
