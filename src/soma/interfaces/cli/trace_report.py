"""A turn's trace as tables."""

from typing import Any

import orjson
from rich import box
from rich.console import Console
from rich.table import Table

from soma.interfaces.cli.bars import bar
from soma.interfaces.cli.terminal import printable

SHOWN = 100
"""Characters of a text in a table."""
HASH = 16
"""Digits of a hash in a head."""
BAR = 24
"""Characters of a whole bar."""
CLOCK = slice(11, 23)
"""The time of day to the millisecond in an RFC 3339 moment: the day stands in the head."""
LANES = ("system", "history", "memory", "tools", "buffer")
TERMS = ("confidence", "cost", "latency")
ORDER = {
    "weights": ("alpha", "beta", "gamma", "tau", "lambda", "mu", "nu"),
    "neuromodulators": ("dopamine", "serotonin", "norepinephrine", "acetylcholine"),
}


def report(console: Console, trace: dict[str, Any]) -> None:
    """Write `trace`: its head, the phases, then iteration by iteration what moved."""
    _head(console, trace)
    console.print(_phases(trace["phases"]))
    for iteration in trace["iterations"]:
        _iteration(console, iteration)


def _head(console: Console, trace: dict[str, Any]) -> None:
    outcome = trace["outcome"] or {}
    console.print(f"Turn {trace['turn_id']}", style="bold")
    for name, value in (
        ("status", trace["status"]),
        ("exit", outcome.get("exit_reason") or outcome.get("code") or "–"),
        ("started", trace["started_at"]),
        ("latency", _milliseconds(outcome.get("latency_ms"))),
        ("first token", _milliseconds(outcome.get("first_token_ms"))),
        ("model", f"{trace['model']}, seed {trace['seed']}"),
        ("conversation", trace["conversation_id"]),
        ("trace id", trace["trace_id"]),
        ("cost", _cost(trace["cost"])),
        ("policy", ", ".join(each[:HASH] for each in trace["policy_hashes"]) or "–"),
        ("constitution", (trace["constitution_hash"] or "none adopted")[:HASH]),
        ("capsule", f"v{trace['capsule_version']} {trace['capsule_hash'][:HASH]}"),
        ("degraded", "; ".join(outcome.get("degraded_reasons", ())) or "no"),
    ):
        console.print(f"  {name:<13} {printable(str(value))}")


def _cost(cost: dict[str, Any]) -> str:
    return (
        f"{cost['tokens']:,} tokens ({cost['prompt_tokens']:,} read, {cost['completion_tokens']:,} written), "
        f"{cost['share']:.1%} of {cost['budget_tokens']:,}"
    )


def _phases(phases: list[dict[str, Any]]) -> Table:
    table = _table("Phases", "at", "iteration", "phase", "ms", "decision")
    for phase in phases:
        number = phase.get("iteration")
        table.add_row(
            phase["at"][CLOCK],
            "" if number is None else str(number + 1),
            phase["phase"],
            "" if phase.get("ms") is None else f"{phase['ms']:.1f}",
            _brief("; ".join([str(phase.get("decision", "")), *phase.get("reasons", ())])),
        )
    return table


def _iteration(console: Console, iteration: dict[str, Any]) -> None:
    console.print(f"\nIteration {iteration['iteration'] + 1} ({iteration['mode']})", style="bold")
    console.print(f"  says          {_brief(iteration['content'])}")
    console.print(
        f"  verify        confidence {iteration['confidence']:.3f} ({iteration['confidence_source']}), "
        f"convergence {iteration['convergence_score']:.3f}, then {iteration['decision']}"
    )
    if iteration["evidence"]:
        console.print(_evidence(iteration["evidence"]))
    console.print(_lanes(iteration["lanes"]))
    if iteration["lanes"].get("cut_items"):
        console.print(_cut(iteration))
    if iteration["suggestions"]:
        console.print(_suggestions(iteration["suggestions"]))
    if iteration["tools"]:
        console.print(_tools(iteration["tools"]))
    console.print(_moved(iteration["learning"]))


def _evidence(blocks: list[dict[str, Any]]) -> Table:
    table = _table("Evidence", "score", "content", "id", "from turn")
    for block in blocks:
        source = block.get("provenance", {}).get("source_turn", "")
        table.add_row(f"{block['score']:.3f}", _brief(block["content"]), block["id"], str(source))
    return table


def _lanes(lanes: dict[str, Any]) -> Table:
    table = _table(f"Lanes of {lanes['budget']} tokens", "lane", "", "tokens", "used", "cut")
    used, widest = lanes.get("used", {}), max(lanes["tokens"].values(), default=0)
    for lane in LANES:
        tokens, cut = lanes["tokens"][lane], lanes["cut"].get(lane)
        filled = str(used.get(lane, ""))
        table.add_row(lane, bar(tokens, widest, BAR), str(tokens), filled, "" if cut is None else str(cut))
    return table


def _cut(iteration: dict[str, Any]) -> Table:
    """What did not get into the prompt: evidence by its words, the rest by its id."""
    said = {block["id"]: block["content"] for block in iteration["evidence"]}
    table = _table("Cut", "lane", "tokens", "why", "id", "content")
    for item in iteration["lanes"]["cut_items"]:
        why = item["reason"].replace("_", " ")
        table.add_row(item["lane"], str(item["tokens"]), why, item["id"], _brief(said.get(item["id"], "")))
    return table


def _suggestions(suggestions: list[dict[str, Any]]) -> Table:
    table = _table("Suggestions", "action", "utility", *TERMS)
    for each in suggestions:
        terms = [each["terms"][name] for name in TERMS]
        told = (f"{term['adds']:+.4f} ({term['source']})" for term in terms)
        table.add_row(printable(f"{each['action']} {each['target']}"), f"{each['utility']:+.3f}", *told)
    return table


def _tools(calls: list[dict[str, Any]]) -> Table:
    table = _table("Tools", "tool", "arguments", "decision", "status", "ms", "output")
    for call in calls:
        latency = call.get("latency_ms")
        table.add_row(
            call["tool"],
            _json(call["arguments"]),
            _brief("; ".join([call["decision"], *call["reasons"]])),
            call["status"],
            "" if latency is None else f"{latency:.1f}",
            _json(call["output"]),
        )
    return table


def _moved(learning: dict[str, Any]) -> Table:
    applied = "applied" if learning["applied"] else "gate closed"
    table = _table(f"Learning ({applied})", "parameter", "before", "after", "change")
    for group, names in ORDER.items():
        before, after = learning[f"{group}_before"], learning[f"{group}_after"]
        for name in names:
            change = after[name] - before[name]
            table.add_row(
                name, f"{before[name]:.6f}", f"{after[name]:.6f}", f"{change:+.6f}" if change else ""
            )
    return table


def _table(title: str, *columns: str) -> Table:
    table = Table(*columns, title=title, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    for column in table.columns:
        if column.header in {
            "ms",
            "score",
            "before",
            "after",
            "change",
            "iteration",
            "tokens",
            "used",
            "cut",
            "utility",
        }:
            column.justify = "right"
    return table


def _brief(text: str) -> str:
    line = " ".join(printable(text).split())
    return line if len(line) <= SHOWN else f"{line[: SHOWN - 1]}…"


def _json(value: Any) -> str:
    return _brief(orjson.dumps(value).decode())


def _milliseconds(value: float | None) -> str:
    return "–" if value is None else f"{value:.0f} ms"
