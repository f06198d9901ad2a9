"""What streams of questions with feedback came to: means, intervals, earlier against later, the worst."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray

from benchmarks.lines import emit
from benchmarks.retrieval_metrics import Metrics

Floats = NDArray[np.float64]

FIGURES = ("recall_at_10", "ndcg_at_10")
RESAMPLES = 1000
PARTS = 5


@dataclass(frozen=True, kw_only=True, slots=True)
class Outcome:
    """One conversation in one order: its questions by id as they were asked, and how well each was answered
    without learning and with it."""

    conversation: str
    asked: Sequence[str]
    frozen: Sequence[Metrics]
    adaptive: Sequence[Metrics]

    def gained(self) -> Floats:
        """What learning brought, question by question, in percent, (n, figures)."""
        return _rows(self.adaptive) - _rows(self.frozen)


def report(what: str, outcomes: Sequence[Outcome]) -> None:
    """Print a line. Differences are to what is shipped, means over orders, with 95 % intervals: over
    questions, and for what later questions gain over earlier ones over streams."""
    frozen = np.concatenate([_rows(each.frozen) for each in outcomes])
    adaptive = np.concatenate([_rows(each.adaptive) for each in outcomes])
    halves = np.array([_parts(each.gained(), 2) for each in outcomes])
    parts = np.array([_parts(each.gained(), PARTS) for each in outcomes]).mean(axis=0)
    emit(
        "learning, %",
        what=what,
        streams=len(outcomes),
        questions=len(_by_question(outcomes)),
        frozen=_named(frozen.mean(axis=0)),
        adaptive=_named(adaptive.mean(axis=0)),
        difference=_interval(_by_question(outcomes)),
        by_fifth_of_the_stream={
            name: [round(float(value), 1) for value in parts[:, place]] for place, name in enumerate(FIGURES)
        },
        first_half=_interval(halves[:, 0]),
        second_half=_interval(halves[:, 1]),
        second_less_first=_interval(halves[:, 1] - halves[:, 0]),
        worst_conversation=_named(_by_conversation(outcomes).min(axis=0)),
        worst_stream=_named(np.min([each.gained().mean(axis=0) for each in outcomes], axis=0)),
    )


def _rows(measured: Sequence[Metrics]) -> Floats:
    return 100.0 * np.array([[asdict(each)[name] for name in FIGURES] for each in measured])


def _parts(gained: Floats, count: int) -> Floats:
    return np.array([part.mean(axis=0) for part in np.array_split(gained, count)])


def _by_question(outcomes: Sequence[Outcome]) -> Floats:
    """What learning brought to each question, over all orders: (questions, figures)."""
    gained = dict[tuple[str, str], list[Floats]]()
    for each in outcomes:
        for name, row in zip(each.asked, each.gained(), strict=True):
            gained.setdefault((each.conversation, name), []).append(row)
    return np.array([np.mean(rows, axis=0) for rows in gained.values()])


def _by_conversation(outcomes: Sequence[Outcome]) -> Floats:
    """What learning brought to each conversation, over all orders: (conversations, figures)."""
    gained = dict[str, list[Floats]]()
    for each in outcomes:
        gained.setdefault(each.conversation, []).append(each.gained().mean(axis=0))
    return np.array([np.mean(rows, axis=0) for rows in gained.values()])


def _interval(rows: Floats) -> Mapping[str, Mapping[str, float]]:
    """The mean of `rows`, and the bounds of its 95 % interval (bootstrap over them)."""
    rng = np.random.default_rng(0)
    means = rows[rng.integers(len(rows), size=(RESAMPLES, len(rows)))].mean(axis=1)
    low, high = np.quantile(means, [0.025, 0.975], axis=0)
    return {"mean": _named(rows.mean(axis=0)), "low": _named(low), "high": _named(high)}


def _named(values: Floats) -> Mapping[str, float]:
    return {name: round(float(value), 1) for name, value in zip(FIGURES, values, strict=True)}
