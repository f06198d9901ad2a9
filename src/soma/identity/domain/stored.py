"""What a key-value store takes."""

from datetime import timedelta

from soma.base.errors import InvalidInput, LimitExceeded

MAXIMUM_KEY_BYTES = 1024
MAXIMUM_VALUE_BYTES = 1_048_576
LONGEST = timedelta(days=366)


def checked_key(key: str) -> str:
    """`key`: 1 to 1,024 bytes of UTF-8 without a NUL. Raises InvalidInput, LimitExceeded."""
    try:
        size = len(key.encode())
    except UnicodeEncodeError as error:
        raise InvalidInput("a key holds a lone surrogate") from error
    if size > MAXIMUM_KEY_BYTES:
        raise LimitExceeded("key", maximum=MAXIMUM_KEY_BYTES, actual=size, unit="bytes")
    if not key or "\0" in key:
        raise InvalidInput("a key is a text that is not empty and holds no NUL")
    return key


def checked_value(value: bytes) -> bytes:
    """`value`: up to 1 MiB. Raises LimitExceeded."""
    if len(value) > MAXIMUM_VALUE_BYTES:
        raise LimitExceeded("value", maximum=MAXIMUM_VALUE_BYTES, actual=len(value), unit="bytes")
    return value


def checked_span(span: timedelta) -> timedelta:
    """`span`: a millisecond to a year. Raises InvalidInput."""
    if not timedelta(milliseconds=1) <= span <= LONGEST:
        raise InvalidInput(f"a time to live, or a window, is one millisecond to {LONGEST.days} days long")
    return span


def checked_ttl(ttl: timedelta | None) -> timedelta | None:
    """`ttl`, None for good. Raises InvalidInput."""
    return None if ttl is None else checked_span(ttl)
