"""A context bundle as tables with bars."""

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from soma.agent.api import ContextBundle
from soma.brain.api import Suggestion
from soma.interfaces.cli.bars import bar
from soma.interfaces.cli.memory_commands.evidence_report import evidence_table
from soma.interfaces.cli.terminal import printable

BAR, HALF = 24, 12
"""Characters of a whole bar, and of either side of one that goes both ways."""
TERMS = ("confidence", "cost", "latency")


def report(console: Console, bundle: ContextBundle) -> None:
    """Write the bundle: evidence, lanes with what they leave out, suggestions, what must not be done."""
    console.print(f"{printable(bundle.agent)}, on {printable(bundle.model)}", style="bold")
    segment = bundle.segment
    if segment is not None:
        console.print(
            f"  subject since turn {segment.start} of {segment.turns}, {segment.length} long; "
            f"a new one with {segment.change_probability:.0%}"
        )
    if bundle.evidence:
        console.print(evidence_table(bundle.evidence))
    else:
        console.print("Nothing known bears on it.")
    console.print(_lanes(bundle))
    console.print(_suggestions(bundle.suggestions))
    for each in bundle.directives:
        if not each.allows:
            name = " ".join(part for part in (each.action, each.target) if part)
            console.print(f"must not {printable(name)}: {printable('; '.join(each.reasons))}", style="red")
    learned = {**bundle.weights.to_dict(), **bundle.neuromodulators.to_dict()}
    console.print(", ".join(f"{name} {value:.3f}" for name, value in learned.items()), style="dim")


def _lanes(bundle: ContextBundle) -> Table:
    """Each lane's share as a bar, of which what is filled is solid."""
    table = _table(f"Lanes of {bundle.budget} tokens", "lane", "share", "", "tokens", "used", "cut")
    widest = max(lane.share for lane in bundle.lanes)
    for lane in bundle.lanes:
        drawn = bar(lane.share, widest, BAR).rstrip()
        filled = round(len(drawn) * min(1.0, lane.used / lane.tokens)) if lane.tokens else 0
        shown = Text(drawn[:filled], style="green") + Text(drawn[filled:], style="dim")
        cut = sum(item.tokens for item in lane.cut)
        left_out = f"{cut} in {len(lane.cut)}" if lane.cut else ""
        table.add_row(
            lane.lane, f"{lane.share:.1%}", shown, str(lane.tokens), str(lane.used), Text(left_out, "yellow")
        )
    return table


def _suggestions(suggestions: tuple[Suggestion, ...]) -> Table:
    """For each action its utility, and for each of its terms what it adds, to the right of the middle, or
    takes."""
    table = _table("Suggestions", "action", "utility", "term", "− takes", "adds +", "", "from")
    terms = [getattr(each, name) for each in suggestions for name in TERMS]
    largest = max((abs(term.adds) for term in terms), default=0.0)
    for each in suggestions:
        for row, name in enumerate(TERMS):
            term = getattr(each, name)
            estimate = term.estimate
            length = abs(term.adds) / largest if largest else 0.0
            amount = "" if estimate.amount is None else f", {estimate.amount:.0f} {estimate.unit}"
            samples = f" × {estimate.samples}" if estimate.samples else ""
            table.add_row(
                printable(f"{each.action} {each.target}") if row == 0 else "",
                f"{each.utility:+.3f}" if row == 0 else "",
                name,
                Text("" if term.adds >= 0 else "█" * round(length * HALF) or "▕", style="red"),
                Text(bar(length, 1.0, HALF).rstrip() if term.adds > 0 else "", style="green"),
                f"{term.adds:+.4f}",
                f"{estimate.source.value}{samples}{amount}",
                end_section=row == len(TERMS) - 1,
            )
    return table


def _table(title: str, *columns: str) -> Table:
    table = Table(*columns, title=title, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    for column in table.columns:
        if column.header in {"share", "tokens", "used", "utility", "− takes"}:
            column.justify = "right"
    return table
