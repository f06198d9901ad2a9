"""Agents on real engines; only the language model behind them can be a scripted one."""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING
from uuid import UUID

import pytest
from anyio.from_thread import start_blocking_portal

if TYPE_CHECKING:
    from tests.agent.bench import Bench, Desk


@pytest.fixture(scope="session")
def desk() -> "Iterator[Desk]":
    """An event loop on a thread of its own, with the engines that all agents of the run share."""
    from tests.agent.bench import Desk

    with start_blocking_portal(backend="asyncio", backend_options={"use_uvloop": False}) as portal:
        made = Desk(portal)
        yield made
        made.close()


@pytest.fixture
def make_bench(desk: "Desk", tenant: UUID) -> "Iterator[Callable[..., Bench]]":
    """Makes benches: an agent, a principal of a fresh tenant, and a conversation."""
    from tests.agent.bench import Bench

    benches: list[Bench] = []

    def make(*args: object, **options: object) -> Bench:
        bench = Bench(desk, tenant, *args, **options)  # type: ignore[arg-type]
        benches.append(bench)
        return bench

    yield make
    for bench in benches:
        bench.close()
