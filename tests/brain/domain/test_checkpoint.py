"""soma.brain.domain.checkpoint"""

from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID

import pytest

from soma.brain.domain.checkpoint import ROOT, ChainReport, Checkpoint, seal, verify_chain
from soma.brain.domain.learned_state import LearnedState


def chain(length: int) -> list[Checkpoint]:
    made: list[Checkpoint] = []
    for sequence in range(length):
        made.append(
            seal(
                tenant_id=UUID(int=1),
                agent_id="a",
                sequence=sequence,
                turn_id=UUID(int=100 + sequence) if sequence else None,
                last_iteration=sequence,
                state=LearnedState(step=sequence),
                previous_hash=made[-1].hash if made else ROOT,
                created_at=datetime(2026, 1, 1, tzinfo=UTC),
            )
        )
    return made


def verify(checkpoints: list[Checkpoint]) -> ChainReport:
    last = chain(4)[-1]
    return verify_chain(checkpoints, head=last.hash, state=last.state)


@pytest.mark.req("LEARN-002")
def test_a_whole_chain_holds() -> None:
    assert verify(chain(4)) == ChainReport(checkpoints=4, broken_at=None)


@pytest.mark.req("LEARN-002")
@pytest.mark.parametrize(
    "change",
    [
        {"state": LearnedState(step=99)},
        {"turn_id": UUID(int=7)},
        {"last_iteration": 7},
        {"created_at": datetime(2026, 1, 2, tzinfo=UTC)},
        {"agent_id": "b"},
        {"tenant_id": UUID(int=7)},
        {"hash": "1" * 128},
    ],
)
@pytest.mark.parametrize("reseal", [False, True])
def test_a_changed_link_is_found(change: dict[str, object], reseal: bool) -> None:
    links = chain(4)
    links[2] = replace(links[2], **change)  # type: ignore[arg-type]
    if reseal and "hash" not in change:
        links[2] = replace(links[2], hash=links[2].expected_hash())
        assert verify(links).broken_at == 3
    else:
        assert verify(links).broken_at == 2


@pytest.mark.req("LEARN-002")
def test_a_missing_link_is_found() -> None:
    links = chain(4)
    assert verify(links[:2] + links[3:]).broken_at == 2
    assert verify(links[:3]).broken_at == 3
    assert verify([]).broken_at == 0


@pytest.mark.req("LEARN-002")
def test_an_agent_that_stands_elsewhere_than_its_last_checkpoint_is_found() -> None:
    links = chain(4)
    assert not verify_chain(links, head=links[-1].hash, state=LearnedState(step=99)).intact
    assert not verify_chain(links, head="0" * 128, state=links[-1].state).intact
