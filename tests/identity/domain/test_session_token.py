"""The token of a session: what is read back, and everything that is refused."""

import base64
import json
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import jwt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from soma.base.errors import Unauthenticated
from soma.identity.domain.session_token import SessionClaims, SessionTokens

pytestmark = pytest.mark.req("AUTH-003")

SECRET = b"0123456789abcdef0123456789abcdef"
NOW = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)
TOKENS = SessionTokens(SECRET)
CLAIMS = SessionClaims(
    tenant_id=uuid4(),
    user_id=uuid4(),
    session_id=uuid4(),
    roles=("operator",),
    issued_at=NOW,
    expires_at=NOW + timedelta(seconds=900),
)


def payload(**changes: Any) -> dict[str, Any]:
    """The claims of a good token, with changes; a change to None takes the claim away."""
    good = jwt.decode(TOKENS.sign(CLAIMS), SECRET, algorithms=["HS256"], options={"verify_exp": False})
    return {name: value for name, value in {**good, **changes}.items() if value is not None}


def signed(**changes: Any) -> str:
    """A token with our signature over whatever claims (`jwt.encode` would refuse to sign some)."""
    return jwt.PyJWS().encode(json.dumps(payload(**changes)).encode(), SECRET, algorithm="HS256")


def refused(token: str, now: datetime = NOW) -> str:
    with pytest.raises(Unauthenticated) as failure:
        TOKENS.read(token, now)
    return failure.value.detail


def segment(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def test_reads_back_what_was_signed() -> None:
    assert TOKENS.read(TOKENS.sign(CLAIMS), NOW) == CLAIMS


def test_carries_the_claims_of_the_contract() -> None:
    assert payload() == {
        "iss": "somastack",
        "sub": str(CLAIMS.user_id),
        "tid": str(CLAIMS.tenant_id),
        "sid": str(CLAIMS.session_id),
        "roles": ["operator"],
        "iat": int(NOW.timestamp()),
        "exp": int(NOW.timestamp()) + 900,
    }


def test_is_good_to_the_last_second() -> None:
    assert TOKENS.read(TOKENS.sign(CLAIMS), NOW + timedelta(seconds=899.999)) == CLAIMS
    refused(TOKENS.sign(CLAIMS), NOW + timedelta(seconds=900))


def test_another_secret_is_refused() -> None:
    refused(SessionTokens(SECRET[::-1]).sign(CLAIMS))


@pytest.mark.parametrize("name", ["sub", "tid", "sid", "roles", "iat", "exp", "iss"])
def test_a_missing_claim_is_refused(name: str) -> None:
    refused(signed(**{name: None}))


@pytest.mark.parametrize(
    "changes",
    [
        {"iss": "somebody"},
        {"iss": ["somastack"]},
        {"tid": "not a uuid"},
        {"tid": 7},
        {"sid": ""},
        {"sub": {"id": 1}},
        {"roles": 7},
        {"exp": "1800000000"},
        {"exp": 1e400},
        {"exp": 10**30},
        {"exp": True},
        {"iat": 1.5},
        {"iat": "now"},
        {"exp": int(NOW.timestamp()) + 901},
        {"iat": int(NOW.timestamp()) - 60},
        {"nbf": 4_102_444_800},
    ],
    ids=str,
)
def test_a_claim_that_is_wrong_is_refused(changes: dict[str, Any]) -> None:
    refused(signed(**changes))


@pytest.mark.parametrize("header", [{"alg": "none"}, {"alg": "None"}, {"alg": "HS256", "typ": "JWT"}, {}])
def test_an_unsigned_token_is_refused(header: dict[str, str]) -> None:
    refused(f"{segment(header)}.{segment(payload())}.")


@pytest.mark.parametrize("algorithm", ["HS384", "HS512"])
def test_another_algorithm_with_our_secret_is_refused(algorithm: str) -> None:
    refused(jwt.encode(payload(), SECRET * 2, algorithm=algorithm))
    # The same secret, so that only the algorithm is wrong.
    head = segment({"alg": algorithm, "typ": "JWT"})
    hashes = jwt.get_algorithm_by_name(algorithm)
    body = f"{head}.{segment(payload())}"
    signature = base64.urlsafe_b64encode(hashes.sign(body.encode(), SECRET)).rstrip(b"=").decode()
    refused(f"{body}.{signature}")


def test_every_single_changed_character_is_refused() -> None:
    token = TOKENS.sign(CLAIMS)
    for position, character in enumerate(token):
        changed = token[:position] + ("A" if character != "A" else "E") + token[position + 1 :]
        # The last character of a segment also carries padding bits, which decode to nothing.
        if not _same_bytes(changed, token):
            refused(changed)


def _same_bytes(one: str, other: str) -> bool:
    try:
        return [_decoded(part) for part in one.split(".")] == [_decoded(part) for part in other.split(".")]
    except ValueError:
        return False


def _decoded(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


@given(st.text())
def test_text_that_is_no_token_is_refused(text: str) -> None:
    refused(text)


def test_an_endless_token_is_refused() -> None:
    refused(signed(extra="x" * 5000))


def test_every_fault_gets_the_same_answer() -> None:
    faults = [
        "",
        "nonsense",
        signed(iss="somebody"),
        signed(tid=str(uuid4())) + "x",
        jwt.encode(payload(), SECRET[::-1], algorithm="HS256"),
    ]
    answers = {refused(token) for token in faults}
    answers.add(refused(TOKENS.sign(CLAIMS), NOW + timedelta(hours=1)))
    assert len(answers) == 1


def test_a_short_secret_is_not_accepted() -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        SessionTokens(b"x" * 31)
