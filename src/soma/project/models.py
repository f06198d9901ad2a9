"""The models of this installation: where their files are, and how they are loaded."""

import asyncio
import logging
import os
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path

from soma.agent.adapters.model_lazy import LazyLlamaCppModel
from soma.agent.adapters.model_openai import OpenAIModel
from soma.agent.api import Models
from soma.base.artifacts import SMOLLM2, require
from soma.base.configuration import Configuration
from soma.base.errors import SomaError
from soma.brain.adapters.embedder_lazy import LazyEmbedder
from soma.brain.adapters.embedder_minilm import MiniLmEmbedder, name_of
from soma.brain.adapters.minilm.width import WIDTH

logger = logging.getLogger("soma.project")


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


def language_models(configuration: Configuration) -> Models:
    """The language models to ask, in the order that the configuration gives them; a local one is loaded when
    it is first asked. Raises SomaError for a file that is not there."""
    if configuration.remote_model is None:
        return Models(primary=_local(configuration))
    remote = configuration.remote_model
    return Models(
        primary=OpenAIModel(remote),
        fallback=_optional_local(configuration),
        fast=OpenAIModel(replace(remote, model=remote.fast_model)) if remote.fast_model else None,
    )


def embedding_model(configuration: Configuration) -> LazyEmbedder:
    """MiniLM on every core that this process may use, loaded when it is first needed."""
    return LazyEmbedder(
        lambda: MiniLmEmbedder(models_directory(configuration), threads=len(os.sched_getaffinity(0))),
        name=name_of(),
        dimensions=WIDTH,
    )


async def load_all(models: Models, embedder: LazyEmbedder) -> None:
    """Load whatever is local, side by side. Raises SomaError for what has to be there, as a model to fall
    back on has not."""
    loads: list[Callable[[], object]] = [embedder.load]
    if isinstance(models.primary, LazyLlamaCppModel):
        loads.append(models.primary.load)
    if isinstance(models.fallback, LazyLlamaCppModel):
        loads.append(partial(_try_to_load, models.fallback))
    await asyncio.gather(*map(asyncio.to_thread, loads))


async def close_models(models: Models) -> None:
    """Let go of what was loaded, and of connections."""
    for model in (models.primary, models.fallback, models.fast):
        if isinstance(model, LazyLlamaCppModel):
            await asyncio.to_thread(model.close)
        elif isinstance(model, OpenAIModel):
            await model.close()


def _local(configuration: Configuration) -> LazyLlamaCppModel:
    return LazyLlamaCppModel(local_model(configuration), threads=max(1, os.cpu_count() or 1))


def _optional_local(configuration: Configuration) -> LazyLlamaCppModel | None:
    with suppress(SomaError):
        return _local(configuration)
    return None


def _try_to_load(model: LazyLlamaCppModel) -> None:
    try:
        model.load()
    except SomaError as error:
        logger.warning("there is no local model to fall back on: %s", error)
