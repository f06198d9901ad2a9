"""What a message would meet, told without sending it."""

from collections.abc import Callable

import pytest

from soma.agent.api import ContextBundle, EvaluateRequest, LoopSettings
from soma.agent.models import CapsuleRow
from soma.base.database import tenant_transaction
from soma.base.errors import Denied, InvalidInput, LimitExceeded, NotFound
from soma.base.ids import new_id
from soma.brain.api import LearnedState, Weights
from soma.policy.api import ObjectRef, Relationship, SubjectRef
from tests.agent.bench import Bench
from tests.agent.services.test_repeat import tell
from tests.fakes.model import ScriptedModel, said

pytestmark = pytest.mark.req("CTXB-001")
MakeBench = Callable[..., Bench]
FACT, QUESTION = "My boat is called Tern and lies in Horta.", "What is my boat called?"


def evaluate(bench: Bench, query: str = QUESTION, **options: object) -> ContextBundle:
    """The bundle of a first message, or of one in the conversation that is named."""
    return bench.call(bench.agent.evaluate, bench.principal, EvaluateRequest(query=query, **options))  # type: ignore[arg-type]


def test_a_bundle_shows_what_the_turn_then_meets(make_bench: MakeBench) -> None:
    bench = make_bench(ScriptedModel(said("Noted."), said("Tern.")))
    bench.ask("Hello!")
    tell(bench, FACT)

    bundle = evaluate(bench, conversation_id=bench.conversation)
    told = bench.trace(bench.ask(QUESTION).id)["iterations"][0]

    assert [str(each.record_id) for each in bundle.evidence] == [block["id"] for block in told["evidence"]]
    assert {lane.lane: lane.tokens for lane in bundle.lanes} == told["lanes"]["tokens"]
    assert {lane.lane: lane.used for lane in bundle.lanes} == told["lanes"]["used"]
    assert bundle.weights.to_dict() == told["learning"]["weights_before"]
    assert bundle.neuromodulators.to_dict() == told["learning"]["neuromodulators_before"]
    texts = [part.text for part in bundle.prompts]
    assert texts[0] + "\n" + "\n".join(texts[1:3]) == told["prompt"][0]["content"]
    assert texts[3:] == [message["content"] for message in told["prompt"][1:]]
    assert [part.lane for part in bundle.prompts] == ["system", "system", "memory", "history", "history", ""]


def test_no_model_runs(make_bench: MakeBench) -> None:
    model = ScriptedModel(said("Noted."))
    evaluate(make_bench(model))
    assert model.requests == []


def test_evidence_makes_memory_the_first_suggestion(make_bench: MakeBench) -> None:
    bench = make_bench(ScriptedModel(said("Noted.")))
    assert evaluate(bench).suggestions[0].action != "answer_from_memory"
    tell(bench, FACT)
    assert evaluate(bench).suggestions[0].action == "answer_from_memory"


def test_a_small_budget_names_what_it_cuts(make_bench: MakeBench) -> None:
    bench = make_bench(ScriptedModel(said("Noted.")))
    tell(bench, FACT)
    bundle = evaluate(bench, token_budget=40)
    [memory] = [lane for lane in bundle.lanes if lane.lane == "memory"]
    [item] = memory.cut
    assert (item.id, item.reason) == (str(bundle.evidence[0].record_id), "no_room")
    assert (memory.used, bundle.budget, sum(lane.tokens for lane in bundle.lanes)) == (0, 40, 40)
    assert not any(part.lane == "memory" for part in bundle.prompts)


