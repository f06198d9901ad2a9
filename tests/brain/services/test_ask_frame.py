"""soma.brain.services.ask_frame, frames and frame_traces"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest

from soma.base.database import tenant_transaction
from soma.base.ids import new_id
from soma.brain.api import (
    Brain,
    FrameAnswers,
    FrameMethod,
    FrameQuestion,
    RecallRequest,
    RecallUnavailable,
    Role,
)
from soma.brain.models import FrameFillerRow
from soma.brain.services import ask_frame as service
from soma.brain.services.frame_traces import read_traces
from tests.brain.turns import NEW_YEAR, told

pytestmark = pytest.mark.req("HRR-001", "MEM-002")

NAMES = ("Ada", "Bob", "Carlos", "Dina", "Emil", "Greta")
VERBS = ("visited", "bought", "painted", "repaired", "sold")
THINGS = (
    "science museum",
    "red bicycle",
    "grey boat",
    "stone bridge",
    "oak table",
    "blue lamp",
    "old church",
)
PLACES = (
    "London",
    "Paris",
    "Madrid",
    "Oslo",
    "Porto",
    "Vienna",
    "Krakow",
    "Lisbon",
    "Berlin",
    "Dublin",
    "Rome",
)


def event(number: int) -> tuple[str, str, str, str]:
    """Who did what with which thing where: no two of the first 200 share who, verb and thing."""
    return NAMES[number % 6], VERBS[number % 5], THINGS[number % 7], PLACES[number * 3 % 11]


def tell(brain: Brain, tenant: UUID, numbers: Sequence[int]) -> dict[int, UUID]:
    kept = brain.remember(
        tenant,
        [
            told(
                "{} {} the {} in {}.".format(*event(number)),
                key=str(number),
                occurred_at=NEW_YEAR + timedelta(days=number),
            )
            for number in numbers
        ],
    )
    return {int(each.key): each.record_id for each in kept.stored}


def ask(
    brain: Brain, tenant: UUID, known: dict[str, str], wanted: str, method: str | None = None
) -> FrameAnswers:
    chosen = None if method is None else FrameMethod(method)
    return brain.ask_frame(
        FrameQuestion(tenant_id=tenant, namespace="n", known=known, wanted=wanted, method=chosen)
    )


@pytest.mark.parametrize("method", FrameMethod)
def test_both_ways_find_what_is_missing_in_an_event(brain: Brain, tenant: UUID, method: str) -> None:
    numbers = range(0, 200, 5)
    ids = tell(brain, tenant, numbers)
    for number in list(numbers)[::4]:
        who, _, thing, place = event(number)
        found = ask(brain, tenant, {"who": who, "what": thing, "when": _day(number)}, "where", method)
        assert found.method == method
        best = found.answers[0]
        assert (best.text, best.matched, best.record_ids[0]) == (place, 1.0, ids[number])
        assert best.confidence == pytest.approx(1.0, abs=1e-6)
        assert (best.z is None) == (method == "lookup")
        who_did = ask(brain, tenant, {"where": place, "when": _day(number)}, "who", method)
        assert who_did.answers[0].text == who


def _day(number: int) -> str:
    return (NEW_YEAR + timedelta(days=number)).date().isoformat()


def test_a_part_of_a_filler_is_enough_to_read_it_and_not_to_look_it_up(brain: Brain, tenant: UUID) -> None:
    ids = tell(brain, tenant, range(30))
    wanted = {
        event(number)[3] for number in ids if event(number)[0] == "Ada" and "museum" in event(number)[2]
    }
    assert ask(brain, tenant, {"who": "Ada", "what": "museum"}, "where", "lookup").answers == ()
    found = ask(brain, tenant, {"who": "Ada", "what": "museum"}, "where")
    assert found.method == "holographic"
    whole = {answer.text for answer in found.answers if answer.matched == 1.0}
    assert whole == wanted
    halves = [answer for answer in found.answers if answer.matched < 1.0]
    assert halves
    assert all(answer.confidence <= 0.5 for answer in halves)


def test_every_answer_is_what_its_memories_say(brain: Brain, tenant: UUID) -> None:
    numbers = {record_id: number for number, record_id in tell(brain, tenant, range(60)).items()}
    for known in ({"who": "Bob"}, {"what": "painted"}, {"who": "Emil", "what": "church"}):
        found = ask(brain, tenant, known, "where", "holographic")
        assert found.answers
        for answer in found.answers:
            assert all(event(numbers[record_id])[3] == answer.text for record_id in answer.record_ids)


def test_a_reading_that_no_stored_frame_supports_is_no_answer(
    brain: Brain, tenant: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As if the superposition were read wrongly: every token it gives is another's."""
    tell(brain, tenant, range(8))
    honest = read_traces
    monkeypatch.setattr(
        service, "read_traces", lambda *given: [replace(each, token="atlantis") for each in honest(*given)]
    )
    assert ask(brain, tenant, {"who": "Ada"}, "where", "holographic").answers == ()


