"""Asking the model, with a fallback while nothing has been said yet."""

from dataclasses import dataclass

from soma.agent.domain.model import OUT_OF_TIME, ModelDelta, ModelOutput, ModelRequest
from soma.agent.domain.prompt import PromptMode
from soma.agent.errors import ModelUnavailable
from soma.agent.ports import ModelPort
from soma.agent.services.progress import Progress


@dataclass(frozen=True, kw_only=True, slots=True)
class Models:
    """The model to ask and, optionally, the one to fall back on, and one to ask instead in a hurry."""

    primary: ModelPort
    fallback: ModelPort | None = None
    fast: ModelPort | None = None

    def preferred(self, *, fast: bool) -> ModelPort:
        """The model to ask first: the fast one where it is wanted and there is one."""
        return self.fast if fast and self.fast is not None else self.primary

    def reproducible(self, name: str) -> ModelPort | None:
        """The model called `name`, if it is one that gives the same bytes again."""
        known = (self.primary, self.fallback, self.fast)
        return next((each for each in known if each and each.reproducible and each.name == name), None)

    def after(self, model: ModelPort) -> ModelPort | None:
        """The model to ask where `model` does not answer; None after the last."""
        if model is self.fast:
            return self.primary
        return self.fallback if model is self.primary else None


async def generate(
    progress: Progress, request: ModelRequest, mode: PromptMode, model: ModelPort
) -> ModelOutput:
    """The model's output; its text is streamed as it comes unless it is a tool call.
    Raises ModelUnavailable."""
    output: ModelOutput | None = None
    async for piece in model.stream(request, progress.stop):
        if isinstance(piece, ModelDelta):
            if progress.first_token_ms is None:
                progress.first_token_ms = round(progress.elapsed_ms, 3)
            if mode is not PromptMode.CALL:
                progress.stream.emit("answer.delta", {"text": piece.text})
        else:
            output = piece
    if output is None:
        raise ModelUnavailable(f"{model.name} ended without an answer")
    if output.stop_reason == OUT_OF_TIME:
        progress.degrade(f"model: cut off after {request.timeout_seconds:g} s")
    return output
