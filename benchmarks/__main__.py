"""`python -m benchmarks [--only NAMES, as in turns,langgraph,model,memory_scale] [--quick]`: JSON lines."""

import argparse
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from benchmarks.home import fresh_home
from benchmarks.lines import tell
from benchmarks.start import start

NAMES = (
    "turns",
    "langgraph",
    "model",
    "hrr",
    "graph",
    "learning_step",
    "relay",
    "memory_scale",
    "replay",
    "bytes",
    "start",
)
SECONDS = 180.0
LONGER = {"replay": 3600.0, "bytes": 900.0}
"""A hundred turns on the local model take as long as they take."""
ALLOWED = {**LONGER, "hrr": 900.0}
"""torch-hd takes its time over 100,000 vectors."""
SECONDS_A_RECORD = 3e-3
"""What is allowed beyond that where numbers of memories are given, for 200,000 at least."""
ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS")
"""What caps the threads of numpy's libraries."""


def main() -> int:
    """Run what the command line names. Each benchmark has a process and a home of its own."""
    names, options, seconds = _arguments()
    failed = False
    for group in (["turns", "langgraph"], *([name] for name in NAMES[2:-1])):
        chosen = [name for name in group if name in names]
        allowed = ALLOWED.get(group[0], seconds)
        failed |= bool(chosen) and not _child(chosen, options, allowed)
    if "start" in names:
        with fresh_home() as home:
            start(home, _environment(home))
    return int(failed)


def _arguments() -> tuple[list[str], list[str], float]:
    """The benchmarks, the options for them, and how many seconds each may take."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Prints JSON lines.")
    parser.add_argument(
        "--only",
        default=",".join(name for name in NAMES if name not in LONGER),
        help=f"some of {','.join(NAMES)}",
    )
    parser.add_argument("--quick", action="store_true", help="few rounds: to see that it works")
    parser.add_argument("--kafka", default="", help="servers, host:port, to measure the relay on as well")
    parser.add_argument(
        "--records",
        type=int,
        nargs="+",
        default=[],
        help="sizes for memory_scale, e.g. 100000 1000000",
    )
    arguments = parser.parse_args()
    names = arguments.only.split(",")
    if unknown := set(names) - set(NAMES):
        parser.error(f"there is no benchmark {', '.join(sorted(unknown))}")
    options = [
        *(["--quick"] if arguments.quick else []),
        *([f"--kafka={arguments.kafka}"] if arguments.kafka else []),
        *(f"--records={records}" for records in arguments.records),
    ]
    return (
        names,
        options,
        SECONDS + SECONDS_A_RECORD * sum(arguments.records) + (600 if arguments.records else 0),
    )


def _child(names: list[str], options: list[str], seconds: float) -> bool:
    """Whether the benchmarks `names` ended well."""
    with fresh_home() as home:
        command = [sys.executable, "-m", "benchmarks.child", *names, *options]
        try:
            return (
                subprocess.run(command, env=_environment(home), timeout=seconds, check=False).returncode == 0
            )
        except subprocess.TimeoutExpired:
            tell(f"{', '.join(names)}: stopped after {seconds:g} s")
            return False


def _environment(home: Path) -> Mapping[str, str]:
    """This environment without any setting of SomaStack's, so that everybody measures the same."""
    inherited = {  # the environment is handed on here, not read
        name: value
        for name, value in os.environ.items()  # noqa: TID251
        if not name.startswith(("SOMAGENT_", "SA01_", "LANGSMITH_", "LANGCHAIN_"))
    }
    return {
        **inherited,
        **dict.fromkeys(ONE_THREAD, "1"),
        "DJANGO_SETTINGS_MODULE": "soma.project.settings",
        "SOMAGENT_HOME": str(home),
    }


if __name__ == "__main__":
    sys.exit(main())
