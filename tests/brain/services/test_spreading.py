"""soma.brain.services.spreading"""

from datetime import timedelta
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from soma.base.database import tenant_transaction
from soma.base.errors import InvalidInput, LimitExceeded
from soma.base.ids import new_id
from soma.brain.api import Brain, Embedder, Evidence, Recall, UtteranceKind, Weights
from soma.brain.domain.signal_weights import SignalWeights
from soma.fractalmemory.adapters.link_store_postgres import PostgresLinkStore
from soma.fractalmemory.api import Link, LinkKey
from tests.brain.linked import Linked
from tests.brain.turns import NEW_YEAR

pytestmark = pytest.mark.req("MEM-004")
DAY = timedelta(days=1)

ASKED = "What is my dog's name?"
DOG, TAX = "My dog is called Rex", "Form 730 is due in September"
NOISE = (
    "The moon has no atmosphere",
    "Copper conducts electricity well",
    "The library closes at nine",
    "Basil grows best in full sun",
    "The printer needs a new cartridge",
)


@pytest.fixture
def linked(brain: Brain, tenant: UUID) -> Linked:
    return Linked(brain=brain, tenant=tenant)


def ids(recall: Recall) -> list[UUID]:
    return [each.record_id for each in recall.evidence]


def evidence_of(recall: Recall, record_id: UUID) -> Evidence:
    return next(each for each in recall.evidence if each.record_id == record_id)


def test_what_neither_words_nor_meaning_reach_is_found_by_use_and_forgotten_without(linked: Linked) -> None:
    dog, tax, *_ = linked.tell(DOG, TAX, *NOISE)
    asked = NEW_YEAR + 1 * DAY
    assert ids(linked.ask(ASKED, as_of=asked)) == [dog]
    assert linked.use(dog, tax, at=NEW_YEAR).made == 1  # another question needed both
    found = linked.ask(ASKED, as_of=asked)
    assert ids(found) == [dog, tax]
    reached = evidence_of(found, tax)
    assert reached.features["similarity"] < 0.2
    assert reached.features["graph"] == pytest.approx(0.39, abs=0.02)
    assert reached.provenance["path"] == [str(dog), str(tax)]
    assert "path" not in found.evidence[0].provenance
    for number in range(10):
        linked.use(dog, tax, at=NEW_YEAR + number * timedelta(hours=1))
    used_often = evidence_of(linked.ask(ASKED, as_of=asked), tax)
    assert used_often.features["graph"] > reached.features["graph"] + 0.3
    assert used_often.score > reached.score
    month = linked.ask(ASKED, as_of=asked + 30 * DAY)
    assert (
        reached.features["graph"] < evidence_of(month, tax).features["graph"] < used_often.features["graph"]
    )
    assert ids(linked.ask(ASKED, as_of=asked + 365 * DAY)) == [dog]


def test_what_is_linked_comes_before_what_is_not(linked: Linked) -> None:
    linked.tell(DOG, *NOISE)
    first, *others, last = ids(linked.ask(ASKED, min_score=0.0))
    linked.use(first, last)
    linked.use(first, last)
    after = ids(linked.ask(ASKED, min_score=0.0, as_of=NEW_YEAR + DAY))
    assert after[:2] == [first, last]
    assert set(after[2:]) == set(others)


def test_links_add_their_part_to_the_score(linked: Linked) -> None:
    dog, tax, *_ = linked.tell(DOG, TAX, *NOISE)
    linked.link(dog, tax)
    reached = evidence_of(linked.ask(ASKED, explain=True), tax)
    assert reached.features["graph"] == pytest.approx(0.5)
    assert reached.explanation is not None
    scale = sum(abs(weight) for weight in SignalWeights().to_dict().values())
    assert reached.explanation["graph"] == pytest.approx(2.0 * 0.5 / scale, abs=1e-5)
    indifferent = linked.ask(ASKED, explain=True, weights=Weights(beta=0.0))
    told = evidence_of(indifferent, tax).explanation
    assert told is not None
    assert told["graph"] == 0.0


