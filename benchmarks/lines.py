"""What a benchmark says: results on standard output, progress on standard error."""

import sys
from typing import Any

import orjson


def emit(benchmark: str, **values: Any) -> None:
    """Print one result as a line of JSON."""
    sys.stdout.write(orjson.dumps({"benchmark": benchmark, **values}).decode() + "\n")
    sys.stdout.flush()


def tell(progress: str) -> None:
    """Print what is being done."""
    print(progress, file=sys.stderr, flush=True)
