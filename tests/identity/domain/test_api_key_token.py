"""The text of an API key."""

from collections.abc import Callable
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from soma.identity.domain.api_key_token import ApiKeyToken

pytestmark = pytest.mark.req("AUTH-003")


def test_text_names_the_tenant_and_reads_back() -> None:
    token = ApiKeyToken.new(uuid4())
    assert token.text.startswith(f"soma_{token.tenant_id.hex}_")
    assert ApiKeyToken.parse(token.text) == token


def test_no_two_keys_are_alike() -> None:
    tenant = uuid4()
    assert len({ApiKeyToken.new(tenant).secret for _ in range(1000)}) == 1000


def test_a_key_matches_its_own_digest_only() -> None:
    one, other = ApiKeyToken.new(uuid4()), ApiKeyToken.new(uuid4())
    assert one.matches(one.digest)
    assert not one.matches(other.digest)
    assert not one.matches("")


def test_digest_covers_the_tenant() -> None:
    one = ApiKeyToken.new(uuid4())
    assert not ApiKeyToken(tenant_id=uuid4(), secret=one.secret).matches(one.digest)


def test_secret_is_not_shown_by_repr() -> None:
    token = ApiKeyToken.new(uuid4())
    assert token.secret not in repr(token)


@given(st.text())
def test_other_text_is_no_key(text: str) -> None:
    assert ApiKeyToken.parse(text) is None


SPOILT: dict[str, Callable[[str], str]] = {
    "newline after": lambda text: text + "\n",
    "space before": lambda text: " " + text,
    "shorter": lambda text: text[:-1],
    "longer": lambda text: text + "A",
    "upper case": str.upper,
    "another separator": lambda text: text.replace("soma_", "soma-"),
    "not ASCII": lambda text: text[:-1] + "é",
    "NUL": lambda text: text[:-1] + "\0",
}


@pytest.mark.parametrize("how", SPOILT)
def test_text_that_is_nearly_a_key_is_none(how: str) -> None:
    assert ApiKeyToken.parse(SPOILT[how](ApiKeyToken.new(uuid4()).text)) is None
