"""One benchmark, in a process and a home of its own: `python -m benchmarks.child turns langgraph [--quick]`.

The environment names the home; `benchmarks.__main__` makes both.
"""

import asyncio
import os
import sys

import django
import uvloop

from benchmarks.lines import tell
from soma.project.configuration import CONFIGURATION
from soma.project.embedded_postgres import EmbeddedPostgres


def main(words: list[str]) -> None:
    """Run the benchmarks that `words` name."""
    django.setup()
    names = [word for word in words if not word.startswith("--")]
    quick = "--quick" in words
    if names == ["model"]:
        _model(quick)
    else:
        _versus(names, quick)


def _model(quick: bool) -> None:
    from benchmarks.local_model import local_model  # noqa: PLC0415 - it needs Django set up

    asyncio.run(local_model(CONFIGURATION, rounds=2 if quick else 5))


def _versus(names: list[str], quick: bool) -> None:
    postgres = EmbeddedPostgres(CONFIGURATION.home)
    tell("starting PostgreSQL")
    postgres.start()
    try:
        from benchmarks.versus import FULL, QUICK, versus  # noqa: PLC0415 - they need Django set up
        from soma.project.provision import provision  # noqa: PLC0415

        provision(CONFIGURATION)
        uvloop.run(versus(CONFIGURATION, names, QUICK if quick else FULL))
    finally:
        postgres.release()


if __name__ == "__main__":
    main(sys.argv[1:])
    sys.stdout.flush()
    os._exit(0)  # native threads of the model or the policy may not end by themselves