def test_what_nobody_told_has_no_answer(brain: Brain, tenant: UUID) -> None:
    assert ask(brain, tenant, {"who": "Ada"}, "where").answers == ()
    tell(brain, tenant, range(40))
    for method in FrameMethod:
        assert ask(brain, tenant, {"who": "Zebulon"}, "where", method).answers == ()
        assert ask(brain, tenant, {"who": "Ada"}, "why", method).answers == ()


def test_what_is_known_already_is_no_answer(brain: Brain, tenant: UUID) -> None:
    brain.remember(tenant, [told("Bob and Alice bought a house in Rome.")])
    for method in FrameMethod:
        found = ask(brain, tenant, {"who": "Bob", "where": "Rome"}, "who", method)
        assert [answer.text for answer in found.answers] == ["Alice"]


def test_who_tells_of_themselves_is_asked_for_as_themselves(brain: Brain, tenant: UUID) -> None:
    brain.remember(tenant, [told("I parked the car on level 3."), told("I live in Porto.", speaker="Dina")])
    assert ask(brain, tenant, {"who": "I", "what": "car"}, "where").answers[0].text == "level 3"
    assert ask(brain, tenant, {"who": "Dina"}, "where").answers[0].text == "Porto"


@pytest.mark.req("AUTH-004")
def test_frames_are_a_tenants_own_and_go_with_their_memories(
    brain: Brain, tenant: UUID, other_tenant: UUID
) -> None:
    ids = tell(brain, tenant, range(6))
    for method in FrameMethod:
        assert ask(brain, other_tenant, {"who": "Ada"}, "where", method).answers == ()
    brain.forget(tenant, [ids[0]])
    with tenant_transaction(tenant):
        left = set(FrameFillerRow.objects.values_list("record_id", flat=True))
    assert left == set(ids.values()) - {ids[0]}
    for method in FrameMethod:
        assert ask(brain, tenant, {"who": event(0)[0]}, "where", method).answers == ()


def test_rewriting_a_memory_rewrites_its_frames(brain: Brain, tenant: UUID) -> None:
    brain.remember(tenant, [told("Ada lives in Rome.", key="home")])
    brain.remember(tenant, [told("Ada lives in Paris.", key="home")])
    brain.remember(tenant, [told("Ada lives in Paris.", key="home")])
    for method in FrameMethod:
        found = ask(brain, tenant, {"who": "Ada"}, "where", method)
        assert [answer.text for answer in found.answers] == ["Paris"]


def test_what_is_imported_is_read_into_frames_too(brain: Brain, tenant: UUID, other_tenant: UUID) -> None:
    owner = new_id()
    brain.remember(tenant, [told("Ada lives in Rome.", namespace=str(owner))])
    lines = list(brain.export(tenant, owner))
    for _ in range(2):
        brain.importing(other_tenant, owner).take(lines)
        question = FrameQuestion(
            tenant_id=other_tenant, namespace=str(owner), known={"who": "Ada"}, wanted="where"
        )
        assert [answer.text for answer in brain.ask_frame(question).answers] == ["Rome"]


def test_questions_tell_no_event(brain: Brain, tenant: UUID) -> None:
    brain.remember(tenant, [told("Did Ada move to Rome?"), told("Tell Ada lives in Rome")])
    with tenant_transaction(tenant):
        assert not FrameFillerRow.objects.exists()


def test_evidence_shows_its_frames_where_an_explanation_is_asked_for(brain: Brain, tenant: UUID) -> None:
    brain.remember(tenant, [told("Bob visited the science museum in London.")])
    request = RecallRequest(
        tenant_id=tenant, agent_id=None, namespace="n", query="Which museum did Bob visit?"
    )
    [plain] = brain.recall(request).evidence
    [explained] = brain.recall(replace(request, explain=True)).evidence
    assert plain.frames is None
    assert explained.frames is not None
    [frame] = explained.frames
    assert [filler.text for filler in frame.roles[Role.WHERE]] == ["London"]


def test_no_answer_from_the_store_is_an_error(cut_off_brain: Brain, brain: Brain, tenant: UUID) -> None:
    tell(brain, tenant, range(3))
    with pytest.raises(RecallUnavailable):
        ask(cut_off_brain, tenant, {"who": "Ada"}, "where", "holographic")
