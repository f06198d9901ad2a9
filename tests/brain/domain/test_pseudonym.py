"""soma.brain.domain.pseudonym"""

from uuid import UUID

import pytest

from soma.brain.domain.personal.detect import detect
from soma.brain.domain.personal.finding import PersonalData
from soma.brain.domain.pseudonym import Pseudonyms

pytestmark = pytest.mark.req("MEM-001", "PRIV-001")

TENANT, OTHER = UUID(int=1), UUID(int=2)
CARD = "4111 1111 1111 1111"


def veiled(text: str, tenant: UUID = TENANT, secret: bytes = b"s" * 32) -> str:
    return Pseudonyms(secret).replaced(tenant, text, detect(text, tuple(PersonalData)))


def test_a_token_stands_for_the_value_and_nothing_else_changes() -> None:
    before, token, after = veiled(f"Pay with {CARD}, please").partition("[card:")
    assert (before, token, after[16:]) == ("Pay with ", "[card:", "], please")
    assert "4111" not in after


def test_equal_values_have_equal_tokens_however_they_are_written() -> None:
    assert veiled(CARD) == veiled("4111-1111-1111-1111") != veiled("5555 5555 5555 4444")


def test_another_tenant_and_another_installation_have_other_tokens() -> None:
    assert len({veiled(CARD), veiled(CARD, OTHER), veiled(CARD, secret=b"t" * 32)}) == 3


def test_tokens_are_left_as_they_are() -> None:
    assert veiled(veiled(CARD)) == veiled(CARD)


def test_a_short_secret_is_refused() -> None:
    with pytest.raises(ValueError, match="5 bytes; 32 are expected"):
        Pseudonyms(b"short")
