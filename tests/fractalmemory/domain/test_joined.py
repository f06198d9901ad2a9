"""soma.fractalmemory.domain.joined"""

from dataclasses import fields
from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from soma.base.ids import new_id
from soma.fractalmemory.domain.candidates import CandidateSet
from soma.fractalmemory.domain.joined import joined_candidates, joined_lexicon
from soma.fractalmemory.domain.lexicon import Lexicon

pytestmark = pytest.mark.req("MEM-005")

MADE = datetime(2026, 3, 1, tzinfo=UTC)
TERMS = ("kettle", "ladder")


def lexicon(holds: list[list[int]], speakers: tuple[str, ...] = ()) -> Lexicon:
    """Records with how often each holds each of TERMS; numbers begin at 1, as the store's do."""
    postings = {}
    for place, term in enumerate(TERMS):
        having = [(number, each[place], sum(each)) for number, each in enumerate(holds, 1) if each[place]]
        if having:
            numbers, counts, lengths = np.array(having, np.int64).T
            postings[term] = (numbers, counts, lengths)
    tokens = sum(map(sum, holds))
    return Lexicon(
        namespace_id=1,
        terms=TERMS,
        records=len(holds),
        mean_length=tokens / len(holds) if holds else 0.0,
        speakers=speakers,
        postings=postings,
    )


HOLDS = st.lists(st.lists(st.integers(0, 3), min_size=2, max_size=2), max_size=6)


@given(st.lists(HOLDS, min_size=1, max_size=4))
def test_statistics_are_those_of_one_namespace(parts: list[list[list[int]]]) -> None:
    joined = joined_lexicon([lexicon(part) for part in parts])
    whole = lexicon([record for part in parts for record in part])
    assert joined.records == whole.records
    assert joined.mean_length == pytest.approx(whole.mean_length)
    assert joined.holding.tolist() == whole.holding.tolist()
    scored, expected = joined.scores(k1=0.9, b=0.4)[1], whole.scores(k1=0.9, b=0.4)[1]
    assert sorted(scored) == pytest.approx(sorted(expected))


def test_each_speaker_once() -> None:
    parts = [lexicon([[1, 0]], ("Ann", "Bob")), lexicon([], ("Bob", "Cyd"))]
    assert joined_lexicon(parts).speakers == ("Ann", "Bob", "Cyd")


def candidates(count: int, previous: list[int], session: list[int]) -> CandidateSet:
    """Candidates told apart by their similarity."""
    plain = {each.name: np.zeros(count) for each in fields(CandidateSet)}
    mine = {
        "ids": tuple(new_id() for _ in range(count)),
        "roles": ("user",) * count,
        "speakers": ("",) * count,
        "occurred_at": (MADE,) * count,
        "similarity": np.arange(count) / 10,
        "frequencies": np.ones((count, 2)),
        "previous": np.array(previous, np.intp),
        "next": np.array(previous, np.intp),
        "session": np.array(session, np.intp),
    }
    return CandidateSet(**{**plain, **mine})  # type: ignore[arg-type]


def test_neighbours_and_sessions_stay_with_their_own() -> None:
    parts = [candidates(2, [-1, 0], [0, 0]), candidates(0, [], []), candidates(3, [2, -1, 1], [0, 1, 1])]
    joined = joined_candidates(parts)
    assert joined.ids == parts[0].ids + parts[2].ids
    assert joined.similarity.tolist() == [0.0, 0.1, 0.0, 0.1, 0.2]
    assert joined.previous.tolist() == joined.next.tolist() == [-1, 0, 4, -1, 3]
    assert joined.session.tolist() == [0, 0, 1, 2, 2]
    assert joined.frequencies.shape == (5, 2)
    assert all(len(getattr(joined, each.name)) == 5 for each in fields(CandidateSet))
