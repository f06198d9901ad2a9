"""Exit codes that scripts can rely on."""

from enum import IntEnum

from soma.base.errors import Conflict, Denied, InvalidInput, NotFound, SomaError, Unauthenticated, Unavailable


class Exit(IntEnum):
    """How a command ended."""

    OK = 0
    FAILED = 1
    USAGE = 2
    DENIED = 3
    NOT_READY = 4
    BROKEN = 5
    INTERRUPTED = 130


class NotReady(Unavailable):
    """This machine lacks something that the command needs."""

    code = "not_ready"
    title = "This machine is not ready"


_CODES: tuple[tuple[type[SomaError], Exit], ...] = (
    (Denied, Exit.DENIED),
    (Unauthenticated, Exit.DENIED),
    (InvalidInput, Exit.USAGE),
    (NotFound, Exit.USAGE),
    (Conflict, Exit.USAGE),
    (Unavailable, Exit.NOT_READY),
)


def exit_of(error: SomaError) -> Exit:
    """The exit code that says what kind of failure `error` is."""
    return next((code for family, code in _CODES if isinstance(error, family)), Exit.FAILED)


def explained(error: SomaError) -> str:
    """`error` in one line for a person, with the reasons of a denial."""
    reasons = error.reasons if isinstance(error, Denied) else ()
    return " ".join([f"{error.title}: {error.detail}", *(f"({reason})" for reason in reasons)])
