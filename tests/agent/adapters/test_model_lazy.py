"""soma.agent.adapters.model_lazy"""

import asyncio
from pathlib import Path

import pytest

from soma.agent.adapters.model_lazy import LazyLlamaCppModel
from soma.agent.adapters.model_llamacpp import LlamaCppModel
from soma.agent.domain.model import ModelMessage, ModelOutput, ModelRequest
from soma.agent.errors import ModelUnavailable
from soma.project.configuration import CONFIGURATION
from soma.project.models import local_model

pytestmark = pytest.mark.req("SLM-001")

REQUEST = ModelRequest(
    messages=(ModelMessage(role="user", content="Name a colour."),),
    seed=7,
    temperature=0.8,
    max_tokens=8,
    timeout_seconds=60,
)


async def output(model: LazyLlamaCppModel | LlamaCppModel) -> ModelOutput:
    *_, last = [piece async for piece in model.stream(REQUEST, asyncio.Event())]
    assert isinstance(last, ModelOutput)
    return last


def test_it_answers_as_the_model_does_and_loads_it_once() -> None:
    async def both() -> None:
        path = local_model(CONFIGURATION)
        lazy = LazyLlamaCppModel(path, threads=2)
        counted, answered = await asyncio.gather(lazy.count_tokens(["the deep blue sea"]), output(lazy))
        loaded = lazy.load()
        assert lazy.load() is loaded
        assert lazy.name == loaded.name
        assert counted == await loaded.count_tokens(["the deep blue sea"])
        assert answered.text == (await output(loaded)).text
        lazy.close()

    asyncio.run(both())


def test_a_file_that_is_no_model_is_found_out_when_it_is_asked(tmp_path: Path) -> None:
    broken = tmp_path / "broken.gguf"
    broken.write_bytes(b"not a model")
    lazy = LazyLlamaCppModel(broken, threads=1)
    with pytest.raises(ModelUnavailable, match="cannot load"):
        asyncio.run(output(lazy))
    lazy.close()
