"""soma.brain.services.recall and ranking"""

import random
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from soma.base.clock import now
from soma.base.database import tenant_transaction
from soma.base.errors import InvalidInput, LimitExceeded
from soma.brain.api import (
    Brain,
    Embedder,
    LearnedState,
    Recall,
    RecallRequest,
    RecallUnavailable,
    UtteranceKind,
    Weights,
)
from soma.brain.domain.recall import MIN_SCORE
from soma.brain.domain.signal_weights import SignalWeights
from tests.brain.told_and_asked import TOLD_AND_ASKED, UNRELATED
from tests.brain.turns import AGENT, NEW_YEAR, told

HASH = "a" * 64


def ask(brain: Brain, tenant: UUID, query: str, **changes: Any) -> Recall:
    values = {"tenant_id": tenant, "agent_id": None, "namespace": "n", "query": query, **changes}
    return brain.recall(RecallRequest(**values))


def contents(recall: Recall) -> list[str]:
    return [each.content for each in recall.evidence]


@pytest.mark.req("MEM-002")
def test_a_fact_answers_its_question_and_noise_does_not(brain: Brain, tenant: UUID) -> None:
    facts = ["My dog is called Rex", "I live in Lisbon", "The project deadline is the 30th of November"]
    brain.remember(tenant, [told(fact) for fact in facts])
    found = ask(brain, tenant, "What is my dog's name?")
    assert contents(found) == ["My dog is called Rex"]
    assert found.novelty == pytest.approx(1.0 - 0.65, abs=0.05)
    assert found.latency_ms > 0.0
    assert type(found.novelty) is float  # it is recorded as JSON
    assert contents(ask(brain, tenant, "What is 17% of 240?")) == []


@pytest.mark.req("MEM-002")
def test_evidence_explains_itself(brain: Brain, tenant: UUID) -> None:
    [stored] = brain.remember(tenant, [told("My dog is called Rex", speaker="Ada")]).stored
    [evidence] = ask(brain, tenant, "What is my dog's name?", as_of=NEW_YEAR + timedelta(days=30)).evidence
    assert evidence.record_id == stored.record_id
    assert (evidence.role, evidence.speaker, evidence.occurred_at) == ("user", "Ada", NEW_YEAR)
    assert evidence.provenance["source_turn"] == "turn-1"
    assert evidence.features["similarity"] == pytest.approx(0.65, abs=0.05)
    assert evidence.features["best_sentence"] == evidence.features["similarity"]
    assert evidence.features["recency"] == pytest.approx(0.5)
    assert evidence.features["speaker"] == 1.0
    assert "dense" not in evidence.features  # one candidate differs from no other
    assert evidence.explanation is None
    assert evidence.probability == 1.0
    assert evidence.confidence == pytest.approx(0.81, abs=0.1)
    assert evidence.calibration == "logistic-cosine-1"


@pytest.mark.req("MEM-002")
def test_an_explanation_adds_up_to_the_score(brain: Brain, tenant: UUID) -> None:
    facts = ["My dog is called Rex", "My cat's name is Luna", "We adopted a parrot named Kiwi"]
    brain.remember(tenant, [told(fact) for fact in facts])
    evidence = ask(brain, tenant, "What is my dog's name?", min_score=0.0, explain=True).evidence
    scale = sum(abs(weight) for weight in SignalWeights().to_dict().values())
    for each in evidence:
        assert each.explanation is not None
        assert sum(each.explanation.values()) == pytest.approx(each.score, abs=1e-5)
    assert evidence[0].explanation is not None
    assert evidence[0].explanation["lexical"] == pytest.approx(
        0.4 * evidence[0].features["lexical"] / scale, abs=0.001
    )


