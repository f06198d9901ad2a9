"""What every key-value store must do: the adapters' tests inherit these."""

import random
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from typing import TYPE_CHECKING, TypeVar
from uuid import UUID, uuid4

import pytest

from soma.base.errors import InvalidInput, LimitExceeded
from soma.identity.domain.rate import RateWindow
from soma.identity.domain.stored import MAXIMUM_VALUE_BYTES
from soma.identity.errors import NotCountable
from soma.identity.ports import NOBODY

if TYPE_CHECKING:
    from soma.identity.ports import KeyValueStore

T = TypeVar("T")
MINUTE = timedelta(minutes=1)
PATIENCE_S = 20.0
ROUNDING_S = 0.002
"""A time to live may be kept in whole milliseconds."""

KEYS = [
    "a", "A", "a ", " a", "a:b", "a:", ":a", "acme", "acme-corp", "acme:corp", "é", "e\u0301", "\U0001f600",
    "\u2028", "%", "_", "*", "'", '"', "\\", "\\0", "{a}", "a/b", "a\nb", "x" * 1024, "é" * 512, "null", "0",
]  # fmt: skip
VALUES = {
    "empty": b"",
    "NUL": b"\0",
    "bytes": b"\0\xff" * 8,
    "text": "é\U0001f600".encode(),
    "digits": b"5",
    "1 MiB": b"x" * MAXIMUM_VALUE_BYTES,
    "1 MiB of noise": random.Random(1).randbytes(MAXIMUM_VALUE_BYTES),
}


def window(key: str = "w", *, limit: int = 3, seconds: float = 60) -> RateWindow:
    return RateWindow(key=key, limit=limit, span=timedelta(seconds=seconds))


def eventually(found: Callable[[], T], wanted: Callable[[T], bool]) -> T:
    """What `found` gives once it is `wanted`."""
    until = time.monotonic() + PATIENCE_S
    while not wanted(value := found()):
        assert time.monotonic() < until, value
    return value


def eight(work: Callable[[int], T]) -> list[T]:
    """What `work` gives for 0 to 7, in eight threads that begin together."""
    from django.db import connections

    together = Barrier(8)

    def run(number: int) -> T:
        together.wait()
        try:
            return work(number)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(8) as threads:
        return list(threads.map(run, range(8)))