def test_learned_weights_share_out_the_lanes(make_bench: MakeBench) -> None:
    bench = make_bench(ScriptedModel(said("Noted.")))
    before = {lane.lane: lane for lane in evaluate(bench).lanes}
    with tenant_transaction(bench.tenant):
        agent_id = str(bench.capsules.standing(bench.tenant, "soma").id)
        baseline = LearnedState(weights=Weights(gamma=0.3, lambda_=2.0))
        bench.desk.brain.learned_state(bench.tenant, agent_id, baseline)
    bundle = evaluate(bench)
    after = {lane.lane: lane for lane in bundle.lanes}
    assert after["memory"].weight == pytest.approx(3.0)
    assert after["memory"].share > before["memory"].share
    assert after["history"].share < before["history"].share
    assert bundle.suggestions[0].confidence.weight == 2.0


def test_relations_and_policy_say_which_tools(make_bench: MakeBench) -> None:
    bench = make_bench(ScriptedModel(said("Noted.")))
    with tenant_transaction(bench.tenant):
        bench.desk.relations.write(
            bench.tenant,
            touch=[
                Relationship(
                    resource=ObjectRef(type="capability", id="clock"),
                    relation="barred",
                    subject=SubjectRef.of("user", bench.principal.user_id),
                )
            ],
        )
    bundle = evaluate(bench, "What time is it?")
    tools = {each.target: each for each in bundle.directives if each.action == "tool:execute"}
    assert (tools["clock"].effect, tools["clock"].decided_by) == ("must_not", "relations")
    assert (tools["calculator"].effect, tools["calculator"].policy_hash) == (
        "may",
        bench.desk.policy.policy_hash,
    )
    assert {each.target for each in bundle.suggestions if each.target} == {"calculator", "memory_recall"}


def test_directives_follow_the_roles(make_bench: MakeBench) -> None:
    bench = make_bench(ScriptedModel(said("Noted.")), roles=("guest",))
    told = {each.action: each for each in evaluate(bench, conversation_id=bench.conversation).directives}
    assert told["chat:write"].allows
    assert told["memory:write"].effect == "must_not"
    assert any("requests.role_grants" in reason for reason in told["memory:write"].reasons)


def test_an_agent_that_one_may_not_use_is_not_shown(make_bench: MakeBench) -> None:
    bench = make_bench(ScriptedModel(said("Noted.")), loop=LoopSettings())
    with tenant_transaction(bench.tenant):
        agent = ObjectRef.of("agent", CapsuleRow.objects.get(name="special").id)
        whoever = SubjectRef(type="tenant", id=str(bench.tenant), relation="converse")
        tie = Relationship(resource=agent, relation="invoker", subject=whoever)
        bench.desk.relations.write(bench.tenant, delete=[tie])
    with pytest.raises(Denied):
        evaluate(bench, agent="special")


def test_who_may_not_read_a_conversation_learns_nothing_of_it(make_bench: MakeBench) -> None:
    first, second = (
        make_bench(ScriptedModel(said("Noted."))),
        make_bench(ScriptedModel(said("Noted.")), roles=("guest",)),
    )
    with pytest.raises(Denied):
        evaluate(second, conversation_id=first.conversation)
    with pytest.raises(NotFound):
        evaluate(second, conversation_id=new_id())


def test_bad_requests_are_refused(make_bench: MakeBench) -> None:
    bench = make_bench(ScriptedModel(said("Noted.")))
    for query in (" ", "a\x00", "a\ud800"):
        with pytest.raises(InvalidInput):
            evaluate(bench, query)
    with pytest.raises(InvalidInput):
        evaluate(bench, token_budget=0)
    with pytest.raises(InvalidInput):
        evaluate(bench, namespace="Not:mine")
    with pytest.raises(InvalidInput, match="the conversation is with soma"):
        evaluate(bench, conversation_id=bench.conversation, agent="special")
    with pytest.raises(NotFound):
        evaluate(bench, agent="nobody")
    for limit, value in (("top_k", 101), ("token_budget", 100_000)):
        with pytest.raises(LimitExceeded, match=f"{limit} is {value}"):
            evaluate(bench, **{limit: value})  # type: ignore[arg-type]
    with pytest.raises(LimitExceeded, match="32768"):
        evaluate(bench, "a" * 32_769)
