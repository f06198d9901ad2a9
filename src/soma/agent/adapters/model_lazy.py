"""The local model, loaded when it is first asked: most commands ask it nothing."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from threading import Lock

from soma.agent.adapters.model_llamacpp import LlamaCppModel
from soma.agent.domain.model import ModelDelta, ModelOutput, ModelRequest


class LazyLlamaCppModel:
    """See ModelPort and LlamaCppModel."""

    native_tools = LlamaCppModel.native_tools
    reproducible = LlamaCppModel.reproducible
    context_limit = LlamaCppModel.context_limit

    def __init__(self, path: Path, *, threads: int) -> None:
        """`threads` is the number of cores that the model may keep busy."""
        self.name = path.stem
        self._path = path
        self._threads = threads
        self._loaded: LlamaCppModel | None = None
        self._lock = Lock()

    def load(self) -> LlamaCppModel:
        """The model, loaded now if nobody has asked it yet. Raises ModelUnavailable."""
        with self._lock:
            if self._loaded is None:
                self._loaded = LlamaCppModel(self._path, threads=self._threads)
            return self._loaded

    async def stream(
        self, request: ModelRequest, stop: asyncio.Event
    ) -> AsyncIterator[ModelDelta | ModelOutput]:
        """See ModelPort. The time-out does not cover the loading."""
        model = await asyncio.to_thread(self.load)
        async for piece in model.stream(request, stop):
            yield piece

    async def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """See ModelPort."""
        model = await asyncio.to_thread(self.load)
        return await model.count_tokens(texts)

    def close(self) -> None:
        """Let go of the model, if there is one, once nothing runs."""
        with self._lock:
            if self._loaded is not None:
                self._loaded.close()
