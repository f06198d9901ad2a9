"""The engine: it fails closed, whatever fails, and answers rightly from many threads."""

import random
import shutil
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest

from soma.base.errors import Denied
from soma.policy.adapters.policy_engine_rego import RegoPolicyEngine
from soma.policy.adapters.policy_files import BUILT_IN
from soma.policy.api import Policy, PolicyEngine, PolicyInput
from tests.policy.questions import caller, request, tool_call

pytestmark = pytest.mark.req("AUTH-002")

EngineOf = Callable[[Mapping[str, str | bytes]], RegoPolicyEngine]

HEAD = "package soma\nimport rego.v1\n"
ALLOW_ALL = HEAD + 'decision := {"allow": true, "reasons": ["test.all: everything goes."]}'

BROKEN: dict[str, Mapping[str, str | bytes]] = {
    "no file": {},
    "empty file": {"a.rego": ""},
    "not Rego": {"a.rego": "<html>"},
    "syntax error": {"a.rego": HEAD + "decision := {"},
    "one of two files broken": {"a.rego": ALLOW_ALL, "b.rego": "package other\nx := {"},
    "not UTF-8": {"a.rego": HEAD.encode() + b'# \xff\ndecision := {"allow": true, "reasons": []}'},
    "NUL": {"a.rego": ALLOW_ALL + "\0"},
    "tables are not JSON": {"a.rego": ALLOW_ALL, "data.json": "{"},
    "tables are a list": {"a.rego": ALLOW_ALL, "data.json": "[]"},
    "another package": {"a.rego": ALLOW_ALL.replace("package soma", "package soma.more")},
    "no decision": {"a.rego": HEAD + "allow := true"},
    "undefined": {"a.rego": HEAD + 'decision := {"allow": true, "reasons": []} if input.action == "never"'},
    "conflict": {"a.rego": f'{HEAD}decision := {{"allow": true, "reasons": []}}\ndecision := 2 if true'},
    "unknown function": {"a.rego": HEAD + 'decision := {"allow": nonsense(1), "reasons": []}'},
    "recursion": {"a.rego": HEAD + "decision := other\nother := decision"},
    "bare true": {"a.rego": HEAD + "decision := true"},
    "text for allow": {"a.rego": HEAD + 'decision := {"allow": "true", "reasons": []}'},
    "number for allow": {"a.rego": HEAD + 'decision := {"allow": 1, "reasons": []}'},
    "null for allow": {"a.rego": HEAD + 'decision := {"allow": null, "reasons": []}'},
    "no reasons": {"a.rego": HEAD + 'decision := {"allow": true}'},
    "reasons are no texts": {"a.rego": HEAD + 'decision := {"allow": true, "reasons": [1]}'},
    "reasons are one text": {"a.rego": HEAD + 'decision := {"allow": true, "reasons": "yes"}'},
    "endless nesting": {"a.rego": HEAD + "decision := " + "[" * 2000 + "]" * 2000},
    "crashes rego-cpp": {"a.rego": HEAD + "f(x) := 1\nf(x, y) := 2\ndecision := f(1)"},
}


@pytest.mark.parametrize("what", BROKEN)
def test_a_broken_policy_denies_everything_and_says_so(engine_of: EngineOf, what: str) -> None:
    engine = engine_of(BROKEN[what])
    decision = engine.decide(request("chat:read", "owner"))
    assert not decision.allow
    assert decision.reasons[0].startswith("engine.policy_unusable: ")
    assert engine.fault
    with pytest.raises(Denied) as denial:
        Policy(engine).require(request("chat:read", "owner"))
    assert denial.value.reasons == decision.reasons


def test_nothing_is_printed_by_the_engine(engine_of: EngineOf, capfd: pytest.CaptureFixture[str]) -> None:
    engine_of(BROKEN["syntax error"]).decide(request("chat:read", "owner"))
    assert capfd.readouterr() == ("", "")


def test_a_missing_directory_denies_everything(tmp_path: Path) -> None:
    engine = RegoPolicyEngine(tmp_path / "absent")
    decision = engine.decide(request("chat:read", "owner"))
    assert not decision.allow
    assert "no .rego file" in decision.reasons[0]
    assert (engine.policy_hash, decision.policy_hash) == ("", "")


