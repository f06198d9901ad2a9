"""The local model: llama.cpp in this process.

One sequence at a time and no prompt cache: batching sequences or reusing a cached prefix changes the
order of floating-point sums, and with it, now and then, a token. Turns queue for the model instead,
first come, first served.
"""

import asyncio
import secrets
import threading
from collections.abc import AsyncIterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from pathlib import Path
from typing import Any

import httpx

from soma.agent.domain.model import OUT_OF_TIME, ModelDelta, ModelOutput, ModelRequest
from soma.agent.errors import ModelUnavailable

CONTEXT_TOKENS = 8192
TOKENIZE_CACHE = 4096
STOP_REASONS = {"stop": "end_turn", OUT_OF_TIME: OUT_OF_TIME}
"""What ends a generation, as llama.cpp calls it and as the port does; all else is the length."""


class LlamaCppModel:
    """A GGUF file behind llama.cpp's server loop."""

    native_tools = False
    reproducible = True
    context_limit = CONTEXT_TOKENS

    def __init__(self, path: Path, *, threads: int) -> None:
        """Load the model. `threads` is the number of cores it may keep busy. Raises ModelUnavailable."""
        self.name = path.stem
        self.key = secrets.token_urlsafe(24)
        self._server = _server(path, threads, self.key)
        self._queue = ThreadPoolExecutor(max_workers=1, thread_name_prefix="soma-llama")
        self._http = httpx.Client(
            base_url=self._server.listening_address, headers={"Authorization": f"Bearer {self.key}"}
        )
        self._http_lock = threading.Lock()
        self._counted = lru_cache(TOKENIZE_CACHE)(self._count)

    @property
    def address(self) -> str:
        """Where llama.cpp's own OpenAI-compatible server listens, on loopback, for holders of `key`."""
        address: str = self._server.listening_address
        return address

    async def stream(
        self, request: ModelRequest, stop: asyncio.Event
    ) -> AsyncIterator[ModelDelta | ModelOutput]:
        """See ModelPort. The time-out covers generation, not the wait for the queue."""
        loop = asyncio.get_running_loop()
        chunks: asyncio.Queue[dict[str, Any] | BaseException | None] = asyncio.Queue()
        halt = threading.Event()

        def take(chunk: dict[str, Any]) -> bool:
            loop.call_soon_threadsafe(chunks.put_nowait, chunk)
            return halt.is_set()

        def generate() -> None:
            try:
                if not halt.is_set():
                    self._server.handle_chat_completions(_payload(request), take)
            except Exception as error:  # noqa: BLE001 - handed to the reader, which raises it
                loop.call_soon_threadsafe(chunks.put_nowait, error)
            finally:
                loop.call_soon_threadsafe(chunks.put_nowait, None)

        watcher = asyncio.ensure_future(_halt_when(stop, halt))
        self._queue.submit(generate)
        gathered = _Gathered()
        try:
            async with asyncio.timeout(None) as limit:
                while (chunk := await chunks.get()) is not None:
                    if isinstance(chunk, BaseException):
                        raise ModelUnavailable(f"the local model failed: {chunk}")
                    if limit.when() is None:
                        limit.reschedule(loop.time() + request.timeout_seconds)
                    text = gathered.add(chunk)
                    if text:
                        yield ModelDelta(text=text)
        except TimeoutError:
            gathered.cut_off(request)
        finally:
            halt.set()
            watcher.cancel()
        yield gathered.output(stopped=stop.is_set())

    async def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """See ModelPort."""
        return await asyncio.to_thread(lambda: [self._counted(text) for text in texts])

    def close(self) -> None:
        """Let go of the model once nothing runs."""
        self._queue.shutdown(wait=True, cancel_futures=True)
        self._http.close()

    def _count(self, text: str) -> int:
        with self._http_lock:
            answer = self._http.post("/tokenize", json={"content": text})
        answer.raise_for_status()
        return len(answer.json()["tokens"])


class _Gathered:
    def __init__(self) -> None:
        self._text: list[str] = []
        self._logprobs: list[float] = []
        self._stop_reason = ""
        self._usage: dict[str, int] = {}

    def cut_off(self, request: ModelRequest) -> None:
        """The time is over. Raises ModelUnavailable unless what was said is to be kept."""
        if not (request.keep_partial and request.schema is None and any(self._text)):
            raise ModelUnavailable(
                f"the local model took longer than {request.timeout_seconds:g} s"
            ) from None
        self._stop_reason = OUT_OF_TIME

    def add(self, chunk: dict[str, Any]) -> str:
        if "choices" not in chunk:
            raise ModelUnavailable(f"the local model refused: {chunk.get('message', chunk)}")
        self._usage = chunk.get("usage") or self._usage
        if not chunk["choices"]:
            return ""
        choice = chunk["choices"][0]
        self._stop_reason = choice.get("finish_reason") or self._stop_reason
        if choice.get("logprobs"):
            self._logprobs += [token["logprob"] for token in choice["logprobs"]["content"]]
        text = choice["delta"].get("content") or ""
        self._text.append(text)
        return text

    def output(self, *, stopped: bool) -> ModelOutput:
        return ModelOutput(
            text="".join(self._text),
            stop_reason="cancelled" if stopped else STOP_REASONS.get(self._stop_reason, "length"),
            prompt_tokens=self._usage.get("prompt_tokens", 0),
            completion_tokens=self._usage.get("completion_tokens", len(self._logprobs)),
            logprobs=tuple(self._logprobs),
        )


async def _halt_when(stop: asyncio.Event, halt: threading.Event) -> None:
    await stop.wait()
    halt.set()


def _payload(request: ModelRequest) -> dict[str, Any]:
    payload: dict[str, Any] = {
        "messages": [message.to_dict() for message in request.messages],
        "seed": request.seed,
        "temperature": request.temperature,
        "repeat_penalty": request.repetition_penalty,
        "max_tokens": request.max_tokens,
        "stream": True,
        "stream_options": {"include_usage": True},
        "logprobs": True,
        "cache_prompt": False,
    }
    if request.schema is not None:
        payload["response_format"] = {"type": "json_schema", "json_schema": {"schema": request.schema}}
    return payload


def _server(path: Path, threads: int, key: str) -> Any:
    # Half a second and 100 MB that only the process which runs the model needs.
    import xllamacpp  # noqa: PLC0415

    if not path.is_file():
        raise ModelUnavailable(f"there is no model file at {path}")
    parameters = xllamacpp.CommonParams()
    parameters.model.path = str(path)
    parameters.n_ctx = CONTEXT_TOKENS
    parameters.n_parallel = 1
    parameters.cache_prompt = False
    parameters.cache_ram_mib = 0
    parameters.use_jinja = True
    parameters.verbosity = -1
    parameters.api_keys = [key]
    # A prompt is worth all the cores. One token at a time is not: its threads meet hundreds of times a
    # token, and when another process holds one of the cores they all wait for it. Measured on two busy
    # cores: 9 tokens/s with two threads, 45 with one; on two quiet ones 118 and 75.
    parameters.cpuparams_batch.n_threads = threads
    parameters.cpuparams.n_threads = max(1, threads // 2)
    # Threads that find no work sleep instead of spinning: the other core has a database to run.
    parameters.cpuparams.poll = 0
    parameters.cpuparams_batch.poll = 0
    try:
        return xllamacpp.Server(parameters)
    except RuntimeError as error:
        raise ModelUnavailable(f"llama.cpp cannot load {path.name}: {error}") from error
