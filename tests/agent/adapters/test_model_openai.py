"""The remote model against a real OpenAI-compatible server: llama.cpp's own."""

import asyncio
import dataclasses
from collections.abc import Iterator

import pytest
from anyio.from_thread import BlockingPortal, start_blocking_portal

from soma.agent.adapters.model_llamacpp import LlamaCppModel
from soma.agent.adapters.model_openai import OpenAIModel
from soma.agent.api import (
    BUILTIN_TOOLS,
    ModelDelta,
    ModelMessage,
    ModelOutput,
    ModelRequest,
    ModelUnavailable,
)
from soma.base.canonical import json_value
from soma.base.configuration import RemoteModel
from soma.project.configuration import CONFIGURATION
from soma.project.models import local_model

REQUEST = ModelRequest(
    messages=(ModelMessage(role="user", content="Say a few words about the sea."),),
    seed=7,
    temperature=0.0,
    max_tokens=16,
    timeout_seconds=60,
)


@pytest.fixture(scope="module")
def portal() -> Iterator[BlockingPortal]:
    """An event loop on a thread of its own."""
    with start_blocking_portal() as opened:
        yield opened


@pytest.fixture(scope="module")
def local() -> Iterator[LlamaCppModel]:
    """The server."""
    loaded = LlamaCppModel(local_model(CONFIGURATION), threads=2)
    yield loaded
    loaded.close()


@pytest.fixture
def remote(portal: BlockingPortal, local: LlamaCppModel) -> Iterator[OpenAIModel]:
    """A client of it."""
    made = OpenAIModel(RemoteModel(base_url=f"{local.address}/v1", model="smollm2", api_key=local.key))
    yield made
    portal.call(made.close)


async def pieces(
    model: OpenAIModel | LlamaCppModel, request: ModelRequest, stop: asyncio.Event | None = None
) -> list[ModelDelta | ModelOutput]:
    """Everything the model gives."""
    return [piece async for piece in model.stream(request, stop or asyncio.Event())]


@pytest.mark.req("SLM-001")
def test_both_ways_to_the_same_model_say_the_same(
    portal: BlockingPortal, local: LlamaCppModel, remote: OpenAIModel
) -> None:
    here, there = portal.call(pieces, local, REQUEST)[-1], portal.call(pieces, remote, REQUEST)[-1]

    assert isinstance(here, ModelOutput) and isinstance(there, ModelOutput)
    assert there.text == here.text != ""
    assert there.stop_reason == here.stop_reason
    assert there.prompt_tokens == here.prompt_tokens
    assert there.logprobs == pytest.approx(here.logprobs, abs=1e-4)


@pytest.mark.req("SLM-001")
def test_deltas_come_one_by_one(portal: BlockingPortal, remote: OpenAIModel) -> None:
    *deltas, last = portal.call(pieces, remote, REQUEST)

    assert isinstance(last, ModelOutput)
    assert len(deltas) > 3
    assert "".join(delta.text for delta in deltas if isinstance(delta, ModelDelta)) == last.text


@pytest.mark.req("TOOL-005")
def test_a_schema_constrains_the_output(portal: BlockingPortal, remote: OpenAIModel) -> None:
    request = dataclasses.replace(REQUEST, max_tokens=128, schema=BUILTIN_TOOLS[0].call_schema())

    last = portal.call(pieces, remote, request)[-1]

    assert isinstance(last, ModelOutput)
    assert json_value(last.text)["tool"] == "calculator"


@pytest.mark.req("CHAT-002")
def test_stopping_ends_the_stream(portal: BlockingPortal, remote: OpenAIModel) -> None:
    async def stop_at_once() -> ModelOutput:
        stop = asyncio.Event()
        async for piece in remote.stream(dataclasses.replace(REQUEST, max_tokens=2000), stop):
            stop.set()
            if isinstance(piece, ModelOutput):
                return piece
        raise AssertionError("no output")

    assert portal.call(stop_at_once).stop_reason == "cancelled"


@pytest.mark.req("SLM-001")
@pytest.mark.parametrize("key", ["wrong", ""])
def test_a_refusal_says_what_was_answered(portal: BlockingPortal, local: LlamaCppModel, key: str) -> None:
    model = OpenAIModel(RemoteModel(base_url=f"{local.address}/v1", model="smollm2", api_key=key))

    with pytest.raises(ModelUnavailable, match="answered 401"):
        portal.call(pieces, model, REQUEST)
    portal.call(model.close)


@pytest.mark.req("SLM-001")
def test_nobody_there_is_unavailable(portal: BlockingPortal) -> None:
    model = OpenAIModel(RemoteModel(base_url="http://127.0.0.1:9/v1", model="none"))

    with pytest.raises(ModelUnavailable, match="does not answer"):
        portal.call(pieces, model, REQUEST)
    portal.call(model.close)


HALF_AN_ANSWER = (
    b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n"
    b'data: {"choices": [{"delta": {"content": "It is for"}}]}\n\n'
)


@pytest.mark.req("LEARN-003")
@pytest.mark.parametrize(
    ("sent", "keeps", "said"),
    [(HALF_AN_ANSWER, True, "It is for"), (HALF_AN_ANSWER, False, None), (b"", True, None)],
)
def test_when_the_time_is_over_what_was_said_is_kept_if_that_is_wanted(
    portal: BlockingPortal, sent: bytes, keeps: bool, said: str | None
) -> None:
    """A provider that falls silent."""

    async def ask() -> ModelOutput | ModelDelta:
        over = asyncio.Event()

        async def fall_silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(sent)
            await over.wait()
            writer.close()

        server = await asyncio.start_server(fall_silent, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        model = OpenAIModel(RemoteModel(base_url=f"http://127.0.0.1:{port}/v1", model="silent"))
        try:
            wanted = dataclasses.replace(REQUEST, timeout_seconds=1.0, keep_partial=keeps)
            return (await pieces(model, wanted))[-1]
        finally:
            over.set()
            await model.close()
            server.close()

    if said is None:
        with pytest.raises(ModelUnavailable, match="does not answer"):
            portal.call(ask)
        return
    last = portal.call(ask)
    assert isinstance(last, ModelOutput)
    assert (last.text, last.stop_reason) == (said, "out_of_time")