class KeyValueStoreContract:
    """A subclass gives the fixture `store`."""

    @pytest.fixture
    def store(self) -> "KeyValueStore":
        """The store on a server that stays up."""
        raise NotImplementedError

    @pytest.fixture
    def tenant(self) -> UUID:
        """A tenant that nobody else uses. A store asks for no row."""
        return uuid4()

    def test_what_is_not_there_is_none(self, store: "KeyValueStore", tenant: UUID) -> None:
        assert store.get(tenant, "a") is None
        assert store.delete(tenant, "a") is False

    @pytest.mark.parametrize("what", VALUES)
    def test_a_value_comes_back_as_it_was(self, store: "KeyValueStore", tenant: UUID, what: str) -> None:
        value = VALUES[what]
        assert store.set(tenant, "a", value) is True
        assert store.get(tenant, "a") == value
        assert store.set(tenant, "a", value, ttl=MINUTE) is True
        assert store.get(tenant, "a") == value

    def test_a_value_is_overwritten_and_deleted(self, store: "KeyValueStore", tenant: UUID) -> None:
        store.set(tenant, "a", b"1")
        store.set(tenant, "a", b"22")
        assert store.get(tenant, "a") == b"22"
        assert store.delete(tenant, "a") is True
        assert store.get(tenant, "a") is None
        assert store.delete(tenant, "a") is False

    def test_keys_are_told_apart_whatever_they_hold(self, store: "KeyValueStore", tenant: UUID) -> None:
        for number, key in enumerate(KEYS):
            assert store.set(tenant, key, str(number).encode(), only_if_absent=True)
        for number, key in enumerate(KEYS):
            assert store.get(tenant, key) == str(number).encode()
        for key in KEYS:
            assert store.delete(tenant, key)

    @pytest.mark.req("AUTH-004")
    def test_tenants_are_kept_apart(self, store: "KeyValueStore") -> None:
        """Also two whose ids begin alike, and the one that stands for nobody."""
        first = uuid4()
        alike = UUID(int=first.int ^ 1)
        tenants = [first, alike, NOBODY, UUID(int=first.int ^ (1 << 127))]
        name = f"a:{uuid4()}"
        for number, tenant in enumerate(tenants):
            assert store.set(tenant, name, str(number).encode(), only_if_absent=True, ttl=MINUTE)
            assert store.increment(tenant, f"{name}:n", number + 1, ttl=MINUTE) == number + 1
            assert store.hit(tenant, [window(name, limit=1)])[0].allowed
        assert store.delete(first, name)
        for number, tenant in list(enumerate(tenants))[1:]:
            assert store.get(tenant, name) == str(number).encode()
            assert store.get(tenant, f"{name}:n") == str(number + 1).encode()
            assert not store.hit(tenant, [window(name, limit=1)])[0].allowed

    @pytest.mark.parametrize("key", ["", "a\0", "\0", "\ud800", "x" * 1025, "é" * 513])
    def test_a_key_that_is_none_is_refused(self, store: "KeyValueStore", tenant: UUID, key: str) -> None:
        for call in (
            lambda: store.get(tenant, key),
            lambda: store.set(tenant, key, b""),
            lambda: store.delete(tenant, key),
            lambda: store.increment(tenant, key),
            lambda: store.hit(tenant, [window(key)]),
        ):
            with pytest.raises(InvalidInput):
                call()

    def test_a_value_past_the_limit_is_refused_and_the_limit_named(
        self, store: "KeyValueStore", tenant: UUID
    ) -> None:
        store.set(tenant, "a", b"before")
        with pytest.raises(LimitExceeded) as refused:
            store.set(tenant, "a", b"x" * (MAXIMUM_VALUE_BYTES + 1))
        assert refused.value.extra == {
            "limit": "value", "maximum": 1_048_576, "actual": 1_048_577, "unit": "bytes",
        }  # fmt: skip
        assert store.get(tenant, "a") == b"before"

    @pytest.mark.parametrize("ttl", [timedelta(), timedelta(seconds=-1), timedelta(days=400)])
    def test_a_time_that_is_none_is_refused(
        self, store: "KeyValueStore", tenant: UUID, ttl: timedelta
    ) -> None:
        with pytest.raises(InvalidInput):
            store.set(tenant, "a", b"", ttl=ttl)
        with pytest.raises(InvalidInput):
            store.increment(tenant, "a", ttl=ttl)
        with pytest.raises(InvalidInput):
            store.hit(tenant, [RateWindow(key="a", limit=1, span=ttl)])
        assert store.get(tenant, "a") is None

    def test_a_value_is_gone_after_its_time_and_not_before(
        self, store: "KeyValueStore", tenant: UUID
    ) -> None:
        ttl = timedelta(milliseconds=300)
        asked = time.monotonic()
        store.set(tenant, "a", b"1", ttl=ttl)
        answered = time.monotonic()
        while True:
            began = time.monotonic()
            value = store.get(tenant, "a")
            if value is None:
                break
            assert began <= answered + ttl.total_seconds() + ROUNDING_S
        assert time.monotonic() >= asked + ttl.total_seconds() - ROUNDING_S
        assert store.delete(tenant, "a") is False

    def test_a_new_value_has_a_time_of_its_own(self, store: "KeyValueStore", tenant: UUID) -> None:
        store.set(tenant, "gone", b"1", ttl=timedelta(milliseconds=50))
        store.set(tenant, "stays", b"1", ttl=timedelta(milliseconds=50))
        store.set(tenant, "stays", b"2")
        store.set(tenant, "goes", b"1")
        store.set(tenant, "goes", b"2", ttl=timedelta(milliseconds=50))
        for key in ("gone", "goes"):
            eventually(lambda key=key: store.get(tenant, key), lambda value: value is None)  # type: ignore[misc]
        assert store.get(tenant, "stays") == b"2"

    def test_only_what_is_absent_is_set_where_that_is_asked(
        self, store: "KeyValueStore", tenant: UUID
    ) -> None:
        assert store.set(tenant, "a", b"1", only_if_absent=True, ttl=timedelta(milliseconds=50)) is True
        assert store.set(tenant, "b", b"1", only_if_absent=True) is True
        assert store.set(tenant, "b", b"2", only_if_absent=True) is False
        assert store.get(tenant, "b") == b"1"
        eventually(lambda: store.set(tenant, "a", b"2", only_if_absent=True), bool)
        assert store.get(tenant, "a") == b"2"

    def test_of_eight_who_set_what_is_absent_one_does(self, store: "KeyValueStore", tenant: UUID) -> None:
        def race(number: int) -> list[str]:
            keys = [f"k{turn}" for turn in range(20)]
            return [key for key in keys if store.set(tenant, key, str(number).encode(), only_if_absent=True)]

        won = eight(race)
        assert sorted(key for keys in won for key in keys) == sorted(f"k{turn}" for turn in range(20))
        for number, keys in enumerate(won):
            assert all(store.get(tenant, key) == str(number).encode() for key in keys)

    def test_numbers_are_counted(self, store: "KeyValueStore", tenant: UUID) -> None:
        assert store.increment(tenant, "n") == 1
        assert store.increment(tenant, "n", 41) == 42
        assert store.increment(tenant, "n", -50) == -8
        assert store.increment(tenant, "n", 0) == -8
        assert store.get(tenant, "n") == b"-8"
        store.set(tenant, "n", b"7")
        assert store.increment(tenant, "n") == 8
        assert store.increment(tenant, "large", 2**63 - 2) == 2**63 - 2
        assert store.increment(tenant, "large") == 2**63 - 1

    @pytest.mark.parametrize(
        "value",
        [
            b"",
            b"x",
            b"1.5",
            b" 1",
            b"+1",
            b"01",
            b"0x1",
            b"1_0",
            b"-0",
            b"\xff",
            "\u0661".encode(),
            b"9" * 19,
        ],
    )
    def test_what_is_no_number_is_not_counted(
        self, store: "KeyValueStore", tenant: UUID, value: bytes
    ) -> None:
        store.set(tenant, "n", value)
        with pytest.raises(NotCountable):
            store.increment(tenant, "n")
        assert store.get(tenant, "n") == value

    @pytest.mark.parametrize("amount", [1, 2**63, -(2**64)])
    def test_no_number_leaves_64_bits(self, store: "KeyValueStore", tenant: UUID, amount: int) -> None:
        store.increment(tenant, "n", 2**63 - 1)
        with pytest.raises(NotCountable):
            store.increment(tenant, "n", amount)
        assert store.get(tenant, "n") == str(2**63 - 1).encode()

    def test_a_number_lives_from_its_beginning(self, store: "KeyValueStore", tenant: UUID) -> None:
        begun = time.monotonic()
        ttl = timedelta(milliseconds=300)
        assert store.increment(tenant, "n", ttl=ttl) == 1
        counted = [1]
        while (now := store.increment(tenant, "n", ttl=ttl)) != 1:
            counted.append(now)
            assert time.monotonic() < begun + PATIENCE_S
        assert counted == list(range(1, len(counted) + 1))
        assert time.monotonic() >= begun + ttl.total_seconds() - ROUNDING_S
        store.increment(tenant, "for good")
        store.increment(tenant, "for good", ttl=timedelta(milliseconds=1))
        assert store.increment(tenant, "for good") == 3

    def test_eight_who_count_lose_nothing(self, store: "KeyValueStore", tenant: UUID) -> None:
        def count(_: int) -> list[int]:
            return [store.increment(tenant, "n", ttl=MINUTE) for _ in range(40)]

        seen = [number for numbers in eight(count) for number in numbers]
        assert sorted(seen) == list(range(1, 321))

    def test_a_window_has_room_for_its_limit(self, store: "KeyValueStore", tenant: UUID) -> None:
        decisions = [store.hit(tenant, [window(limit=3)])[0] for _ in range(5)]
        assert [decision.allowed for decision in decisions] == [True, True, True, False, False]
        assert [decision.remaining for decision in decisions] == [2, 1, 0, 0, 0]
        assert [decision.retry_after for decision in decisions[:3]] == [0, 0, 0]
        assert all(59 < decision.retry_after <= 60 for decision in decisions[3:])
        assert all(decision.window == window(limit=3) for decision in decisions)

    def test_no_windows_are_no_decisions(self, store: "KeyValueStore", tenant: UUID) -> None:
        assert store.hit(tenant, []) == ()

    def test_two_windows_of_one_key_are_refused(self, store: "KeyValueStore", tenant: UUID) -> None:
        with pytest.raises(InvalidInput):
            store.hit(tenant, [window("a", limit=1), window("a", limit=2)])

    @pytest.mark.parametrize("limit", [0, -1, 1_000_001])
    def test_a_limit_that_is_none_is_refused(self, store: "KeyValueStore", tenant: UUID, limit: int) -> None:
        with pytest.raises(InvalidInput):
            store.hit(tenant, [window(limit=limit)])

    def test_where_one_window_is_full_no_other_is_counted(self, store: "KeyValueStore", tenant: UUID) -> None:
        wide, narrow = window("a wide", limit=10), window("narrow", limit=2)
        for _ in range(2):
            assert all(decision.allowed for decision in store.hit(tenant, [wide, narrow]))
        for _ in range(5):
            first, second = store.hit(tenant, [narrow, wide])
            assert (first.window, first.allowed) == (narrow, False)
            assert (second.window, second.allowed, second.remaining) == (wide, True, 8)
        assert store.hit(tenant, [wide])[0].remaining == 7

    def test_the_window_slides(self, store: "KeyValueStore", tenant: UUID) -> None:
        """Each hit leaves by itself: room comes back one at a time, when `retry_after` said."""
        span = 0.6
        sliding = window(limit=2, seconds=span)
        times: list[float] = []
        while len(times) < 6:
            (decision,) = store.hit(tenant, [sliding])
            if decision.allowed:
                times.append(time.monotonic())
            else:
                assert 0 < decision.retry_after <= span
                time.sleep(decision.retry_after)
        for early, late in zip(times, times[2:], strict=False):
            assert late - early > span - 0.1
        assert times[-1] - times[0] < 2 * span + 2

    def test_after_the_wait_that_was_named_there_is_room(self, store: "KeyValueStore", tenant: UUID) -> None:
        for _ in range(10):
            short = window(limit=1, seconds=0.05)
            (decision,) = store.hit(tenant, [short])
            if not decision.allowed:
                time.sleep(decision.retry_after)
                assert store.hit(tenant, [short])[0].allowed

    def test_a_smaller_limit_holds_at_once(self, store: "KeyValueStore", tenant: UUID) -> None:
        for _ in range(8):
            assert store.hit(tenant, [window(limit=10)])[0].allowed
        assert not store.hit(tenant, [window(limit=5)])[0].allowed
        assert store.hit(tenant, [window(limit=9)])[0].remaining == 0
        assert store.hit(tenant, [window(limit=20)])[0].remaining == 10

    @pytest.mark.parametrize(("limit", "seconds"), [(1, 0.1), (7, 0.2), (40, 0.3)])
    def test_never_more_than_the_limit_in_any_window(
        self, store: "KeyValueStore", tenant: UUID, limit: int, seconds: float
    ) -> None:
        """Eight at once. A hit fell at some time between its question and its answer: more than `limit` of
        them between the first question and the last answer of less than a window is one too many."""
        sliding = window(limit=limit, seconds=seconds)
        over = time.monotonic() + 5 * seconds

        def hit(seed: int) -> list[tuple[float, float]]:
            order, allowed = random.Random(seed), []
            while (asked := time.monotonic()) < over:
                if store.hit(tenant, [sliding])[0].allowed:
                    allowed.append((asked, time.monotonic()))
                if order.random() < 0.2:
                    time.sleep(order.random() * seconds / 5)
            return allowed

        hits = sorted(span for spans in eight(hit) for span in spans)
        assert len(hits) >= 2 * limit, "the windows were never used up"
        for asked, _ in hits:
            within = sum(1 for begun, ended in hits if begun >= asked and ended <= asked + seconds)
            assert within <= limit

    def test_many_windows_in_any_order_wait_for_nobody_in_vain(
        self, store: "KeyValueStore", tenant: UUID
    ) -> None:
        names = [f"w{number}" for number in range(5)]

        def hit(seed: int) -> int:
            order = random.Random(seed)
            admitted = 0
            for _ in range(40):
                chosen = order.sample(names, 3)
                decisions = store.hit(tenant, [window(name, limit=1000) for name in chosen])
                admitted += all(decision.allowed for decision in decisions)
            return admitted

        assert eight(hit) == [40] * 8
        used = [store.hit(tenant, [window(name, limit=1000)])[0] for name in names]
        assert sum(999 - decision.remaining for decision in used) == 8 * 40 * 3

    def test_a_window_that_rested_has_all_its_room_again(self, store: "KeyValueStore", tenant: UUID) -> None:
        short = window(limit=100, seconds=0.4)
        for _ in range(3):
            assert [store.hit(tenant, [short])[0].allowed for _ in range(90)] == [True] * 90
            store.set(tenant, "rest", b"", ttl=short.span)
            eventually(lambda: store.get(tenant, "rest"), lambda value: value is None)
            assert store.hit(tenant, [short])[0].remaining == 99
