"""soma.brain.services.memory_links and graph_metrics"""

import math
from typing import Any
from uuid import UUID

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from soma.base.errors import InvalidInput, LimitExceeded, NotFound
from soma.base.ids import new_id
from soma.brain.api import Brain, MemoryLink, Resistance, WantedLink
from soma.fractalmemory.api import MAX_LINKS, USED_TOGETHER
from tests.brain.linked import Linked

pytestmark = pytest.mark.req("MEM-004")


@pytest.fixture
def linked(brain: Brain, tenant: UUID) -> Linked:
    return Linked(brain=brain, tenant=tenant)


def between(linked: Linked, *ids: UUID) -> list[float | None]:
    return [each.resistance for each in linked.brain.links.metrics(linked.tenant, "n", ids).resistances]


def test_a_link_is_made_changed_and_removed(linked: Linked) -> None:
    a, b = linked.tell("Ann", "Ben")
    links = linked.brain.links
    made = linked.link(a, b, 0.5)
    assert (made.source_id, made.target_id, made.kind) == (a, b, "about")
    assert (made.conductance, made.rest, made.flow) == (0.5, 0.5, 0.0)
    linked.link(a, b, 2.0)
    [found] = links.around(linked.tenant, "n", b).links
    assert (found.conductance, found.rest, found.hop) == (2.0, 2.0, 1)
    links.unlink(linked.tenant, "n", a, b, "about")
    assert links.around(linked.tenant, "n", b).links == ()
    with pytest.raises(NotFound):
        links.unlink(linked.tenant, "n", a, b, "about")


def test_what_usage_made_can_be_removed_but_not_be_made(linked: Linked) -> None:
    a, b = linked.tell("Ann", "Ben")
    linked.use(a, b)
    linked.brain.links.unlink(linked.tenant, "n", min(a, b), max(a, b), USED_TOGETHER)
    assert linked.links(a) == []
    with pytest.raises(InvalidInput, match=USED_TOGETHER):
        linked.link(a, b, kind=USED_TOGETHER)
    assert linked.links(a) == []


@pytest.mark.parametrize(
    "changes",
    [
        {"kind": ""},
        {"kind": "Upper"},
        {"kind": "a b"},
        {"kind": "1a"},
        {"kind": "a" * 41},
        {"kind": "a\x00"},
        {"kind": "é"},
        {"conductance": 0.0},
        {"conductance": 10.1},
        {"conductance": -1.0},
        {"conductance": math.nan},
        {"conductance": math.inf},
    ],
)
def test_a_link_that_cannot_be_is_refused_with_its_limit(changes: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput) as refused:
        WantedLink(**{"source_id": new_id(), "target_id": new_id(), "kind": "about", **changes})
    assert refused.value.extra["limit"] == next(iter(changes))


def test_a_memory_is_not_linked_to_itself(linked: Linked) -> None:
    [a] = linked.tell("Ann")
    with pytest.raises(InvalidInput):
        linked.link(a, a)


@pytest.mark.req("AUTH-004")
def test_nobody_links_unlinks_or_sees_what_is_not_theirs(linked: Linked, other_tenant: UUID) -> None:
    a, b = linked.tell("Ann", "Ben")
    [elsewhere] = linked.tell("Elsewhere", namespace="m")
    theirs = Linked(brain=linked.brain, tenant=other_tenant)
    [c] = theirs.tell("Cleo")
    linked.link(a, b)
    links = linked.brain.links
    for other in (elsewhere, c, new_id()):
        with pytest.raises(NotFound):
            linked.link(a, other)
        with pytest.raises(NotFound):
            linked.link(other, a)
        with pytest.raises(NotFound):
            links.metrics(linked.tenant, "n", (a, other))
    for stranger in (
        lambda: links.unlink(other_tenant, "n", a, b, "about"),
        lambda: links.unlink(linked.tenant, "m", a, b, "about"),
        lambda: links.around(other_tenant, "n", a),
        lambda: links.around(linked.tenant, "m", a),
        lambda: theirs.link(a, b),
    ):
        with pytest.raises(NotFound):
            stranger()
    assert len(linked.links(a)) == 1
    assert links.metrics(other_tenant, "n").links == 0


def test_links_by_hand_have_a_limit_and_those_of_usage_give_way(linked: Linked) -> None:
    hub, other, *leaves = linked.tell("Hub", "Other", *(f"Leaf {number}" for number in range(MAX_LINKS + 1)))
    linked.use(hub, other)
    for leaf in leaves[:MAX_LINKS]:
        linked.link(hub, leaf, 0.001)
    held = linked.links(hub)
    assert len(held) == MAX_LINKS
    assert {each.key.kind for each in held} == {"about"}
    with pytest.raises(LimitExceeded, match="links_per_memory is 65 links; the limit is 64"):
        linked.link(leaves[-1], hub)
    assert len(linked.links(hub)) == MAX_LINKS
    assert linked.link(hub, leaves[0], 1.0).conductance == 1.0  # one that there is needs no room


