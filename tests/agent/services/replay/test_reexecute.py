"""On the local model a turn gives the same bytes again, and what differs is shown."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import pytest

from soma.agent.adapters.model_llamacpp import LlamaCppModel
from soma.agent.api import LoopSettings, NotReexecutable, ReplayMode, Verdict
from soma.agent.models import RLMIterationRow, TurnRow
from soma.base.artifacts import SMOLLM2, require
from soma.base.database import tenant_transaction
from soma.brain.models import LearnedStepRow
from tests.agent.bench import Bench
from tests.fakes.model import ScriptedModel, called, said

pytestmark = [pytest.mark.req("REPLAY-003"), pytest.mark.req("RLM-005")]

MakeBench = Callable[..., Bench]
AGAIN = ReplayMode.REEXECUTE
SHORT = LoopSettings(max_output_tokens=8)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LlamaCppModel]:
    loaded = LlamaCppModel(require(SMOLLM2, stamps=tmp_path_factory.mktemp("stamps")), threads=2)
    yield loaded
    loaded.close()


def test_tool_calls_memory_and_free_talk_give_the_same_bytes(
    make_bench: MakeBench, model: LlamaCppModel
) -> None:
    bench = make_bench(model, loop=SHORT)
    asked = ("What is 12 * 34?", "My cat is called Mia.", "What is my cat called?")
    turns = [bench.ask(text) for text in asked]

    for turn in turns:
        told = bench.replay(turn.id, AGAIN).to_dict()
        assert told["verdict"] == "identical", told["divergence"]
        assert told["iterations"] == turn.iterations


def test_no_tool_is_run_and_nothing_is_stored_but_that_it_was_asked_for(
    make_bench: MakeBench, model: LlamaCppModel
) -> None:
    """The clock would say another time."""
    bench = make_bench(model, loop=SHORT)
    turn = bench.ask("What time is it?")
    [tool] = [tool for each in bench.trace(turn.id)["iterations"] for tool in each["tools"]]
    before, rows = bench.events(), _rows(bench)

    report = bench.replay(turn.id, AGAIN)

    assert (tool["status"], report.verdict) == ("ok", Verdict.IDENTICAL)
    assert [name for name, _ in bench.events() if name == "chat.turn_replayed"] == ["chat.turn_replayed"]
    assert len(bench.events()) == len(before) + 1
    assert _rows(bench) == rows


class OtherFile(ScriptedModel):
    """Another model under the name of `model`, which reads prompts as that does."""

    reproducible = True

    def __init__(self, model: LlamaCppModel, reply: str) -> None:
        super().__init__(said(reply), native_tools=False, name=model.name)
        self.context_limit = model.context_limit
        self._model = model

    async def count_tokens(self, texts: Sequence[str]) -> list[int]:
        return await self._model.count_tokens(texts)


def test_another_answer_is_shown_as_a_diff(make_bench: MakeBench, model: LlamaCppModel) -> None:
    bench = make_bench(model, loop=SHORT)
    turn = bench.ask("Tell me about the sea.")
    other = bench.replayer(OtherFile(model, "Something else.\nEntirely."))

    told = bench.replay(turn.id, AGAIN, by=other).to_dict()

    assert told["verdict"] == "diverged"
    assert (told["divergence"]["step"], told["divergence"]["between"]) == ("iteration 1, model", "the model")
    assert any(line.startswith("+") and "Something else." in line for line in told["divergence"]["diff"])


def test_a_remote_model_is_refused(make_bench: MakeBench) -> None:
    bench = make_bench(ScriptedModel(called(("calculator", {"expression": "1"})), said("1")))
    turn = bench.ask("What is 1?")

    with pytest.raises(NotReexecutable, match="scripted"):
        bench.replay(turn.id, AGAIN)


def test_a_turn_without_an_iteration_has_nothing_to_run(make_bench: MakeBench) -> None:
    bench = make_bench(ScriptedModel(said("x")), loop=replace(SHORT, context_tokens=100_000))
    turn = bench.ask("Hello?")

    assert turn.status == "failed"
    assert bench.replay(turn.id, AGAIN).verdict is Verdict.IDENTICAL


def _rows(bench: Bench) -> list[object]:
    with tenant_transaction(bench.tenant):
        return [
            list(TurnRow.objects.values()),
            list(RLMIterationRow.objects.values()),
            list(LearnedStepRow.objects.values()),
        ]
