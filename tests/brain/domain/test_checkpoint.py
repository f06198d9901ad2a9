"""soma.brain.domain.checkpoint"""

from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID

import pytest

from soma.base.crypto import SigningKey
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


KEY, ANOTHER = SigningKey.from_seed(b"k" * 32), SigningKey.from_seed(b"a" * 32)


@pytest.mark.req("LEARN-002")
def test_all_but_the_first_must_be_signed_by_the_installation() -> None:
    def broken_at(links: list[Checkpoint]) -> int | None:
        return verify_chain(links, head=links[-1].hash, state=links[-1].state, public=KEY.public).broken_at

    unsigned = chain(4)
    signed = [each.signed(KEY) for each in unsigned]
    assert broken_at([unsigned[0], *signed[1:]]) is None
    assert broken_at(unsigned) == 1
    assert broken_at([*signed[:2], unsigned[2], signed[3]]) == 2
    assert broken_at([*signed[:3], signed[3].signed(ANOTHER)]) == 3
    assert broken_at([*signed[:3], replace(signed[3], signature=signed[2].signature)]) == 3


@pytest.mark.req("LEARN-002")
def test_a_signature_of_the_bare_hash_is_none() -> None:
    [first] = chain(1)
    bare = replace(first, signature=KEY.sign(bytes.fromhex(first.hash)))
    assert not bare.signed_by(KEY.public)
    assert first.signed(None) == first
