"""Summaries of measured values."""

from collections.abc import Iterable, Sequence
from statistics import median, quantiles


def percentiles(values: Sequence[float]) -> dict[str, float]:
    """`p50` and `p95` of at least two values."""
    cuts = quantiles(values, n=20, method="inclusive")
    return {"p50": cuts[9], "p95": cuts[18]}


def medians(figures: Iterable[dict[str, float]]) -> dict[str, float]:
    """The median of each figure over several rounds, to three significant places after the point."""
    rounds = list(figures)
    return {name: round(median(one[name] for one in rounds), 3) for name in rounds[0]}
