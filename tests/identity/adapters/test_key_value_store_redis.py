"""The key-value store in Redis: the contract, and everything that can become of a server."""

import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from uuid import uuid4

import pytest
import redis

from soma.base.errors import InvalidInput
from soma.identity.adapters.key_value_store_redis import RedisKeyValueStore
from soma.identity.errors import StoreUnavailable
from soma.project.stack.server import Server
from tests.identity.contract_key_value_store import MINUTE, KeyValueStoreContract, eventually, window
from tests.standing_still import standing_still

pytestmark = pytest.mark.req("AUTH-005")


class TestRedis(KeyValueStoreContract):
    """The contract."""

    @pytest.fixture
    def store(self, shared_server: Callable[[str], Server]) -> Iterator[RedisKeyValueStore]:
        store = RedisKeyValueStore(shared_server("redis").address)
        yield store
        store.close()


STEP_S = 0.1
SLACK_S = 0.5
"""What two busy cores may add."""
TENANT = uuid4()


@pytest.fixture
def server(own_server: Callable[[str], Server]) -> Server:
    """A server that the test may stop and kill."""
    return own_server("redis")


@pytest.fixture
def client(server: Server) -> Iterator[RedisKeyValueStore]:
    """A store on it."""
    store = RedisKeyValueStore(server.address)
    yield store
    store.close()


CALLS: dict[str, Callable[[RedisKeyValueStore], object]] = {
    "get": lambda store: store.get(TENANT, "a"),
    "set": lambda store: store.set(TENANT, "a", b"1"),
    "delete": lambda store: store.delete(TENANT, "b"),
    "increment": lambda store: store.increment(TENANT, "n"),
    "hit": lambda store: store.hit(TENANT, [window("w", limit=1000)]),
    "ping": lambda store: store.ping(),
}


def refused(store: RedisKeyValueStore, call: str) -> str:
    """What a call that must fail says, which must come in time: one step to connect, one to ask."""
    begun = time.monotonic()
    with pytest.raises(StoreUnavailable) as failure:
        CALLS[call](store)
    assert time.monotonic() - begun < 2 * STEP_S + SLACK_S
    return failure.value.detail


@pytest.mark.parametrize("call", CALLS)
def test_a_server_that_is_down_is_said_in_time_and_used_again(
    server: Server, client: RedisKeyValueStore, call: str
) -> None:
    CALLS[call](client)
    server.stop()
    for _ in range(3):
        assert refused(client, call).startswith("Redis does not answer: ")
    server.start()
    CALLS[call](client)


def test_a_server_that_stands_still_is_said_in_time_and_mixes_nothing_up(
    server: Server, client: RedisKeyValueStore
) -> None:
    for number in range(20):
        client.set(TENANT, f"k{number}", str(number).encode())
    with standing_still(server):
        for call in CALLS:
            refused(client, call)
    for number in range(20):
        assert client.get(TENANT, f"k{number}") == str(number).encode()


def test_killed_and_started_again_in_the_middle(server: Server, client: RedisKeyValueStore) -> None:
    """Each thread reads only what it wrote, or hears that the store is away; afterwards all is well."""
    over = Event()

    def work(number: int) -> Counter[str]:
        told: Counter[str] = Counter()
        key, turn = f"k{number}", 0
        while not over.is_set():
            turn += 1
            value = f"{number}:{turn}".encode()
            try:
                client.set(TENANT, key, value)
                assert client.get(TENANT, key) == value
                client.hit(TENANT, [window(key, limit=5)])
                told["worked"] += 1
            except StoreUnavailable:
                told["away"] += 1
        return told

    with ThreadPoolExecutor(8) as threads:
        working = [threads.submit(work, number) for number in range(8)]
        try:
            for _ in range(3):
                server.kill()
                eventually(lambda: refused_at_all(client), bool)
                server.start()
                eventually(lambda: refused_at_all(client), lambda refused: not refused)
        finally:
            over.set()
        told = [thread.result() for thread in working]
    assert all(counts["worked"] and counts["away"] for counts in told), told
    assert client.set(TENANT, "after", b"1")
    assert client.get(TENANT, "after") == b"1"


def refused_at_all(client: RedisKeyValueStore) -> bool:
    try:
        client.ping()
    except StoreUnavailable:
        return True
    return False


def test_a_server_that_forgot_its_scripts_is_told_them_again(
    server: Server, client: RedisKeyValueStore
) -> None:
    assert client.increment(TENANT, "n") == 1
    server.stop()
    server.start()
    assert client.increment(TENANT, "n") == 2
    assert client.hit(TENANT, [window()])[0].allowed


def test_keys_say_whose_they_are_and_what_they_hold(server: Server, client: RedisKeyValueStore) -> None:
    client.set(TENANT, "a:b", b"1", ttl=MINUTE)
    client.hit(TENANT, [window("a:b")])
    with redis.Redis.from_url(server.address) as raw:
        assert set(raw.keys("*")) == {
            f"soma:{TENANT.hex}:value:a:b".encode(),
            f"soma:{TENANT.hex}:rate:a:b".encode(),
        }


def test_nothing_that_has_a_time_stays_for_good(server: Server, client: RedisKeyValueStore) -> None:
    client.set(TENANT, "a", b"1", ttl=MINUTE)
    client.increment(TENANT, "n", ttl=MINUTE)
    for _ in range(5):
        client.hit(TENANT, [window(limit=3)])
    with redis.Redis.from_url(server.address) as raw:
        assert all(0 < raw.pttl(key) <= 60_000 for key in raw.keys("*"))
        assert raw.llen(f"soma:{TENANT.hex}:rate:w") == 3


def test_a_clock_that_was_set_back_does_not_close_a_window(
    server: Server, client: RedisKeyValueStore
) -> None:
    later = round((time.time() + 7200) * 1_000_000)
    with redis.Redis.from_url(server.address) as raw:
        raw.rpush(f"soma:{TENANT.hex}:rate:w", later, later)
    decisions = [client.hit(TENANT, [window(limit=2)])[0] for _ in range(3)]
    assert [decision.allowed for decision in decisions] == [True, True, False]
    assert decisions[2].retry_after <= 60


def test_a_clock_that_was_set_back_a_little_only_makes_strict(
    server: Server, client: RedisKeyValueStore
) -> None:
    soon = round((time.time() + 30) * 1_000_000)
    with redis.Redis.from_url(server.address) as raw:
        raw.rpush(f"soma:{TENANT.hex}:rate:w", soon)
    decisions = [client.hit(TENANT, [window(limit=2)])[0] for _ in range(2)]
    assert [decision.allowed for decision in decisions] == [True, False]
    assert decisions[1].retry_after == 60


@pytest.mark.parametrize("url", ["", "127.0.0.1:6379", "http://127.0.0.1"])
def test_an_address_that_is_none_is_refused_at_once(url: str) -> None:
    with pytest.raises(InvalidInput, match="redis://"):
        RedisKeyValueStore(url)
