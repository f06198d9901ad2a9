"""Rate windows on two stores: the second counts while the first is away, and nobody waits for it."""

import logging
import time
from collections.abc import Callable, Iterator
from uuid import uuid4

import pytest

from soma.identity.adapters.key_value_store_postgres import PostgresKeyValueStore
from soma.identity.adapters.key_value_store_redis import RedisKeyValueStore
from soma.identity.adapters.rate_windows_fallback import FallbackRateWindows
from soma.identity.errors import StoreUnavailable
from soma.project.stack.server import Server
from tests.identity.contract_key_value_store import eight, eventually, window
from tests.standing_still import standing_still

pytestmark = pytest.mark.req("AUTH-005")

WIDE = [window(limit=100_000)]


@pytest.fixture
def server(own_server: Callable[[str], Server]) -> Server:
    return own_server("redis")


@pytest.fixture
def redis(server: Server) -> Iterator[RedisKeyValueStore]:
    store = RedisKeyValueStore(server.address)
    yield store
    store.close()


@pytest.fixture
def rates(redis: RedisKeyValueStore) -> FallbackRateWindows:
    return FallbackRateWindows(redis, PostgresKeyValueStore())


def test_the_first_counts_while_it_answers(rates: FallbackRateWindows, redis: RedisKeyValueStore) -> None:
    tenant = uuid4()
    assert rates.hit(tenant, WIDE)[0].remaining == 99_999
    assert redis.hit(tenant, WIDE)[0].remaining == 99_998
    assert PostgresKeyValueStore().hit(tenant, WIDE)[0].remaining == 99_999
    assert rates.degraded is None


def test_the_second_counts_while_the_first_is_away_and_then_the_first_again(
    server: Server, rates: FallbackRateWindows, redis: RedisKeyValueStore, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    tenant = uuid4()
    rates.hit(tenant, WIDE)
    server.kill()
    counted = [rates.hit(tenant, [window(limit=3)])[0] for _ in range(5)]
    assert [decision.allowed for decision in counted] == [True, True, True, False, False]
    assert "Redis does not answer" in (rates.degraded or "")
    server.start()
    eventually(lambda: rates.hit(tenant, WIDE)[0], lambda _: rates.degraded is None)
    assert redis.hit(tenant, WIDE)[0].remaining < 99_999
    assert [
        record.message.split(":")[0] for record in caplog.records if "rate windows" in record.message
    ] == [
        "rate windows are counted in the second store",
        "rate windows are counted in the first store again",
    ]


def test_a_first_that_stands_still_costs_one_caller_a_second_its_time(
    server: Server, rates: FallbackRateWindows
) -> None:
    def hit(_: int) -> list[float]:
        tenant, took, over = uuid4(), [], time.monotonic() + 2.5
        while time.monotonic() < over:
            begun = time.monotonic()
            assert rates.hit(tenant, WIDE)[0].allowed
            took.append(time.monotonic() - begun)
        return took

    rates.hit(uuid4(), WIDE)
    with standing_still(server):
        took = [seconds for each in eight(hit) for seconds in each]
    # Each may find out for itself at the moment in which it stops; from then on one a second does. Were each
    # call to find out, all would be slow, and there would be 200 of them.
    assert sum(seconds > 0.1 for seconds in took) < len(took) / 10
    assert len(took) > 300
    eventually(lambda: rates.hit(uuid4(), WIDE), lambda _: rates.degraded is None)


def test_nothing_is_counted_where_neither_answers(
    server: Server, redis: RedisKeyValueStore, own_server: Callable[[str], Server]
) -> None:
    second = own_server("redis")
    other = RedisKeyValueStore(second.address)
    rates = FallbackRateWindows(redis, other)
    server.stop()
    second.stop()
    for _ in range(3):
        with pytest.raises(StoreUnavailable):
            rates.hit(uuid4(), WIDE)
    second.start()
    assert rates.hit(uuid4(), WIDE)[0].allowed
    other.close()


def test_the_first_may_be_away_from_the_beginning(server: Server) -> None:
    server.stop()
    store = RedisKeyValueStore(server.address)
    rates = FallbackRateWindows(store, PostgresKeyValueStore())
    assert rates.hit(uuid4(), WIDE)[0].allowed
    store.close()
