"""The local model: the same bytes each time, constrained calls, prompt cancelling."""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from anyio.from_thread import BlockingPortal, start_blocking_portal

from soma.agent.adapters.model_llamacpp import LlamaCppModel
from soma.agent.api import (
    BUILTIN_TOOLS,
    ModelDelta,
    ModelMessage,
    ModelOutput,
    ModelRequest,
    ModelUnavailable,
)
from soma.agent.domain.prompt import calls_schema
from soma.base.canonical import json_value
from soma.project.configuration import CONFIGURATION
from soma.project.models import local_model

Pieces = Sequence[ModelDelta | ModelOutput]


@pytest.fixture(scope="module")
def portal() -> Iterator[BlockingPortal]:
    """An event loop on a thread of its own."""
    with start_blocking_portal() as opened:
        yield opened


@pytest.fixture(scope="module")
def model() -> Iterator[LlamaCppModel]:
    """SmolLM2 as shipped."""
    loaded = LlamaCppModel(local_model(CONFIGURATION), threads=2)
    yield loaded
    loaded.close()


def request(
    text: str, *, seed: int = 7, temperature: float = 0.8, tokens: int = 24, **more: object
) -> ModelRequest:
    """A generation that has something to choose."""
    return ModelRequest(
        messages=(ModelMessage(role="user", content=text),),
        seed=seed,
        temperature=temperature,
        max_tokens=tokens,
        timeout_seconds=60,
        **more,  # type: ignore[arg-type]
    )


async def pieces(model: LlamaCppModel, wanted: ModelRequest, stop: asyncio.Event | None = None) -> Pieces:
    """Everything the model gives."""
    return [piece async for piece in model.stream(wanted, stop or asyncio.Event())]


def output(portal: BlockingPortal, model: LlamaCppModel, wanted: ModelRequest) -> ModelOutput:
    """The last piece."""
    last = portal.call(pieces, model, wanted)[-1]
    assert isinstance(last, ModelOutput)
    return last


@pytest.mark.req("SLM-001")
def test_deltas_make_up_the_output_with_a_log_probability_for_each_token(
    portal: BlockingPortal, model: LlamaCppModel
) -> None:
    *deltas, last = portal.call(pieces, model, request("Say a few words about the sea."))

    assert isinstance(last, ModelOutput)
    assert "".join(delta.text for delta in deltas if isinstance(delta, ModelDelta)) == last.text != ""
    assert len(last.logprobs) in {last.completion_tokens, last.completion_tokens - 1}
    assert all(value <= 0 for value in last.logprobs)
    assert last.prompt_tokens > 0


@pytest.mark.req("RLM-005")
def test_the_same_prompt_and_seed_give_the_same_bytes_with_others_in_between(
    portal: BlockingPortal, model: LlamaCppModel
) -> None:
    async def ten_times() -> set[tuple[str, tuple[float, ...]]]:
        found = set()
        for number in range(10):
            same, _ = await asyncio.gather(
                pieces(model, request("Name three colours.")),
                pieces(model, request(f"Count from {number}.", seed=number, tokens=6)),
            )
            last = same[-1]
            assert isinstance(last, ModelOutput)
            found.add((last.text, tuple(last.logprobs)))
        return found

    assert len(portal.call(ten_times)) == 1


@pytest.mark.req("RLM-005")
def test_another_seed_gives_other_words(portal: BlockingPortal, model: LlamaCppModel) -> None:
    texts = {output(portal, model, request("Write a line of verse.", seed=seed)).text for seed in range(3)}

    assert len(texts) > 1


@pytest.mark.req("SLM-001")
@pytest.mark.parametrize("text", ["What is 12 * 34?", "Tell me about cats.", "{{{", "Now what time is it?"])
def test_a_constrained_call_always_fits_the_schema(
    portal: BlockingPortal, model: LlamaCppModel, text: str
) -> None:
    wanted = request(text, tokens=128, temperature=0.0, schema=calls_schema(BUILTIN_TOOLS))

    call = json_value(output(portal, model, wanted).text)

    assert call["tool"] in {tool.name for tool in BUILTIN_TOOLS}
    assert set(call) == {"tool", "arguments"}


@pytest.mark.req("CHAT-002")
def test_stopping_ends_the_generation_at_once(portal: BlockingPortal, model: LlamaCppModel) -> None:
    async def stop_at_the_first_word() -> tuple[float, ModelOutput]:
        stop, loop = asyncio.Event(), asyncio.get_running_loop()
        asked = 0.0
        async for piece in model.stream(request("Tell me a very long story.", tokens=2000), stop):
            if isinstance(piece, ModelDelta) and not stop.is_set():
                asked = loop.time()
                stop.set()
            if isinstance(piece, ModelOutput):
                return loop.time() - asked, piece
        raise AssertionError("no output")

    seconds, last = portal.call(stop_at_the_first_word)

    assert last.stop_reason == "cancelled"
    assert last.completion_tokens < 200
    assert seconds < 1


@pytest.mark.req("LEARN-003")
def test_when_the_time_is_over_what_was_said_is_kept_if_that_is_wanted(
    portal: BlockingPortal, model: LlamaCppModel
) -> None:
    story = replace(request("Tell me a very long story.", tokens=8000), timeout_seconds=1.0)

    last = output(portal, model, replace(story, keep_partial=True))

    assert last.stop_reason == "out_of_time"
    assert last.text
    with pytest.raises(ModelUnavailable, match="longer than 1 s"):
        output(portal, model, story)


@pytest.mark.req("SLM-001")
def test_tokens_are_counted_by_the_model(portal: BlockingPortal, model: LlamaCppModel) -> None:
    short, long, none = portal.call(model.count_tokens, ["sea", "the deep blue sea", ""])

    assert (short, none) == (1, 0)
    assert long > short


@pytest.mark.req("SLM-001")
def test_a_file_that_is_no_model_is_refused_by_name(tmp_path: Path) -> None:
    broken = tmp_path / "broken.gguf"
    with pytest.raises(ModelUnavailable, match=r"broken\.gguf"):
        LlamaCppModel(broken, threads=1)
    broken.write_bytes(b"not a model")
    with pytest.raises(ModelUnavailable, match="cannot load"):
        LlamaCppModel(broken, threads=1)
