"""The steps of an iteration, as they are held against each other: each a JSON object."""

from collections.abc import Iterator, Mapping
from typing import Any

from soma.agent.domain.divergence import AFTER, BEFORE, Divergence, Place, same
from soma.agent.domain.iteration import Iteration
from soma.agent.domain.iteration_document import document_of
from soma.agent.domain.iteration_inputs import IterationInputs
from soma.agent.domain.shelf import Shelf
from soma.base.canonical import json_bytes, json_value

FIELDS = {
    "recall": ("evidence", "novelty"),
    "plan": (
        "mode",
        "recipe",
        "prompt_hash",
        "lanes",
        "suggestions",
        "offered",
        "capabilities",
        "modulation",
    ),
    "model": ("model", "output_hash", "stop_reason", "prompt_tokens", "completion_tokens"),
    "tools": (),
    "assess": (
        "state",
        "confidence",
        "confidence_source",
        "convergence_score",
        "success_factor",
        "tool_utility",
        "decision",
    ),
    "learn": ("learning",),
    "frames": ("phases", "latency_ms"),
}
"""What of an iteration's record is of which step."""

ORDER = {name: order for order, name in enumerate(("record", *FIELDS, "checkpoint", "answer", "finish"))}
BEGINNING = Place(iteration=BEFORE, order=0, name="start")
WHOLE = 2**40
"""No value of a step is put aside: it is to be seen."""

Steps = Mapping[str, dict[str, Any]]


def place(iteration: int, name: str) -> Place:
    """The step `name` of an iteration."""
    return Place(iteration=iteration, order=ORDER[name], name=name)


def end(name: str) -> Place:
    """A step after the loop."""
    return Place(iteration=AFTER, order=ORDER[name], name=name)


def steps_of(iteration: Iteration, inputs: IterationInputs | None = None) -> Steps:
    """The steps of `iteration`, in their order; with `inputs`, what was put into them as well."""
    document = document_of(iteration, Shelf(WHOLE))
    record = document["record"]
    steps = {name: {field: record[field] for field in fields} for name, fields in FIELDS.items()}
    steps["model"]["content"] = document["content"]
    steps["tools"]["executions"] = document["executions"]
    steps["frames"] |= {
        name: document[name] for name in ("script", "first_frame_id", "started_at", "completed_at")
    }
    if inputs is not None:
        given = inputs.to_dict()
        steps["plan"] |= {name: given[name] for name in ("sampling", "counts", "repeats")}
        steps["model"]["mean_logprob"] = given["mean_logprob"]
        steps["learn"]["from_state"] = given["state"]
    # Through JSON once, as what comes from the log or from rows has been.
    plain: Steps = json_value(json_bytes(steps))
    return plain


def compared(iteration: int, expected: Steps, found: Steps, between: str) -> Iterator[Divergence]:
    """The steps of an iteration that differ, in their order."""
    for name in expected:
        if not same(expected[name], found[name]):
            yield Divergence(
                place=place(iteration, name), between=between, expected=expected[name], found=found[name]
            )