def test_what_is_around_comes_in_pages_nearest_and_best_first(linked: Linked) -> None:
    a, b, c, d, e = linked.tell("Ann", "Ben", "Cleo", "Dan", "Eve")
    linked.link(a, b, 0.5)
    linked.link(c, a, 2.0)
    linked.link(b, d, 10.0)
    linked.link(d, e, 10.0)
    links = linked.brain.links
    near = links.around(linked.tenant, "n", a)
    assert [(each.source_id, each.target_id) for each in near.links] == [(c, a), (a, b)]
    assert near.cursor is None
    assert links.around(linked.tenant, "n", a, k_hop=0).links == ()
    whole = links.around(linked.tenant, "n", a, k_hop=3).links
    assert [each.hop for each in whole] == [1, 1, 2, 3]
    pages, cursor = list[MemoryLink](), None
    while True:
        page = links.around(linked.tenant, "n", a, k_hop=3, limit=3, cursor=cursor)
        pages += page.links
        cursor = page.cursor
        if cursor is None:
            break
    assert tuple(pages) == whole


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"k_hop": 4}, LimitExceeded),
        ({"k_hop": -1}, InvalidInput),
        ({"limit": 0}, InvalidInput),
        ({"limit": 1001}, LimitExceeded),
        ({"cursor": ""}, InvalidInput),
        ({"cursor": "-1"}, InvalidInput),
        ({"cursor": "9" * 10}, InvalidInput),
        ({"cursor": "\u0663"}, InvalidInput),
    ],
)
def test_pages_that_cannot_be_are_refused(
    linked: Linked, changes: dict[str, Any], error: type[InvalidInput]
) -> None:
    [a] = linked.tell("Ann")
    with pytest.raises(error):
        linked.brain.links.around(linked.tenant, "n", a, **changes)


def test_metrics_tell_links_by_kind_and_resistances(linked: Linked) -> None:
    a, b, c, d = linked.tell("Ann", "Ben", "Cleo", "Dan")
    linked.link(a, b, 0.5)
    linked.link(b, c, 0.25, kind="next")
    told = linked.brain.links.metrics(linked.tenant, "n", (a, c, d))
    assert (told.memories, told.links, told.complete) == (4, 2, True)
    assert told.kinds == {"about": 1, "next": 1}
    assert told.conductance == {"about": 0.5, "next": 0.25}
    [near, *far] = told.resistances
    assert (near.source_id, near.target_id) == (a, c)
    assert near.resistance == pytest.approx(6.0)
    assert far == [Resistance(source_id=each, target_id=d, resistance=None) for each in (a, c)]
    assert linked.brain.links.metrics(linked.tenant, "n").resistances == ()
    assert between(linked, a, a) == []
    many = linked.tell(*(f"Memory {number}" for number in range(9)))
    with pytest.raises(LimitExceeded, match="ids"):
        linked.brain.links.metrics(linked.tenant, "n", many)


def test_use_brings_memories_nearer(linked: Linked) -> None:
    a, b, c = linked.tell("Ann", "Ben", "Cleo")
    linked.link(a, b, 0.5)
    linked.link(b, c, 0.5)
    [before] = between(linked, a, c)
    linked.use(c, entries=[a])
    [after] = between(linked, a, c)
    assert before == pytest.approx(4.0)
    assert after is not None
    assert after < 3.5


@settings(deadline=None, max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.tuples(st.integers(0, 5), st.integers(0, 5), st.sampled_from([0.1, 1.0, 7.5])).filter(
            lambda link: link[0] != link[1]
        ),
        max_size=12,
    )
)
def test_resistances_are_those_of_the_stored_links(
    linked: Linked, wanted: list[tuple[int, int, float]]
) -> None:
    ids = linked.tell(*(str(new_id()) for _ in range(6)))
    full = np.zeros((6, 6))
    for number, (a, b, conductance) in enumerate(wanted):
        linked.link(ids[a], ids[b], conductance, kind=f"k{number}")
        full[a, b] -= conductance
        full[b, a] -= conductance
    inverse = np.linalg.pinv(np.diag(-full.sum(axis=0)) + full)
    reached = np.linalg.matrix_power(np.eye(6) + (full < 0), 6) > 0
    told = linked.brain.links.metrics(linked.tenant, "n", ids)
    assert told.complete
    for each in told.resistances:
        a, b = ids.index(each.source_id), ids.index(each.target_id)
        if not reached[a, b]:
            assert each.resistance is None
        else:
            exact = inverse[a, a] + inverse[b, b] - 2 * inverse[a, b]
            assert each.resistance == pytest.approx(exact, rel=1e-6)
