"""soma.brain.domain.frame, frame_extraction, frame_predicates and frame_times"""

from datetime import UTC, datetime

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from soma.brain.domain.frame import MAX_FILLERS, MAX_TEXT, Filler, Frame, Role, filler_of
from soma.brain.domain.frame_extraction import MAX_FRAMES, frames_of
from soma.brain.domain.frame_times import times_of
from soma.brain.domain.terms import words

pytestmark = pytest.mark.req("HRR-001")

WEDNESDAY = datetime(2026, 1, 14, 12, tzinfo=UTC)


def read(text: str, speaker: str = "Ada") -> dict[str, list[str]]:
    """The roles of the one frame of `text`, times as dates; when it was said is left out."""
    [frame] = frames_of(text, speaker=speaker, occurred_at=WEDNESDAY)
    roles = {
        role.value: [filler.token if role is Role.WHEN else filler.text for filler in fillers]
        for role, fillers in frame.roles.items()
    }
    return {role: fillers for role, fillers in roles.items() if (role, fillers) != ("when", ["2026-01-14"])}


@pytest.mark.parametrize(
    ("text", "roles"),
    [
        (
            "Bob visited the science museum in London yesterday because his sister lives there.",
            {
                "who": ["Bob"],
                "what": ["visited", "science museum"],
                "when": ["2026-01-13"],
                "where": ["London"],
                "why": ["his sister lives there"],
            },
        ),
        (
            "I moved to Berlin with my friend Tom.",
            {"who": ["Ada", "Tom", "friend"], "what": ["moved"], "where": ["Berlin"]},
        ),
        (
            "Bob and Alice bought a house near the river in 2019.",
            {
                "who": ["Bob", "Alice"],
                "what": ["bought", "house"],
                "when": ["2019"],
                "where": ["the river"],
            },
        ),
        (
            "The green kettle stands in the workshop.",
            {"what": ["stands", "green kettle"], "where": ["the workshop"]},
        ),
        (
            "I keep the spare key under the blue flowerpot",
            {"who": ["Ada"], "what": ["keep", "spare key"], "where": ["the blue flowerpot"]},
        ),
        ("My dog is called Rex", {"who": ["Rex"], "what": ["called", "Rex", "dog"]}),
        ("My project is called Heron", {"what": ["called", "Heron", "project"]}),
        (
            "I'm going to Japan in April.",
            {"who": ["Ada"], "what": ["going"], "when": ["2026-04"], "where": ["Japan"]},
        ),
        ("I can't eat gluten", {"who": ["Ada"], "what": ["eat", "gluten"]}),
        ("I owe Peter 40 euros", {"who": ["Ada", "Peter"], "what": ["owe", "Peter 40 euros"]}),
        ("I speak to Bob in French", {"who": ["Ada", "Bob"], "what": ["speak"]}),
        ("She met Carlos in Madrid.", {"who": ["Carlos"], "what": ["met", "Carlos"], "where": ["Madrid"]}),
    ],
)
def test_a_clause_is_read_into_its_roles(text: str, roles: dict[str, list[str]]) -> None:
    assert read(text) == roles


@pytest.mark.parametrize(
    "text", ["Where did I park?", "Thanks!", "", "Hmm, well.", "你好,我住在北京", "42", "🙂🙂"]
)
def test_what_tells_nothing_has_no_frame(text: str) -> None:
    assert frames_of(text, speaker="Ada", occurred_at=WEDNESDAY) == ()


def test_a_time_is_always_told_and_a_missing_role_is_absent() -> None:
    [frame] = frames_of("I am vegetarian", speaker="Ada", occurred_at=WEDNESDAY)
    assert set(frame.roles) == {Role.WHO, Role.WHAT, Role.WHEN}
    assert [filler.token for filler in frame.roles[Role.WHEN]] == ["2026-01-14"]
    [nobody] = frames_of("I am vegetarian", speaker="", occurred_at=WEDNESDAY)
    assert Role.WHO not in nobody.roles


