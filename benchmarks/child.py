"""One benchmark, in a process and a home of its own: `python -m benchmarks.child turns langgraph [--quick]`.

The environment names the home; `benchmarks.__main__` makes both.
"""

import asyncio
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import django
import uvloop

from benchmarks.lines import tell
from soma.project.configuration import CONFIGURATION
from soma.project.embedded_postgres import EmbeddedPostgres

KAFKA = "--kafka="
RECORDS = "--records="


def main(words: list[str]) -> None:
    """Run the benchmarks that `words` name."""
    django.setup()
    names = [word for word in words if not word.startswith("--")]
    quick = "--quick" in words
    if names == ["model"]:
        _model(quick)
    elif names == ["hrr"]:
        _hrr(quick)
    elif names == ["memory_scale"]:
        _memory_scale(words, quick)
    elif names == ["graph"]:
        _graph(quick)
    elif names == ["learning_step"]:
        _learning_step(quick)
    elif names == ["relay"]:
        kafka = [word.removeprefix(KAFKA) for word in words if word.startswith(KAFKA)]
        _relay(kafka[0] if kafka else "", quick)
    elif names == ["replay"]:
        _replay(quick)
    elif names == ["bytes"]:
        _bytes(quick)
    else:
        _versus(names, quick)


def _model(quick: bool) -> None:
    from benchmarks.local_model import local_model  # noqa: PLC0415 - it needs Django set up

    asyncio.run(local_model(CONFIGURATION, rounds=2 if quick else 5))


def _hrr(quick: bool) -> None:
    from benchmarks.hrr import FULL, QUICK, hrr  # noqa: PLC0415 - torch takes seconds to load

    hrr(QUICK if quick else FULL)


def _memory_scale(words: list[str], quick: bool) -> None:
    with _database():
        from benchmarks.memory_scale import FULL, QUICK, memory_scale  # noqa: PLC0415 - it needs Django set up

        effort = QUICK if quick else FULL
        sizes = [int(word.removeprefix(RECORDS)) for word in words if word.startswith(RECORDS)]
        if sizes:
            effort = replace(FULL, sizes=tuple(sorted(sizes)), online=1_500, batched=6_000, questions=300)
        memory_scale(CONFIGURATION, effort)


def _graph(quick: bool) -> None:
    from benchmarks.graph import FULL, QUICK, graph  # noqa: PLC0415 - scipy takes a second to load

    graph(QUICK if quick else FULL)


def _learning_step(quick: bool) -> None:
    with _database():
        from benchmarks.learning_step import FULL, QUICK, learning_step  # noqa: PLC0415 - it needs Django set up

        learning_step(CONFIGURATION, QUICK if quick else FULL)


def _relay(kafka_servers: str, quick: bool) -> None:
    with _database():
        from benchmarks.relay import relay  # noqa: PLC0415 - it needs Django set up

        relay(CONFIGURATION, kafka_servers=kafka_servers, quick=quick)


def _replay(quick: bool) -> None:
    with _database():
        from benchmarks.replay import FULL, QUICK, replay  # noqa: PLC0415 - it needs Django set up

        asyncio.run(replay(CONFIGURATION, QUICK if quick else FULL))


def _bytes(quick: bool) -> None:
    with _database():
        from benchmarks.bytes_per_turn import bytes_per_turn  # noqa: PLC0415 - it needs Django set up

        asyncio.run(bytes_per_turn(CONFIGURATION, turns=100 if quick else 1000))


def _versus(names: list[str], quick: bool) -> None:
    with _database():
        from benchmarks.versus import FULL, QUICK, versus  # noqa: PLC0415 - they need Django set up

        uvloop.run(versus(CONFIGURATION, names, QUICK if quick else FULL))


@contextmanager
def _database() -> Iterator[None]:
    postgres = EmbeddedPostgres(CONFIGURATION.home)
    tell("starting PostgreSQL")
    postgres.start()
    try:
        from soma.project.provision import provision  # noqa: PLC0415 - it needs Django set up

        provision(CONFIGURATION)
        yield
    finally:
        postgres.release()


if __name__ == "__main__":
    main(sys.argv[1:])
    sys.stdout.flush()
    os._exit(0)  # native threads of the model or the policy may not end by themselves