def test_hops_reach_as_far_as_they_go_and_the_way_is_told(linked: Linked) -> None:
    dog, tax, moon, copper, library = linked.tell(DOG, TAX, *NOISE[:3])
    for pair in ((dog, tax), (moon, tax), (moon, copper), (copper, library)):
        linked.link(*pair)
    far = [ids(linked.ask(ASKED, k_hop=hops)) for hops in range(4)]
    assert far == [[dog], [dog, tax], [dog, tax, moon], [dog, tax, moon, copper]]
    [reached] = [each for each in linked.ask(ASKED, k_hop=2).evidence if each.record_id == moon]
    assert reached.provenance["path"] == [str(dog), str(tax), str(moon)]


def test_a_bad_link_brings_nothing(linked: Linked) -> None:
    dog, tax, *_ = linked.tell(DOG, TAX, *NOISE)
    linked.link(dog, tax, 0.05)
    assert ids(linked.ask(ASKED)) == [dog]


def test_nothing_spreads_from_what_is_no_evidence(linked: Linked) -> None:
    moon, tax = linked.tell(NOISE[0], TAX)
    linked.link(moon, tax, 10.0)
    assert ids(linked.ask(ASKED)) == []


def test_many_links_do_not_flood_the_answer(linked: Linked) -> None:
    dog, *others = linked.tell(DOG, *(f"Entry {number} of the ledger" for number in range(40)))
    for other in others:
        linked.link(dog, other, 0.5)
    assert ids(linked.ask(ASKED, top_k=100)) == [dog]


@pytest.mark.parametrize(("hops", "error"), [(-1, InvalidInput), (4, LimitExceeded)])
def test_hops_have_a_limit_that_is_named(linked: Linked, hops: int, error: type[InvalidInput]) -> None:
    with pytest.raises(error, match="k_hop"):
        linked.ask(ASKED, k_hop=hops)


def test_a_memory_that_was_deleted_is_not_reached(linked: Linked) -> None:
    dog, tax, moon = linked.tell(DOG, TAX, NOISE[0])
    linked.link(dog, tax, 10.0)
    linked.link(tax, moon, 10.0)
    linked.brain.forget(linked.tenant, [tax])
    assert ids(linked.ask(ASKED, k_hop=3)) == [dog]


places = st.sampled_from(["here", "elsewhere", "theirs", "later", "question", "own"])


@settings(deadline=None, max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(places, min_size=1, max_size=10),
    st.lists(st.tuples(st.integers(0, 10), st.integers(0, 10)), max_size=25),
    st.integers(0, 3),
)
@pytest.mark.req("AUTH-004")
def test_no_hop_leads_out_of_what_was_asked(
    brain: Brain, embedder: Embedder, kinds: list[str], pairs: list[tuple[int, int]], hops: int
) -> None:
    """Links of any kind, some across every border, written behind the brain's back."""
    here, there = Linked(brain=brain, tenant=new_id()), Linked(brain=brain, tenant=new_id())
    [dog] = here.tell(DOG)
    known, allowed = [dog], {dog}
    for number, kind in enumerate(kinds):
        content = f"Item {number} of the ledger"
        match kind:
            case "elsewhere":
                known += here.tell(content, namespace="m")
            case "theirs":
                known += there.tell(content)
            case "later":
                known += here.tell(content, occurred_at=NEW_YEAR + 2 * DAY)
            case "question":
                known += here.tell(
                    content, provenance={"trace_id": "t", "source_turn": "t", "kind": "question"}
                )
            case "own":
                own = {"trace_id": "t", "source_turn": "t", "input_hash": "a" * 64}
                known += here.tell(content, provenance=own)
            case _:
                known += here.tell(content)
                allowed.add(known[-1])
    links = [
        Link(
            key=LinkKey(source_id=known[a % len(known)], target_id=known[b % len(known)], kind="any"),
            conductance=10.0,
            created_at=NEW_YEAR,
        )
        for a, b in pairs
    ]
    for tenant in (here.tenant, there.tenant):
        with tenant_transaction(tenant):
            PostgresLinkStore().link(tenant, links)
    found = here.ask(
        ASKED,
        k_hop=hops,
        top_k=100,
        as_of=NEW_YEAR + DAY,
        kinds=(UtteranceKind.STATEMENT,),
        exclude_input_hash="a" * 64,
    )
    assert dog in ids(found)
    assert set(ids(found)) <= allowed
    for each in found.evidence:
        assert {UUID(step) for step in each.provenance.get("path", ())} <= allowed
        assert len(each.provenance.get("path", ())) <= hops + 1
