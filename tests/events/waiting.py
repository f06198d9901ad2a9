"""Waiting for a condition."""

import time
from collections.abc import Callable

PAUSE_SECONDS = 0.01


def wait_until(condition: Callable[[], object], *, seconds: float = 30.0) -> None:
    """Return once `condition()` is true. Raises TimeoutError."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError("the condition did not come true")
        time.sleep(PAUSE_SECONDS)