def test_each_clause_has_a_frame_of_its_own() -> None:
    one, other = frames_of("My name is Ada and I live in Porto", speaker="Ada", occurred_at=WEDNESDAY)
    assert Role.WHERE not in one.roles
    assert [filler.text for filler in other.roles[Role.WHERE]] == ["Porto"]


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("We met yesterday", ["2026-01-13"]),
        ("I leave tomorrow", ["2026-01-15"]),
        ("I started two weeks ago", ["2025-12-29"]),
        ("I start in 3 days", ["2026-01-17"]),
        ("We moved last month", ["2025-12"]),
        ("We move next year", ["2027"]),
        ("I met her on Friday", ["2026-01-09"]),
        ("The meeting is on Friday", ["2026-01-16"]),
        ("The meeting is on Wednesday", ["2026-01-21"]),
        ("I swim every Friday", []),
        ("It is due on the 5th of March", ["2026-03-05"]),
        ("She was born on 5 March 1984", ["1984-03-05"]),
        ("We married in June", ["2025-06"]),
        ("We marry in June", ["2026-06"]),
        ("It happened on 2024-02-29", ["2024-02-29"]),
        ("It happened on 2023-02-29", ["2023"]),
        ("I may march", []),
        ("The flat has three rooms and cost 2 years of saving", []),
    ],
)
def test_times_are_dates(text: str, tokens: list[str]) -> None:
    assert [filler.token for filler, _, _ in times_of(text, WEDNESDAY)] == tokens


@given(st.text(max_size=300), st.datetimes(timezones=st.just(UTC)))
@example("I met Ann in 9999 next year in 99 years", datetime(9999, 12, 31, tzinfo=UTC))
@example("Yesterday 99 weeks ago last year", datetime(1, 1, 1, tzinfo=UTC))
@example("A-" * 16_000, WEDNESDAY)
@example("I " * 5000 + "went to the " * 500, WEDNESDAY)
def test_any_text_is_read_within_the_limits(text: str, moment: datetime) -> None:
    frames = frames_of(text, speaker="Ada", occurred_at=moment)
    assert len(frames) <= MAX_FRAMES
    for frame in frames:
        assert Role.WHEN in frame.roles
        for fillers in frame.roles.values():
            assert 1 <= len(fillers) <= MAX_FILLERS
            assert len({filler.token for filler in fillers}) == len(fillers)
            assert all(0 < len(filler.token) <= MAX_TEXT >= len(filler.text) for filler in fillers)


WORDS = "I we Bob met visited the old house in London at school yesterday and because , her ' ."
clauses = st.lists(st.sampled_from(WORDS.split()), max_size=30).map(" ".join)


@given(clauses)
def test_nothing_is_said_that_the_text_does_not_say(text: str) -> None:
    for frame in frames_of(text, speaker="Ada", occurred_at=WEDNESDAY):
        for role, fillers in frame.roles.items():
            if role not in {Role.WHEN, Role.WHAT}:
                said = {"ada", *words(text)}
                assert all(said.issuperset(words(filler.text)) for filler in fillers)


def frame(role: Role, *tokens: str) -> Frame:
    return Frame(roles={role: tuple(Filler(token=token, text=token) for token in tokens)})


@pytest.mark.parametrize(
    ("told", "asked", "share"),
    [
        ("scienc museum", "museum", 1.0),
        ("museum", "scienc museum", 0.5),
        ("museum", "church", 0.0),
        ("2026-01-04", "2026-01", 1.0),
        ("2026-01-04", "2026", 1.0),
        ("2026-01-04", "2026-01-05", 0.0),
        ("2026-01", "2026-01-05", 0.0),
    ],
)
def test_a_cue_is_covered_by_the_parts_it_shares(told: str, asked: str, share: float) -> None:
    assert frame(Role.WHAT, "x", told).coverage(Role.WHAT, asked) == share
    assert frame(Role.WHAT, told).coverage(Role.WHERE, asked) == 0.0


def test_forms_of_a_word_are_one_token() -> None:
    assert filler_of("went").token == filler_of("goes").token == filler_of("going").token == "go"
    assert filler_of("The old museums").token == filler_of("old museum").token
    assert filler_of("bought").token == filler_of("buys").token
