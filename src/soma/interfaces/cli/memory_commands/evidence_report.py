"""What was recalled, as bars to look at."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from soma.brain.api import Evidence, Recall
from soma.interfaces.cli.bars import bar
from soma.interfaces.cli.terminal import printable

SHOWN = 90
"""Characters of a memory in the table."""
BAR, HALF = 16, 12
"""Characters of a whole bar, and of either side of one that goes both ways."""
LEAST = 0.0005
"""A signal that adds less to the score is not drawn."""


def document(found: Recall, *, explain: bool) -> dict[str, Any]:
    """`found` as JSON, as the API gives it."""
    shown = asdict(found)
    if not explain:
        del shown["understood"], shown["timings_ms"]
    return shown


def report(console: Console, found: Recall, *, explain: bool) -> None:
    """Write the evidence with a bar for each score; with `explain` also what the query was read as, and what
    each signal added."""
    if explain:
        _understood(console, found)
    if not found.evidence:
        console.print("Nothing known bears on it.")
        return
    console.print(evidence_table(found.evidence))
    if explain:
        console.print(_signals(found))
        steps = ", ".join(f"{step} {taken:.1f}" for step, taken in found.timings_ms.items())
        console.print(f"{found.latency_ms:.1f} ms: {steps}", style="dim")


def _understood(console: Console, found: Recall) -> None:
    read = found.understood
    for name, value in (
        ("meaning of", read.dense),
        ("terms", ", ".join(read.terms)),
        ("about", ", ".join(read.named) or read.asked_of),
        ("when", ", ".join(read.periods) or ("asks for a time" if read.wants_time else "")),
    ):
        if value:
            console.print(f"  {name:<11} {printable(value)}", style="dim")


def evidence_table(evidence: Sequence[Evidence]) -> Table:
    """At least one piece of evidence, each with a bar for its score."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("#", justify="right")
    table.add_column("score", justify="right")
    table.add_column("", width=BAR)
    table.add_column("sure", justify="right")
    table.add_column("when")
    table.add_column("who")
    table.add_column("memory", overflow="fold")
    best = max(each.score for each in evidence)
    for place, each in enumerate(evidence, 1):
        table.add_row(
            str(place),
            f"{each.score:.2f}",
            Text(bar(each.score, best, BAR), style="green"),
            f"{each.confidence:.0%}",
            f"{each.occurred_at:%Y-%m-%d}",
            Text(printable(each.speaker or each.role)),
            Text(_brief(each.content)),
        )
    return table


def _signals(found: Recall) -> Table:
    """For each memory what its signals add to the score, to the right of the middle, or take from it."""
    largest = max((abs(value) for each in found.evidence for value in _explained(each).values()), default=1.0)
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for header, justify in (("#", "right"), ("signal", "left"), ("− takes", "right"), ("adds +", "left")):
        table.add_column(header, justify="right" if justify == "right" else "left")
    table.add_column("", justify="right")
    for place, each in enumerate(found.evidence, 1):
        drawn = sorted(_explained(each).items(), key=lambda item: -abs(item[1]))
        for row, (name, value) in enumerate(drawn):
            right = bar(abs(value), largest, HALF).rstrip()
            table.add_row(
                str(place) if row == 0 else "",
                name,
                Text("" if value > 0 else "█" * max(1, round(abs(value) / largest * HALF)), style="red"),
                Text(right if value > 0 else "", style="green"),
                f"{value:+.3f}",
                end_section=row == len(drawn) - 1,
            )
    return table


def _explained(evidence: Evidence) -> dict[str, float]:
    return {name: value for name, value in (evidence.explanation or {}).items() if abs(value) >= LEAST}


def _brief(text: str) -> str:
    line = " ".join(printable(text).split())
    return line if len(line) <= SHOWN else f"{line[: SHOWN - 1]}…"
