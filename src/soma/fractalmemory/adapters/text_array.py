"""Arrays as PostgreSQL reads them from text: arrays of different lengths fit no array of arrays."""

from collections.abc import Iterable


def text_array(values: Iterable[str]) -> str:
    """The array of `values`, whatever they hold but NUL, which PostgreSQL does not store."""
    return "{" + ",".join(map(_quoted, values)) + "}"


def array_of(values: Iterable[str]) -> str:
    """The array of ids, each of 32 hexadecimal digits, or of numbers: to write hundreds of them as an array
    would take longer than finding them."""
    return f"{{{','.join(values)}}}"


def _quoted(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
