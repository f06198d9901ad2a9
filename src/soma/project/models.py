"""The models of this installation: where their files are, and how they are loaded."""

import asyncio
import os
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from soma.agent.adapters.model_llamacpp import LlamaCppModel
from soma.agent.adapters.model_openai import OpenAIModel
from soma.agent.api import ModelPort, Models
from soma.base.artifacts import SMOLLM2, require
from soma.base.configuration import Configuration
from soma.base.errors import SomaError
from soma.brain.adapters.embedder_minilm import MiniLmEmbedder


def models_directory(configuration: Configuration) -> Path:
    """Where built model files and the stamps of checked ones are kept."""
    return configuration.home / "models"


def build_models(configuration: Configuration, progress: Callable[[str], None]) -> list[str]:
    """Check the model files and build the embedding graph; what stands then."""
    progress("Checking the language model")
    path = local_model(configuration)
    progress("Building the embedding model")
    embedder = MiniLmEmbedder(models_directory(configuration))
    return [f"language model: {path.name}", f"embedding model: {embedder.name}"]


def local_model(configuration: Configuration) -> Path:
    """The GGUF file to load: the configured one, or the checked default."""
    if configuration.local_model is not None:
        return configuration.local_model
    stamps = models_directory(configuration)
    return require(SMOLLM2, stamps=stamps)


def load_models(configuration: Configuration) -> Models:
    """The language models to ask, in the order that the configuration gives them. Raises SomaError."""
    threads = max(1, (os.cpu_count() or 1))
    if configuration.remote_model is None:
        return Models(primary=LlamaCppModel(local_model(configuration), threads=threads))
    remote = configuration.remote_model
    return Models(
        primary=OpenAIModel(remote),
        fallback=_optional_local(configuration, threads),
        fast=OpenAIModel(replace(remote, model=remote.fast_model)) if remote.fast_model else None,
    )


def _optional_local(configuration: Configuration, threads: int) -> ModelPort | None:
    with suppress(SomaError):
        return LlamaCppModel(local_model(configuration), threads=threads)
    return None


async def close_models(loading: "asyncio.Task[Models]") -> None:
    """Close what `loading` has loaded, once it has."""
    models = (await asyncio.gather(loading, return_exceptions=True))[0]
    if isinstance(models, BaseException):
        return
    for model in (models.primary, models.fallback, models.fast):
        if isinstance(model, LlamaCppModel):
            await asyncio.to_thread(model.close)
        elif isinstance(model, OpenAIModel):
            await model.close()