def test_an_answer_that_exists_for_some_inputs_only_denies_the_others(engine_of: EngineOf) -> None:
    engine = engine_of(
        {
            "a.rego": HEAD
            + 'decision := {"allow": true, "reasons": ["a"]} if input.action == "chat:read"\n'
            + 'else := {"allow": false, "reasons": ["b"]} if not input.action == "chat:write"'
        }
    )
    assert engine.fault is None
    assert engine.decide(request("chat:read", "owner")).allow
    undefined = engine.decide(request("chat:write", "owner"))
    assert not undefined.allow
    assert undefined.reasons[0].startswith("engine.policy_unusable: data.soma.decision has no value")


UNASKABLE: dict[str, Any] = {
    "object": object(),
    "set": {1},
    "bytes": b"x",
    "not a number": float("nan"),
    "infinite": float("inf"),
    "past 64 bits": 2**64,
    "past 2^53": 2**53,
    "negative past 2^53": -(2**53),
    "float past 2^53": 1e300,
    "lone surrogate": "\ud800",
    "number for a key": {1: 2},
    "surrogate in a key": {"\udfff": 1},
    "huge": "x" * 70_000,
    "wide": list(range(40_000)),
}


@pytest.mark.parametrize("what", UNASKABLE)
def test_an_input_that_cannot_be_asked_is_denied(engine_of: EngineOf, what: str) -> None:
    engine = engine_of({"a.rego": ALLOW_ALL})
    assert engine.decide(request("chat:read", "owner", more={"deep": ["fine"]})).allow
    decision = engine.decide(request("chat:read", "owner", more={"deep": [UNASKABLE[what]]}))
    assert not decision.allow
    assert decision.reasons[0].startswith("engine.policy_input_invalid: ")


def test_an_input_nested_without_end_is_denied(engine_of: EngineOf) -> None:
    engine = engine_of({"a.rego": ALLOW_ALL})
    nested: list[Any] = []
    for _ in range(100_000):
        nested = [nested]
    assert not engine.decide(request("chat:read", "owner", nested=nested)).allow
    circular: list[Any] = []
    circular.append(circular)
    assert not engine.decide(request("chat:read", "owner", nested=circular)).allow


def test_what_breaks_unforeseen_is_denied_and_recorded(
    engine: PolicyEngine, caplog: pytest.LogCaptureFixture
) -> None:
    asked = PolicyInput(action="chat:read", principal=None, resource={})  # type: ignore[arg-type]
    decision = engine.decide(asked)
    assert not decision.allow
    assert decision.reasons == ("engine.failed: AttributeError while deciding.",)
    assert "a policy decision on chat:read failed" in caplog.text


def test_the_engine_recovers_from_every_denial(engine: PolicyEngine) -> None:
    for value in UNASKABLE.values():
        assert not engine.decide(request("chat:read", "owner", more=value)).allow
        assert engine.decide(request("chat:read", "owner")).allow


def test_a_decision_names_its_policy_and_its_time(engine: PolicyEngine) -> None:
    decision = engine.decide(request("chat:read", "owner"))
    assert decision.policy_hash == engine.policy_hash
    assert len(decision.policy_hash) == 64
    assert 0 < decision.latency_ms < 1000


def test_require_gives_the_decision_or_the_reasons(engine: PolicyEngine) -> None:
    policy = Policy(engine)
    assert policy.require(request("chat:read", "guest")).allow
    with pytest.raises(Denied, match="does not allow trace:read") as denial:
        policy.require(request("trace:read", "guest"))
    assert denial.value.reasons[0].startswith("requests.role_grants:")


def test_files_are_read_anew_by_reload_and_not_before(engine_of: EngineOf, tmp_path: Path) -> None:
    engine = engine_of({"a.rego": ALLOW_ALL})
    before = engine.policy_hash
    (tmp_path / "a.rego").write_text(ALLOW_ALL.replace("true", "false"))
    assert engine.decide(request("chat:read", "owner")).allow
    engine.reload()
    assert not engine.decide(request("chat:read", "owner")).allow
    assert engine.policy_hash != before