@pytest.mark.req("MEM-002")
def test_the_best_comes_first_and_no_more_than_asked(brain: Brain, tenant: UUID) -> None:
    facts = ["My dog is called Rex", "My cat's name is Luna", "We adopted a parrot named Kiwi"]
    brain.remember(tenant, [told(fact) for fact in facts])
    found = ask(brain, tenant, "What is my dog's name?", min_score=0.0)
    assert contents(found)[0] == "My dog is called Rex"
    scores = [each.score for each in found.evidence]
    assert scores == sorted(scores, reverse=True)
    assert sum(each.probability for each in found.evidence) == pytest.approx(1.0)
    assert (
        contents(ask(brain, tenant, "What is my dog's name?", min_score=0.0, top_k=1)) == contents(found)[:1]
    )


@pytest.mark.req("MEM-002")
def test_of_two_alike_the_later_comes_first(brain: Brain, tenant: UUID) -> None:
    years_ago = NEW_YEAR - timedelta(days=1000)
    brain.remember(
        tenant,
        [
            told("I live in Lisbon!", key="a", occurred_at=years_ago),
            told("I live in Lisbon", key="b", occurred_at=NEW_YEAR),
        ],
    )
    assert contents(ask(brain, tenant, "Where do I live?", as_of=NEW_YEAR))[0] == "I live in Lisbon"


@pytest.mark.req("MEM-002")
def test_learned_weights_and_temperature_act(brain: Brain, tenant: UUID) -> None:
    day = timedelta(days=1)
    brain.remember(
        tenant,
        [
            told("My dog is called Rex", occurred_at=NEW_YEAR - 1000 * day),
            told("I have a dog and two cats", occurred_at=NEW_YEAR),
        ],
    )
    query = "What is my dog's name?"
    assert contents(ask(brain, tenant, query, as_of=NEW_YEAR))[0] == "My dog is called Rex"
    with tenant_transaction(tenant):
        learned = {"weights": {"alpha": 0.1, "gamma": 1.0, "tau": 0.4}}
        brain.learned_state(tenant, AGENT, LearnedState.from_dict(learned))
    found = ask(brain, tenant, query, as_of=NEW_YEAR, agent_id=AGENT)
    assert contents(found)[0] == "I have a dog and two cats"
    given = Weights(alpha=0.1, gamma=1.0, tau=0.4)
    assert ask(brain, tenant, query, as_of=NEW_YEAR, weights=given).evidence == found.evidence
    warm = Weights(alpha=0.1, gamma=1.0, tau=1.2)
    warmer = ask(brain, tenant, query, as_of=NEW_YEAR, weights=warm)
    assert 0.5 < warmer.evidence[0].probability < found.evidence[0].probability
    assert contents(ask(brain, tenant, query, as_of=NEW_YEAR, agent_id="new"))[0] == "My dog is called Rex"


@pytest.mark.req("MEM-002")
def test_a_turn_does_not_recall_itself(brain: Brain, tenant: UUID) -> None:
    own = {"trace_id": "t", "source_turn": "turn-1", "input_hash": HASH}
    brain.remember(tenant, [told("My dog is called Rex", provenance=own)])
    found = ask(brain, tenant, "My dog is called Rex", exclude_input_hash=HASH)
    assert (contents(found), found.novelty) == ([], 1.0)
    assert contents(ask(brain, tenant, "My dog is called Rex", exclude_input_hash="b" * 64)) != []


@pytest.mark.req("MEM-002")
def test_only_statements_are_evidence_unless_others_are_wanted(brain: Brain, tenant: UUID) -> None:
    brain.remember(
        tenant,
        [
            told("My dog is called Rex"),
            told("What is the name of my dog?"),
            told("Tell me the name of my dog"),
            told("Your dog's name is Max.", role="assistant"),
        ],
    )
    query = "What is my dog's name?"
    assert contents(ask(brain, tenant, query)) == ["My dog is called Rex"]
    assert contents(ask(brain, tenant, query, kinds=(UtteranceKind.REPLY,))) == ["Your dog's name is Max."]
    assert len(contents(ask(brain, tenant, query, kinds=None))) == 4


