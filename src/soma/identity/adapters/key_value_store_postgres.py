"""The key-value store in unlogged tables of PostgreSQL. Its clock is the database server's.

All of it is SQL: upserts that depend on what stands there, and one function that takes its locks in order
(migration 0002). The ORM has words for neither.
"""

import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db import DataError, InterfaceError, OperationalError, connections
from django.db.backends.utils import CursorWrapper

from soma.base.database import APP, WORKER, tenant_transaction, worker_transaction
from soma.identity.domain.rate import RateDecision, RateWindow, checked_windows
from soma.identity.domain.stored import checked_key, checked_ttl, checked_value
from soma.identity.errors import NotCountable, StoreUnavailable

SWEEP_SECONDS = 60.0
SWEPT_AT_ONCE = 5000

GET = """
    SELECT value FROM key_value
    WHERE tenant_id = %(tenant)s AND key = %(key)s
      AND (expires_at IS NULL OR expires_at > clock_timestamp())
"""
SET = """
    INSERT INTO key_value AS kept (tenant_id, key, value, expires_at)
    VALUES (%(tenant)s, %(key)s, %(value)s, clock_timestamp() + %(ttl)s::interval)
    ON CONFLICT (tenant_id, key) DO UPDATE SET value = EXCLUDED.value, expires_at = EXCLUDED.expires_at
    WHERE NOT %(only_if_absent)s OR kept.expires_at <= clock_timestamp()
    RETURNING true
"""
DELETE = """
    DELETE FROM key_value WHERE tenant_id = %(tenant)s AND key = %(key)s
    RETURNING coalesce(expires_at > clock_timestamp(), true)
"""
INCREMENT = """
    INSERT INTO key_value AS kept (tenant_id, key, value, expires_at)
    VALUES (%(tenant)s, %(key)s, convert_to(%(amount)s::bigint::text, 'UTF8'),
            clock_timestamp() + %(ttl)s::interval)
    ON CONFLICT (tenant_id, key) DO UPDATE SET
        value = CASE WHEN kept.expires_at <= clock_timestamp() THEN EXCLUDED.value ELSE convert_to((
            CASE WHEN encode(kept.value, 'escape') ~ '^(0|-?[1-9][0-9]{0,18})$'
            THEN encode(kept.value, 'escape') ELSE 'not a number' END::bigint + %(amount)s::bigint
        )::text, 'UTF8') END,
        expires_at = CASE WHEN kept.expires_at <= clock_timestamp() THEN EXCLUDED.expires_at
            ELSE kept.expires_at END
    RETURNING convert_from(value, 'UTF8')::bigint
"""
HIT = "SELECT allowed, remaining, retry_after FROM soma_rate_hit(%s, %s, %s, %s)"
SWEEP_VALUES = """
    DELETE FROM key_value WHERE (tenant_id, key) IN (
        SELECT tenant_id, key FROM key_value WHERE expires_at <= clock_timestamp()
        LIMIT %s FOR UPDATE SKIP LOCKED)
"""
SWEEP_WINDOWS = """
    WITH over AS (
        DELETE FROM rate_window WHERE id IN (
            SELECT id FROM rate_window WHERE expires_at <= clock_timestamp()
            LIMIT %s FOR UPDATE SKIP LOCKED)
        RETURNING id)
    DELETE FROM rate_hit USING over WHERE window_id = over.id
"""


class PostgresKeyValueStore:
    """See KeyValueStore. Each call is a transaction of its own. What is over is removed once a minute, by
    whoever writes when it is due."""

    def __init__(self) -> None:
        self._sweeping = threading.Lock()
        self._next_sweep = time.monotonic() + SWEEP_SECONDS

    def get(self, tenant_id: UUID, key: str) -> bytes | None:
        """See KeyValueStore."""
        value = _scalar(tenant_id, GET, {"key": checked_key(key)})
        return None if value is None else bytes(value)

    def set(
        self,
        tenant_id: UUID,
        key: str,
        value: bytes,
        *,
        ttl: timedelta | None = None,
        only_if_absent: bool = False,
    ) -> bool:
        """See KeyValueStore."""
        named = {"key": checked_key(key), "ttl": checked_ttl(ttl), "value": checked_value(value)}
        kept = _scalar(tenant_id, SET, named | {"only_if_absent": only_if_absent})
        self._sweep_if_due()
        return kept is not None

    def delete(self, tenant_id: UUID, key: str) -> bool:
        """See KeyValueStore."""
        return bool(_scalar(tenant_id, DELETE, {"key": checked_key(key)}))

    def increment(self, tenant_id: UUID, key: str, amount: int = 1, *, ttl: timedelta | None = None) -> int:
        """See KeyValueStore."""
        named = {"key": checked_key(key), "ttl": checked_ttl(ttl), "amount": amount}
        try:
            counted: int = _scalar(tenant_id, INCREMENT, named)
        except DataError as error:
            raise NotCountable("What stands under the key is no whole number of 64 bits.") from error
        self._sweep_if_due()
        return counted

    def hit(self, tenant_id: UUID, windows: Sequence[RateWindow]) -> tuple[RateDecision, ...]:
        """See RateWindows. One statement for all of them."""
        ordered = sorted(checked_windows(windows), key=lambda window: window.key)
        found = dict(zip(ordered, _hit(tenant_id, ordered), strict=True))
        self._sweep_if_due()
        return tuple(found[window] for window in windows)

    def sweep(self) -> None:
        """Remove what is over, every tenant's, a few thousand rows at most."""
        with _answering(), worker_transaction(), connections[WORKER].cursor() as cursor:
            cursor.execute(SWEEP_VALUES, [SWEPT_AT_ONCE])
            cursor.execute(SWEEP_WINDOWS, [SWEPT_AT_ONCE])

    def _sweep_if_due(self) -> None:
        if time.monotonic() < self._next_sweep or not self._sweeping.acquire(blocking=False):
            return
        try:
            self._next_sweep = time.monotonic() + SWEEP_SECONDS
            self.sweep()
        finally:
            self._sweeping.release()


def _hit(tenant_id: UUID, windows: Sequence[RateWindow]) -> Iterator[RateDecision]:
    columns = (
        [window.key for window in windows],
        [window.limit for window in windows],
        [window.span for window in windows],
    )
    with _statement(HIT, [tenant_id, *columns]) as cursor:
        rows = cursor.fetchall()
    for window, (allowed, remaining, retry_after) in zip(windows, rows, strict=True):
        yield RateDecision(window=window, allowed=allowed, remaining=remaining, retry_after=retry_after)


def _scalar(tenant_id: UUID, sql: str, named: Mapping[str, Any]) -> Any:
    """The one value that `sql` returns in a transaction of the tenant; None where it returns no row."""
    with _answering(), tenant_transaction(tenant_id), connections[APP].cursor() as cursor:
        cursor.execute(sql, {**named, "tenant": tenant_id})
        row = cursor.fetchone()
    return row[0] if row else None


@contextmanager
def _statement(sql: str, values: Sequence[Any]) -> Iterator[CursorWrapper]:
    """A statement that is its own transaction and sets its tenant by itself."""
    if connections[APP].in_atomic_block:
        raise RuntimeError("the tenant of the open transaction would become another")
    with _answering(), connections[APP].cursor() as cursor:
        cursor.execute(sql, values)
        yield cursor


@contextmanager
def _answering() -> Iterator[None]:
    try:
        yield
    except (OperationalError, InterfaceError) as error:
        raise StoreUnavailable("The database does not answer for the key-value store.") from error
