"""What came of a replay, readable."""

from typing import Any

from rich.console import Console

from soma.interfaces.cli.terminal import printable

HASH = 16
"""Digits of a hash that are shown."""
DONE = {"verify": "rebuilt from the log", "reexecute": "run again"}


def report(console: Console, told: dict[str, Any]) -> None:
    """Write `told`, a replay's report as JSON."""
    log = told["log"]
    where = ", ".join(log["partitions"]) or "nowhere"
    console.print(f"Turn {told['turn_id']} {DONE[told['mode']]}: {told['verdict']}", style="bold")
    console.print(f"  {told['status']}, {told['iterations']} iterations, {told['attempts']} attempts")
    console.print(
        f"  {log['events']} events, {log['first_sequence']} to {log['last_sequence']}, in {printable(where)}"
    )
    for name, each in told["hashes"].items():
        console.print(f"  {name:<16} {_hash(each['rebuilt'])}  {_told(each)}")
    for line in (*told["missing"], *told["notes"]):
        console.print(f"  {printable(line)}")
    if told["divergence"] is not None:
        _divergence(console, told["divergence"], told["divergent_steps"])


def _divergence(console: Console, first: dict[str, Any], steps: list[str]) -> None:
    console.print(f"\nFirst difference: {first['step']}, between {first['between']}", style="bold")
    for line in first["diff"]:
        console.print(f"  {printable(line)}")
    if len(steps) > 1:
        console.print(f"  also: {', '.join(steps[1:])}")


def _told(each: dict[str, Any]) -> str:
    return "as stored" if each["rebuilt"] == each["stored"] else f"stored is {_hash(each['stored'])}"


def _hash(value: str | None) -> str:
    return "–" if value is None else value[:HASH]