@pytest.mark.req("MEM-002")
def test_what_was_not_yet_known_is_left_out(brain: Brain, tenant: UUID) -> None:
    brain.remember(tenant, [told("I live in Lisbon", occurred_at=NEW_YEAR)])
    assert contents(ask(brain, tenant, "Where do I live?", as_of=NEW_YEAR - timedelta(days=1))) == []
    assert contents(ask(brain, tenant, "Where do I live?", as_of=now())) == ["I live in Lisbon"]


@pytest.mark.req("MEM-002", "AUTH-004")
def test_tenants_and_namespaces_are_apart(brain: Brain, tenant: UUID, other_tenant: UUID) -> None:
    brain.remember(tenant, [told("My dog is called Rex")])
    brain.remember(other_tenant, [told("My dog is called Max")])
    brain.remember(tenant, [told("My dog is called Bo", namespace="m")])
    assert contents(ask(brain, tenant, "What is my dog's name?")) == ["My dog is called Rex"]
    assert contents(ask(brain, other_tenant, "What is my dog's name?")) == ["My dog is called Max"]
    assert contents(ask(brain, tenant, "What is my dog's name?", namespace="m")) == ["My dog is called Bo"]


@pytest.mark.req("MEM-002")
def test_nothing_known_is_an_answer_and_no_answer_is_an_error(
    brain: Brain, cut_off_brain: Brain, tenant: UUID
) -> None:
    found = ask(brain, tenant, "What is my dog's name?")
    assert (found.evidence, found.novelty) == ((), 1.0)
    with pytest.raises(RecallUnavailable):
        ask(cut_off_brain, tenant, "What is my dog's name?")


@pytest.mark.req("MEM-002")
@pytest.mark.parametrize(
    ("changes", "error"),
    [({"query": " "}, InvalidInput), ({"top_k": 0}, InvalidInput), ({"top_k": 101}, LimitExceeded)],
)
def test_what_cannot_be_asked_is_refused(
    brain: Brain, tenant: UUID, changes: dict[str, Any], error: type[InvalidInput]
) -> None:
    with pytest.raises(error):
        ask(brain, tenant, **{"query": "What is my dog's name?", **changes})


@pytest.mark.req("MEM-002")
def test_the_threshold_does_what_its_table_says(embedder: Embedder) -> None:
    facts = embedder.embed([fact for fact, _ in TOLD_AND_ASKED])
    questions = embedder.embed([question for _, question in TOLD_AND_ASKED])
    answered = (facts * questions).sum(axis=1) >= MIN_SCORE
    assert answered.mean() >= 0.96
    strangers = (questions @ facts.T >= MIN_SCORE).sum() - answered.sum()
    assert strangers / (len(facts) * (len(facts) - 1)) <= 0.05
    assert (embedder.embed(UNRELATED) @ facts.T >= MIN_SCORE).mean() <= 0.01


@pytest.mark.req("MEM-002")
@pytest.mark.parametrize("asked", [100, 250, 399])
def test_what_happened_at_a_time_is_found_by_it_alone(brain: Brain, tenant: UUID, asked: int) -> None:
    chance = random.Random(1)
    acts = ("watered the plants", "paid the rent", "fixed the bicycle", "cooked soup", "went swimming")
    days = [NEW_YEAR - timedelta(days=number) for number in range(400)]
    brain.remember(
        tenant,
        [
            told(
                f"I {chance.choice(acts)} and then {chance.choice(acts)}; {number} of them.", occurred_at=day
            )
            for number, day in enumerate(days)
        ],
    )
    day = days[asked]
    found = ask(
        brain, tenant, f"What did I do on {day.day} {day:%B} {day.year}?", min_score=0.0, top_k=100
    ).evidence
    assert day in [each.occurred_at for each in found]
    late = ask(brain, tenant, f"What did I do on {day:%Y-%m-%d}?", as_of=day - timedelta(days=1))
    assert day not in [each.occurred_at for each in late.evidence]