def test_a_reload_that_breaks_denies_and_one_that_mends_allows(engine_of: EngineOf, tmp_path: Path) -> None:
    engine = engine_of({"a.rego": ALLOW_ALL})
    (tmp_path / "a.rego").write_text(HEAD + "decision := {")
    engine.reload()
    assert not engine.decide(request("chat:read", "owner")).allow
    (tmp_path / "a.rego").write_text(ALLOW_ALL)
    engine.reload()
    assert engine.fault is None
    assert engine.decide(request("chat:read", "owner")).allow


def test_a_copy_of_our_policies_has_their_hash_and_answers(engine: PolicyEngine, tmp_path: Path) -> None:
    shutil.copytree(BUILT_IN, tmp_path, dirs_exist_ok=True)
    copy = RegoPolicyEngine(tmp_path)
    assert copy.policy_hash == engine.policy_hash
    assert copy.decide(request("chat:read", "owner")).allow


@pytest.mark.parametrize("name", ["requests.rego", "tools.rego", "data.json"])
def test_without_one_of_our_files_nothing_is_allowed(tmp_path: Path, name: str) -> None:
    shutil.copytree(BUILT_IN, tmp_path, dirs_exist_ok=True)
    (tmp_path / name).unlink()
    engine = RegoPolicyEngine(tmp_path)
    assert not engine.decide(tool_call("owner")).allow


def test_sixteen_threads_get_right_answers(engine: PolicyEngine) -> None:
    together = Barrier(16)
    questions = [
        (request("chat:read", "guest"), True),
        (request("chat:write", "observer"), False),
        (request("admin:users", "owner"), True),
        (request("admin:users", "operator"), False),
        (tool_call("operator"), True),
        (tool_call("operator", resource={"tool": "shell"}), False),
        (request("memory:read", "operator", text="x" * 2000), True),
        (request("memory:read", "operator", text=float("nan")), False),
    ]

    def ask(seed: int) -> int:
        order = random.Random(seed)
        together.wait()
        wrong = 0
        for _ in range(300):
            asked, expected = order.choice(questions)
            wrong += engine.decide(asked).allow is not expected
        return wrong

    with ThreadPoolExecutor(16) as threads:
        assert list(threads.map(ask, range(16))) == [0] * 16


def test_threads_follow_a_reload_while_they_decide(engine_of: EngineOf, tmp_path: Path) -> None:
    texts = {True: ALLOW_ALL, False: ALLOW_ALL.replace("true", "false")}
    engine = engine_of({"a.rego": texts[True]})
    hashes = {engine.policy_hash: True}
    (tmp_path / "a.rego").write_text(texts[False])
    engine.reload()
    hashes[engine.policy_hash] = False

    def ask(_: int) -> bool:
        decisions = [engine.decide(request("chat:read", "owner")) for _ in range(200)]
        return all(decision.allow is hashes[decision.policy_hash] for decision in decisions)

    with ThreadPoolExecutor(4) as threads:
        answers = [threads.submit(ask, number) for number in range(8)]
        for allow in (True, False, True):
            (tmp_path / "a.rego").write_text(texts[allow])
            engine.reload()
        assert all(answer.result() for answer in answers)
    assert engine.decide(request("chat:read", "owner")).allow


def test_a_principal_is_told_to_the_policy_whole(engine_of: EngineOf) -> None:
    fields = 'some field in ["tenant_id", "user_id", "session_id"]; text := input.principal[field]'
    ids, roles = f"[text | {fields}]", "[role | some role in input.principal.roles]"
    engine = engine_of(
        {"a.rego": f'{HEAD}decision := {{"allow": false, "reasons": array.concat({ids}, {roles})}}'}
    )
    principal = caller("owner", "guest")
    asked = PolicyInput(action="chat:read", principal=principal, resource={})
    assert engine.decide(asked).reasons == (
        str(principal.tenant_id),
        str(principal.user_id),
        str(principal.session_id),
        "owner",
        "guest",
    )
