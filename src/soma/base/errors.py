"""The error tree that every tier's own errors hang from.

SomaError
├── InvalidInput        what was sent cannot be understood (422)
│   └── LimitExceeded   what was sent is past a named limit (413 or 422)
├── Unauthenticated     nobody we know is asking (401)
├── Denied              somebody we know may not (403)
├── NotFound            not there, or not this tenant's (404)
├── Conflict            not in this state (409)
├── RateLimited         asked too often (429)
└── Unavailable         a dependency does not answer (503)
"""

from collections.abc import Sequence


class SomaError(Exception):
    """An anticipated failure. `code` is for programs, `title` for people, `detail` for this occurrence."""

    code = "internal_error"
    title = "Something failed"

    def __init__(self, detail: str, **extra: object) -> None:
        super().__init__(detail)
        self.detail = detail
        self.extra = extra


class InvalidInput(SomaError):
    """What was sent cannot be understood."""

    code = "invalid_input"
    title = "The input is not valid"


class LimitExceeded(InvalidInput):
    """What was sent is past a limit; the limit is named with its value and unit."""

    code = "limit_exceeded"
    title = "A limit is exceeded"

    def __init__(self, limit: str, *, maximum: int, actual: int, unit: str) -> None:
        super().__init__(
            f"{limit} is {actual} {unit}; the limit is {maximum} {unit}",
            limit=limit,
            maximum=maximum,
            actual=actual,
            unit=unit,
        )


class Unauthenticated(SomaError):
    """No valid credentials were presented."""

    code = "unauthenticated"
    title = "Authentication is required"


class Denied(SomaError):
    """A policy said no, or could not say yes."""

    code = "denied"
    title = "Not allowed"

    def __init__(self, detail: str, *, reasons: Sequence[str] = (), **extra: object) -> None:
        super().__init__(detail, reasons=list(reasons), **extra)
        self.reasons = tuple(reasons)


class NotFound(SomaError):
    """There is no such thing for this tenant."""

    code = "not_found"
    title = "Not found"


class Conflict(SomaError):
    """The thing is not in a state that allows this."""

    code = "conflict"
    title = "Conflict"


class RateLimited(SomaError):
    """Asked too often; the limit is named with its value, and when one may ask again (seconds)."""

    code = "rate_limited"
    title = "Too many requests"

    def __init__(self, limit: str, *, maximum: int, period: int, retry_after: int) -> None:
        super().__init__(
            f"there are more than {maximum} {limit} in {period} s; try again in {retry_after} s",
            limit=limit,
            maximum=maximum,
            period=period,
            retry_after=retry_after,
        )
        self.retry_after = retry_after


class Unavailable(SomaError):
    """A dependency does not answer."""

    code = "unavailable"
    title = "Temporarily unavailable"
