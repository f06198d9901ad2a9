"""What an iteration was given that follows neither from its turn nor from what came of it."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, kw_only=True, slots=True)
class IterationInputs:
    """With these, the turn's message, history and capsule, and what model and tools gave, an iteration can be
    run again.

    `attempt` ran it. `state` is where the turn's learning stood before it (LearnedState.to_bytes in hex).
    `native_tools`, `context_limit` and `counts` are the model's: what it can, and the tokens of the texts
    that it was asked for, in their order. `mean_logprob` is that of what it said, None where it gave none.
    `measures` are what the planner knew of earlier turns (Measures.to_dict), None where it did not ask.
    `repeats`: the turn took its lanes and suggestions from an earlier one with the same seed. `sampling` is
    how the model was asked (ModelRequest.sampling).
    """

    attempt: int
    state: str
    native_tools: bool
    context_limit: int
    counts: tuple[int, ...]
    mean_logprob: float | None
    measures: dict[str, Any] | None
    repeats: bool
    sampling: dict[str, Any]

    def to_dict(self) -> dict[str, Any]:
        """The JSON form."""
        return {
            "attempt": self.attempt,
            "state": self.state,
            "native_tools": self.native_tools,
            "context_limit": self.context_limit,
            "counts": list(self.counts),
            "mean_logprob": self.mean_logprob,
            "measures": self.measures,
            "repeats": self.repeats,
            "sampling": self.sampling,
        }

    @classmethod
    def from_dict(cls, value: dict[str, Any]) -> "IterationInputs":
        """The inverse of to_dict."""
        return cls(**{**value, "counts": tuple(value["counts"])})
