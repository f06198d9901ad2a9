"""What an agent has learned, drawn over its turns."""

from collections.abc import Mapping, Sequence
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from soma.interfaces.cli.terminal import printable

WIDTH = 60
"""Columns of a line; of more checkpoints, those of one column are a mean."""
LEVELS = "▁▂▃▄▅▆▇█"
FINEST = 0.01
"""A line is drawn to its own range, but what moves less than this is flat."""
GROUPS: dict[str, tuple[str, ...]] = {
    "weights": ("alpha", "beta", "gamma", "tau", "lambda", "mu", "nu"),
    "neuromodulators": ("dopamine", "serotonin", "norepinephrine", "acetylcholine"),
}
MARKS = {"turn": "·", "feedback": "+", "rollback": "↶"}


def report(console: Console, learning: Mapping[str, Any]) -> None:
    """Write where the agent stands, a line for each of its numbers, and how it ranks its namespaces."""
    checkpoints = learning["checkpoints"]
    console.print(f"{printable(learning['agent'])} after {learning['step']} steps", style="bold")
    if not checkpoints:
        console.print("It has learned nothing yet.")
        return
    first, last = checkpoints[0], checkpoints[-1]
    console.print(
        f"  expected reward {learning['reward_baseline']:.3f}, checkpoints {first['sequence']} to "
        f"{last['sequence']}, {first['created_at'][:19]} to {last['created_at'][:19]}"
    )
    console.print(_lines(checkpoints))
    if learning["rankings"]:
        console.print(_rankings(learning["rankings"]))


def _lines(checkpoints: Sequence[Mapping[str, Any]]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for header, justify in (("", "left"), ("first", "right"), ("", "left"), ("now", "right")):
        table.add_column(header, justify="right" if justify == "right" else "left", no_wrap=True)
    table.add_column("moved", justify="right")
    for group, names in GROUPS.items():
        for name in names:
            values = [each[group][name] for each in checkpoints]
            moved = values[-1] - values[0]
            table.add_row(
                name,
                f"{values[0]:.3f}",
                Text(line(values), style="cyan" if group == "weights" else "magenta"),
                f"{values[-1]:.3f}",
                Text(f"{moved:+.3f}" if moved else "", style="green" if moved > 0 else "red"),
                end_section=name == names[-1],
            )
    table.add_row("", "", Text(_events(checkpoints), style="dim"), "", "")
    table.caption = (
        f"{MARKS['feedback']} feedback  {MARKS['rollback']} rollback" if _marked(checkpoints) else None
    )
    return table


def line(values: Sequence[float]) -> str:
    """`values` as one line of at most WIDTH characters, each as high as its mean."""
    means = [sum(values[start:end]) / (end - start) for start, end in _columns(len(values))]
    low, high = min(means), max(means)
    middle, span = (low + high) / 2, max(high - low, FINEST)
    heights = (round(((mean - middle) / span + 0.5) * (len(LEVELS) - 1)) for mean in means)
    return "".join(LEVELS[height] for height in heights)


def _columns(count: int) -> list[tuple[int, int]]:
    """Which values stand in each column."""
    columns = min(count, WIDTH)
    return [(count * each // columns, count * (each + 1) // columns) for each in range(columns)]


def _events(checkpoints: Sequence[Mapping[str, Any]]) -> str:
    """A mark under each column for the rarest of what happened there."""
    kinds = [each["kind"] for each in checkpoints]
    order = list(MARKS)
    return "".join(MARKS[max(kinds[start:end], key=order.index)] for start, end in _columns(len(checkpoints)))


def _marked(checkpoints: Sequence[Mapping[str, Any]]) -> bool:
    return any(each["kind"] != "turn" for each in checkpoints)


def _rankings(rankings: Sequence[Mapping[str, Any]]) -> Table:
    table = Table(title="Learned rankings", title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    for header in ("namespace", "version", "questions", "trust", "follows", "moved most"):
        table.add_column(header, overflow="fold")
    for each in rankings:
        moved = sorted(each["moved"].items(), key=lambda item: -abs(item[1]))[:3]
        table.add_row(
            Text(printable(each["namespace"])),
            str(each["version"]),
            str(each["questions"]),
            f"{each['trust']:+.1f}",
            ", ".join(f"{name} {share:.0%}" for name, share in each["shares"].items()),
            ", ".join(f"{name} {change:+.2f}" for name, change in moved if change),
        )
    return table
