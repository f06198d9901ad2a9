"""Bars of block characters."""

EIGHTHS = " ▏▎▍▌▋▊▉"


def bar(value: float, largest: float, width: int) -> str:
    """`value` as a bar that fills `width` characters at `largest`, in eighths of a character."""
    share = max(0.0, value) / largest if largest > 0 else 0.0
    eighths = round(min(1.0, share) * width * 8)
    whole, rest = divmod(eighths, 8)
    return ("█" * whole + EIGHTHS[rest] * bool(rest)).ljust(width)
