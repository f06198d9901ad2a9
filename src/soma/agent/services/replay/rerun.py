"""Running the loop on a record: the loop's own code, with effects that come from what was recorded."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from soma.agent.domain.divergence import Divergence
from soma.agent.domain.iteration import Iteration
from soma.agent.domain.steps import Steps, compared, place, steps_of
from soma.agent.ports import ModelPort
from soma.agent.services.generate import Models
from soma.agent.services.iterate import IterationRunner
from soma.agent.services.progress import Progress
from soma.agent.services.replay.recorded_effects import RecordedEffects
from soma.agent.services.replay.recorded_turn import RecordedTurn
from soma.agent.services.streams import TurnStream
from soma.base.errors import SomaError
from soma.base.phases import Unobserved
from soma.brain.api import LearnedState, Modulation

ModelFor = Callable[[RecordedTurn, Progress], ModelPort]


@dataclass(kw_only=True, slots=True)
class Rerun:
    """What came of it: where the turn stands, and the steps in which it first went another way."""

    progress: Progress
    divergences: list[Divergence] = field(default_factory=list)


async def rerun(recorded: RecordedTurn, model_for: ModelFor, *, between: str, frames: bool) -> Rerun:
    """Run the iterations of `recorded` until one goes another way. `frames`: the pieces in which the model
    spoke are held against each other as well. What a model has to say against that is raised."""
    progress = _beginning(recorded)
    effects, found = RecordedEffects(recorded), Rerun(progress=progress)
    models = Models(primary=model_for(recorded, progress))
    runner = IterationRunner(effects=effects, models=models, observer=Unobserved())
    for was in recorded.iterations:
        _ready(progress, recorded)
        try:
            await runner.iterate(progress)
        except SomaError as error:
            if between == "the model":
                raise
            found.divergences.append(_refused(was, between, error))
            break
        now = steps_of(progress.iterations[-1], effects.inputs[-1])
        expected = steps_of(was, recorded.inputs[was.number])
        found.divergences += compared(was.number, _wanted(expected, frames), now, between)
        if found.divergences:
            break
    return found


def _beginning(recorded: RecordedTurn) -> Progress:
    standing = LearnedState.from_bytes(bytes.fromhex(recorded.inputs[0].state))
    return Progress(
        turn=recorded.turn,
        capsule=recorded.capsule,
        message=recorded.message,
        history=recorded.history,
        learned=standing,
        stream=TurnStream(recorded.turn),
        stop=asyncio.Event(),
        modulation=Modulation.of(standing.neuromodulators),
    )


def _ready(progress: Progress, recorded: RecordedTurn) -> None:
    """What a later attempt may have come to in another way than the first."""
    inputs = recorded.inputs[progress.number]
    progress.turn = recorded.turn_at(inputs.attempt)
    progress.measures = None
    progress.recorded = ()
    if inputs.repeats:
        progress.recorded = tuple(recorded.iterations)
        progress.modulation = Modulation.from_dict(recorded.iterations[progress.number].modulation)


def _wanted(expected: Steps, frames: bool) -> Steps:
    return {name: step for name, step in expected.items() if frames or name != "frames"}


def _refused(was: Iteration, between: str, error: SomaError) -> Divergence:
    return Divergence(
        place=place(was.number, "plan"),
        between=between,
        expected={"mode": was.mode},
        found={"error": error.code, "detail": error.detail},
    )
