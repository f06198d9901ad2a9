"""Where a command writes: colours and live lines on a terminal only, plain text elsewhere."""

import sys
from typing import Self

from rich.console import Console

PLAIN_WIDTH = 160
"""Columns where the width is nobody's: in a file or a pipe."""


def output() -> Console:
    """Standard output. Honours NO_COLOR."""
    return _console(stderr=False)


def notices() -> Console:
    """Standard error, for what is no result."""
    return _console(stderr=True)


def printable(text: str) -> str:
    """`text` without control characters: a model's words must not steer the terminal."""
    return "".join(character for character in text if character.isprintable() or character in "\n\t")


class Spinner:
    """Shows the latest step on a terminal and leaves nothing behind; silent elsewhere."""

    def __init__(self, console: Console) -> None:
        self._status = console.status("", spinner="dots") if console.is_terminal else None

    def __call__(self, step: str) -> None:
        """Show `step` as what is done now."""
        if self._status is not None:
            self._status.update(step)
            self._status.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *ended: object) -> None:
        self.stop()

    def stop(self) -> None:
        """Take the line away, until the next step."""
        if self._status is not None:
            self._status.stop()


def _console(*, stderr: bool) -> Console:
    stream = sys.stderr if stderr else sys.stdout
    width = None if stream.isatty() else PLAIN_WIDTH
    return Console(stderr=stderr, highlight=False, markup=False, emoji=False, soft_wrap=True, width=width)
