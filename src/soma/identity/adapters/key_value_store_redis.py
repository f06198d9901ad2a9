"""The key-value store in Redis (6.2 or newer). Its clock is the Redis server's.

Keys are `soma:<tenant, 32 hex digits>:<kind>:<key>`.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import Any
from uuid import UUID

from soma.base.errors import InvalidInput
from soma.identity.adapters.redis_scripts import HIT, INCREMENT
from soma.identity.domain.rate import RateDecision, RateWindow, checked_windows
from soma.identity.domain.stored import checked_key, checked_ttl, checked_value
from soma.identity.errors import NotCountable, StoreUnavailable

SOCKET_SECONDS = 0.1
HEALTH_SECONDS = 30
CONNECTIONS = 64
VALUE, RATE = "value", "rate"


class RedisKeyValueStore:
    """See KeyValueStore. A call that fails has failed: nothing is tried twice, so that whoever calls knows
    of an outage within 100 ms a step and can do without."""

    def __init__(self, url: str) -> None:
        """`url` is redis://, rediss:// or unix://; the server may be away. Raises InvalidInput for another
        address, StoreUnavailable where the client is not installed."""
        self._client, self._errors = _client(url)
        self._hit: Callable[..., Any] = self._client.register_script(HIT)
        self._increment: Callable[..., Any] = self._client.register_script(INCREMENT)

    def get(self, tenant_id: UUID, key: str) -> bytes | None:
        """See KeyValueStore."""
        with self._answering():
            value: bytes | None = self._client.get(_name(tenant_id, VALUE, key))
        return value

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
        name, expiry = _name(tenant_id, VALUE, key), checked_ttl(ttl)
        with self._answering():
            return bool(self._client.set(name, checked_value(value), px=expiry, nx=only_if_absent))

    def delete(self, tenant_id: UUID, key: str) -> bool:
        """See KeyValueStore."""
        with self._answering():
            return bool(self._client.delete(_name(tenant_id, VALUE, key)))

    def increment(self, tenant_id: UUID, key: str, amount: int = 1, *, ttl: timedelta | None = None) -> int:
        """See KeyValueStore."""
        name, expiry = _name(tenant_id, VALUE, key), _milliseconds(checked_ttl(ttl))
        with self._answering():
            counted: bytes | None = self._increment(keys=[name], args=[amount, expiry])
        if counted is None:
            raise NotCountable("What stands under the key is no whole number of 64 bits.")
        return int(counted)

    def hit(self, tenant_id: UUID, windows: Sequence[RateWindow]) -> tuple[RateDecision, ...]:
        """See RateWindows. One script for all of them."""
        names = [_name(tenant_id, RATE, window.key) for window in checked_windows(windows)]
        numbers = [number for window in windows for number in (window.limit, _microseconds(window.span))]
        with self._answering():
            found: list[list[int]] = self._hit(keys=names, args=numbers)
        return tuple(
            RateDecision(window=window, allowed=not wait, remaining=remaining, retry_after=wait / 1e6)
            for window, (remaining, wait) in zip(windows, found, strict=True)
        )

    def ping(self) -> None:
        """Nothing, if the server answers. Raises StoreUnavailable."""
        with self._answering():
            self._client.ping()

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    @contextmanager
    def _answering(self) -> Iterator[None]:
        try:
            yield
        except self._errors as error:
            raise StoreUnavailable(f"Redis does not answer: {error}") from error


def _client(url: str) -> tuple[Any, type[Exception]]:
    """The client for `url`, and what it raises. The package comes with the extra `full`."""
    try:
        import redis  # noqa: PLC0415
        from redis.backoff import NoBackoff  # noqa: PLC0415
        from redis.maint_notifications import MaintNotificationsConfig  # noqa: PLC0415
        from redis.retry import Retry  # noqa: PLC0415
    except ImportError as error:
        raise StoreUnavailable("The package redis is not installed; the extra `full` brings it.") from error
    try:
        client = redis.Redis.from_url(
            url,
            socket_timeout=SOCKET_SECONDS,
            socket_connect_timeout=SOCKET_SECONDS,
            health_check_interval=HEALTH_SECONDS,
            retry=Retry(NoBackoff(), 0),
            max_connections=CONNECTIONS,
            decode_responses=False,
            # Each of these is a question more for every new connection.
            protocol=2,
            driver_info=None,
            maint_notifications_config=MaintNotificationsConfig(enabled=False),
        )
    except ValueError as error:
        raise InvalidInput("the address of Redis begins with redis://, rediss:// or unix://") from error
    return client, redis.RedisError


def _name(tenant_id: UUID, kind: str, key: str) -> str:
    return f"soma:{tenant_id.hex}:{kind}:{checked_key(key)}"


def _milliseconds(ttl: timedelta | None) -> int:
    return 0 if ttl is None else ttl // timedelta(milliseconds=1)


def _microseconds(span: timedelta) -> int:
    return span // timedelta(microseconds=1)
