"""What may stand at OPA's address, and what may become of an exchange with it."""

from hashlib import sha256

import pytest

from soma.base.errors import InvalidInput
from soma.policy.adapters.policy_engine_opa import OpaPolicyEngine
from tests.policy.desks import OpenedEngine
from tests.policy.timing import DEADLINE_S, QUESTION, decided
from tests.policy.untrue_server import AnswerOf, answering, http

pytestmark = pytest.mark.req("AUTH-002")

PATIENT_S = 10.0
ALLOWED = (
    b'{"result": {"allow": true, "reasons": ["yes"]}, "provenance": {"bundles": {"b": {"revision": "r"}}}}'
)

CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
CHUNK = b"10000\r\n" + b"x" * 65_536 + b"\r\n"
CONFLICT = b'{"code": "internal_error", "errors": [{"code": "eval_conflict_error", "message": "two"}]}'
UNNAMED = b'{"result": {"allow": true, "reasons": []}}'
NO_OBJECT = "OPA's answer is not a JSON object."
NO_DECISION = "data.soma.decision is not"


def reply(body: bytes, status: str = "200 OK", head: str = "") -> AnswerOf:
    return AnswerOf(http(body, status=status, head=head))


def instead(value: bytes, other: bytes) -> AnswerOf:
    """An answer that would allow, with `other` for `value`."""
    return reply(ALLOWED.replace(value, other))


UNTRUE: dict[str, tuple[AnswerOf, str]] = {
    "not HTTP": (AnswerOf(b"SSH-2.0-OpenSSH\r\n"), "gave an answer that is not HTTP"),
    "nothing": (AnswerOf(), "ended the connection."),
    "cut short": (AnswerOf(http(ALLOWED)[:-10]), "broke its answer off."),
    "cut in the head": (AnswerOf(b"HTTP/1.1 200 OK\r\nContent-"), "broke its answer off."),
    "no length": (AnswerOf(b"HTTP/1.1 200 OK\r\n\r\n" + ALLOWED), "broke its answer off."),
    "twice": (AnswerOf(http(ALLOWED) * 2), "answered twice."),
    "more than there is": (AnswerOf(http(ALLOWED) + b"x"), "gave an answer that is not HTTP"),
    "silent": (AnswerOf(hang=True), "gave no answer in time."),
    "slow": (AnswerOf(*(bytes([byte]) for byte in http(ALLOWED)), pause=0.03), "gave no answer in time."),
    "endless": (AnswerOf(CHUNKED, *[CHUNK] * 9), "gave an answer of more than 262144 bytes."),
    "endless head": (AnswerOf(b"HTTP/1.1 200 OK\r\n", *[b"X: " + b"x" * 60_000 + b"\r\n"] * 9), ""),
    "endless length": (AnswerOf(b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\n"), ""),
    "moved": (reply(b"", "301 Moved", "Location: /x\r\n"), "OPA refused the question: HTTP 301."),
    "unauthorized": (reply(b'{"code": "unauthorized"}', "401 Unauthorized"), "HTTP 401."),
    "not found": (reply(b"<html>", "404 Not Found"), "HTTP 404."),
    "overloaded": (reply(ALLOWED, "503 Service Unavailable"), "HTTP 503."),
    "failed": (reply(CONFLICT, "500 Oops"), "policy_unusable: The policy failed: eval_conflict_error: two"),
    "failed, in no words": (reply(b'{"errors": "x"}', "500 Oops"), "engine.policy_unusable: "),
    "not JSON": (reply(b"allow"), NO_OBJECT),
    "no object": (reply(b"true"), NO_OBJECT),
    "nested without end": (reply(b'{"result":' + b"[" * 100_000), NO_OBJECT),
    "undefined": (instead(b"result", b"other"), "data.soma.decision has no value"),
    "null": (instead(b'{"allow": true, "reasons": ["yes"]}', b"null"), NO_DECISION),
    "1 for true": (instead(b"true", b"1"), NO_DECISION),
    "text for true": (instead(b"true", b'"true"'), NO_DECISION),
    "a number for a reason": (instead(b'["yes"]', b"[1]"), NO_DECISION),
    "no policy named": (reply(UNNAMED), "OPA's list of policies cannot be read."),
    "strange provenance": (reply(UNNAMED[:-1] + b', "provenance": [1]}'), "OPA's list of policies"),
    "strange revision": (instead(b'"r"', b"[]"), "OPA's list of policies"),
}


@pytest.mark.parametrize("what", UNTRUE)
def test_whatever_else_answers_is_a_denial_that_says_what_happened(what: str) -> None:
    answer, said = UNTRUE[what]
    # What comes at once need not come within 100 ms on a machine that has much else to do.
    deadline_s = DEADLINE_S if said.endswith("in time.") else PATIENT_S
    with answering(answer) as url, OpenedEngine(url, deadline_s=deadline_s) as engine:
        for _ in range(2):
            decision = decided(engine)
            assert not decision.allow
            assert decision.reasons[0].startswith("engine.policy_un")
            assert said in decision.reasons[0]
            assert len(decision.reasons[0]) <= 1000
        assert engine.fault


def test_the_server_of_these_tests_can_be_believed_too() -> None:
    with answering(AnswerOf(http(ALLOWED))) as url, OpenedEngine(url, deadline_s=PATIENT_S) as engine:
        decision = engine.decide(QUESTION)
    assert (decision.allow, decision.reasons) == (True, ("yes",))
    assert decision.policy_hash == sha256(b"r").hexdigest()


@pytest.mark.parametrize("url", ["127.0.0.1:8181", "ftp://127.0.0.1", "http://", ""])
def test_an_address_that_is_none_is_refused_at_once(url: str) -> None:
    with pytest.raises(InvalidInput, match="not the address of OPA"):
        OpaPolicyEngine(url)


def test_a_name_that_leads_nowhere_denies_in_time() -> None:
    with OpenedEngine("http://opa.invalid:8181", deadline_s=DEADLINE_S) as engine:
        assert "engine.policy_unreachable: OPA at http://opa.invalid:8181 " in decided(engine).reasons[0]
