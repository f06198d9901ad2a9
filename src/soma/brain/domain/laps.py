"""How long each step of something takes."""

import time


class Laps:
    """A stopwatch; it runs from when it is made."""

    def __init__(self) -> None:
        self._started = self._last = time.perf_counter()
        self.milliseconds: dict[str, float] = {}

    def lap(self, step: str) -> None:
        """`step` is done, perhaps again: it has taken what passed since the last one was."""
        moment = time.perf_counter()
        self.milliseconds[step] = self.milliseconds.get(step, 0.0) + (moment - self._last) * 1e3
        self._last = moment

    @property
    def total_ms(self) -> float:
        """From the start to the end of the last step."""
        return (self._last - self._started) * 1e3
