"""How fast the local model speaks: time to the first token, tokens a second."""

import asyncio
import os
import time
from statistics import median

from benchmarks.lines import emit, tell
from soma.agent.adapters.model_llamacpp import LlamaCppModel
from soma.agent.api import ModelDelta, ModelMessage, ModelOutput, ModelRequest
from soma.base.artifacts import SMOLLM2, require
from soma.base.configuration import Configuration

PROMPTS = {"short": 50, "long": 500}
"""Tokens of each prompt, about."""

MAXIMUM_TOKENS = 64
SENTENCE = "The harbour master writes down which ship came in, what it carried and where it went next. "


async def local_model(configuration: Configuration, *, rounds: int) -> None:
    """Measure the configured local model, by default SmolLM2."""
    path = configuration.local_model or require(SMOLLM2, stamps=configuration.home / "models")
    started, threads = time.perf_counter(), os.cpu_count() or 1
    model = await asyncio.to_thread(LlamaCppModel, path, threads=threads)
    loaded = time.perf_counter() - started
    try:
        for name, tokens in PROMPTS.items():
            tell(f"{model.name}: {name} prompt")
            request = await _request(model, tokens)
            await _generation(model, request)
            measured = [await _generation(model, request) for _ in range(rounds)]
            emit(
                "local_model",
                model=model.name,
                threads=threads,
                prompt=name,
                prompt_tokens=measured[0][2].prompt_tokens,
                completion_tokens=measured[0][2].completion_tokens,
                rounds=rounds,
                load_seconds=round(loaded, 2),
                first_token_ms=round(median(first for first, _, _ in measured), 1),
                tokens_per_second=round(median(rate for _, rate, _ in measured), 1),
            )
    finally:
        await asyncio.to_thread(model.close)


async def _request(model: LlamaCppModel, tokens: int) -> ModelRequest:
    [of_sentence] = await model.count_tokens([SENTENCE])
    text = SENTENCE * (tokens // of_sentence) + "Tell the story of one of these ships."
    return ModelRequest(
        messages=(ModelMessage(role="user", content=text),),
        seed=7,
        temperature=0.0,
        max_tokens=MAXIMUM_TOKENS,
        timeout_seconds=60.0,
    )


async def _generation(model: LlamaCppModel, request: ModelRequest) -> tuple[float, float, ModelOutput]:
    """Milliseconds to the first token, tokens a second after it, and the output."""
    started = time.perf_counter()
    first = 0.0
    async for piece in model.stream(request, asyncio.Event()):
        if isinstance(piece, ModelDelta):
            first = first or time.perf_counter()
        else:
            ended = time.perf_counter()
            return (first - started) * 1000, (piece.completion_tokens - 1) / (ended - first), piece
    raise RuntimeError("the model ended without an output")
