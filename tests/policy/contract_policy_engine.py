"""What every policy engine must do, whatever it is given: the adapters' tests inherit these."""

import random
import shutil
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from typing import Any, cast
from uuid import UUID, uuid4

import pytest

from soma.base.errors import Denied
from soma.base.tenancy import Principal
from soma.policy.adapters.policy_files import BUILT_IN
from soma.policy.api import Policy, PolicyEngine, PolicyInput
from tests.policy.desks import Desk
from tests.policy.opa_server import Files, read_files
from tests.policy.questions import caller, request, tool_call

HEAD = "package soma\nimport rego.v1\n"
ALLOW_ALL = HEAD + 'decision := {"allow": true, "reasons": ["test.all: everything goes."]}'
DENY_ALL = ALLOW_ALL.replace("true", "false")
ECHO = HEAD + 'decision := {"allow": false, "reasons": [object.get(input, "action", "")]}'
ECHO_TEXT = (
    HEAD + 'resource := object.get(input, "resource", {})\n'
    'decision := {"allow": false, "reasons": [object.get(resource, "text", "")]}'
)

BROKEN: dict[str, Files] = {
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
    "undefined for some": {
        "a.rego": HEAD + 'decision := {"allow": true, "reasons": []} if input.action == "chat:read"'
    },
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
    "arguments differ in number": {"a.rego": HEAD + "f(x) := 1\nf(x, y) := 2\ndecision := f(1)"},
}

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
    "finer than a millionth": 1.5e-7,
    "a third": 1 / 3,
    "lone surrogate": "\ud800",
    "number for a key": {1: 2},
    "surrogate in a key": {"\udfff": 1},
    "past 64 KiB": "x" * 70_000,
    "wide": list(range(40_000)),
    "1 MiB of text": "x" * 2**20,
    "1 MiB of many": [{"é\U0001f600": "\u2028" * 10}] * 20_000,
}

TEXTS = [
    '"', "\\", "\0", "a\0b", "a\nb\r\t", "\\u0061", "é", "e\u0301", "\U0001f600", "\u2028\u2029", "\x7f",
    "\uffff", "</script>&", "{{x}}", "input.action", 'x" } decision := true', "ﷺ", "\u202e", " ", "",
    "x" * 60_000,
]  # fmt: skip

HOSTILE_KEYS = ["__proto__", "constructor", "", '"', "a.b", "a/b", "\0", "input", "$ref", "tenant_id\0", "é"]


class PolicyEngineContract:
    """A subclass gives the fixtures `desk` and `delivered`."""

    @pytest.fixture
    def desk(self) -> Desk:
        """Where policies are put in force for the engine."""
        raise NotImplementedError

    @pytest.fixture
    def delivered(self) -> PolicyEngine:
        """The engine on the policies that are delivered."""
        raise NotImplementedError

    @pytest.mark.parametrize("what", BROKEN)
    def test_a_broken_policy_denies_everything_and_says_so(self, desk: Desk, what: str) -> None:
        engine = desk.engine(BROKEN[what])
        decision = engine.decide(request("chat:read", "owner"))
        assert not decision.allow
        assert decision.reasons[0].startswith("engine.policy_un")
        assert engine.fault
        with pytest.raises(Denied) as denial:
            Policy(engine).require(request("chat:read", "owner"))
        assert denial.value.reasons[0].startswith("engine.policy_un")

    def test_an_answer_that_exists_for_some_inputs_only_denies_the_others(self, desk: Desk) -> None:
        engine = desk.engine(
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

    @pytest.mark.parametrize("what", UNASKABLE)
    def test_an_input_that_cannot_be_asked_is_denied(self, delivered: PolicyEngine, what: str) -> None:
        assert delivered.decide(request("chat:read", "owner", more={"deep": ["fine"]})).allow
        decision = delivered.decide(request("chat:read", "owner", more={"deep": [UNASKABLE[what]]}))
        assert not decision.allow
        assert decision.reasons[0].startswith("engine.policy_input_invalid: ")
        assert delivered.decide(request("chat:read", "owner")).allow

    def test_an_input_nested_without_end_is_denied(self, delivered: PolicyEngine) -> None:
        nested: list[Any] = []
        for _ in range(100_000):
            nested = [nested]
        assert not delivered.decide(request("chat:read", "owner", nested=nested)).allow
        circular: list[Any] = []
        circular.append(circular)
        assert not delivered.decide(request("chat:read", "owner", nested=circular)).allow

    def test_the_largest_input_is_decided(self, delivered: PolicyEngine) -> None:
        assert delivered.decide(request("chat:read", "owner", more="é" * 32_000)).allow
        assert delivered.decide(request("chat:read", "owner", more=[{"a": 0.25}] * 5_000)).allow
        assert not delivered.decide(request("chat:read", more="é" * 32_000)).allow

    @pytest.mark.parametrize("key", HOSTILE_KEYS)
    def test_a_strange_key_means_nothing(self, delivered: PolicyEngine, key: str) -> None:
        assert delivered.decide(request("chat:read", "owner", **{key: "x"})).allow
        assert not delivered.decide(request("chat:delete", "owner", **{key: {"allow": True}})).allow

    def test_texts_reach_the_policy_and_come_back_as_they_are(self, desk: Desk) -> None:
        engine = desk.engine({"a.rego": ECHO_TEXT})
        for text in TEXTS:
            assert engine.decide(request("chat:read", "owner", text=text)).reasons == (text,)

    @pytest.mark.req("AUTH-004")
    @pytest.mark.parametrize(
        ("ours", "theirs"),
        [
            ("acme", "acme-corp"), ("acme-corp", "acme"), ("acme", "ACME"), ("acme", "acme "),
            ("acme", "acme\0"), ("acme", "acmé"), ("a:b", "a"), ("a", "a:b"),
            ("acme", "%"), ("acme", "acme%"), ("acme", ".*"),
        ],
    )  # fmt: skip
    def test_a_tenant_whose_name_begins_alike_is_another(
        self, delivered: PolicyEngine, ours: str, theirs: str
    ) -> None:
        principal = Principal(
            tenant_id=cast(UUID, ours), user_id=UUID(int=1), session_id=UUID(int=2), roles=("owner",)
        )
        asked = {
            tenant: PolicyInput(action="chat:read", principal=principal, resource={"tenant_id": tenant})
            for tenant in (ours, theirs)
        }
        assert delivered.decide(asked[ours]).allow
        denied = delivered.decide(asked[theirs])
        assert denied.reasons == ("requests.same_tenant: the resource is not of the caller's tenant.",)
        assert not denied.allow

    def test_what_breaks_unforeseen_is_denied_and_recorded(
        self, delivered: PolicyEngine, caplog: pytest.LogCaptureFixture
    ) -> None:
        asked = PolicyInput(action="chat:read", principal=cast(Principal, None), resource={})
        decision = delivered.decide(asked)
        assert not decision.allow
        assert decision.reasons == ("engine.failed: AttributeError while deciding.",)
        assert "a policy decision on chat:read failed" in caplog.text

    def test_a_decision_names_its_policy_and_its_time(self, delivered: PolicyEngine) -> None:
        before = time.perf_counter()
        decision = delivered.decide(request("chat:read", "owner"))
        assert decision.policy_hash == delivered.policy_hash
        assert len(decision.policy_hash) == 64
        assert 0 < decision.latency_ms <= (time.perf_counter() - before) * 1000

    def test_require_gives_the_decision_or_the_reasons(self, delivered: PolicyEngine) -> None:
        policy = Policy(delivered)
        assert policy.fault is None
        assert policy.require(request("chat:read", "guest")).allow
        with pytest.raises(Denied, match="does not allow trace:read") as denial:
            policy.require(request("trace:read", "guest"))
        assert denial.value.reasons[0].startswith("requests.role_grants:")

    def test_a_policy_is_replaced_while_it_serves(self, desk: Desk) -> None:
        engine = desk.engine({"a.rego": ALLOW_ALL})
        assert engine.decide(request("chat:read", "owner")).allow
        before = engine.policy_hash
        desk.replace({"a.rego": DENY_ALL})
        denied = engine.decide(request("chat:read", "owner"))
        assert not denied.allow
        assert denied.policy_hash == engine.policy_hash != before
        desk.replace({"a.rego": ALLOW_ALL})
        assert engine.decide(request("chat:read", "owner")).policy_hash == before

    def test_tables_are_replaced_as_well(self, desk: Desk) -> None:
        reads_table = HEAD + 'decision := {"allow": data.open, "reasons": []}'
        engine = desk.engine({"a.rego": reads_table, "data.json": '{"open": true}'})
        assert engine.decide(request("chat:read", "owner")).allow
        before = engine.policy_hash
        desk.replace({"a.rego": reads_table, "data.json": '{"open": false}'})
        assert not engine.decide(request("chat:read", "owner")).allow
        assert engine.policy_hash != before

    def test_a_broken_policy_is_mended(self, desk: Desk) -> None:
        engine = desk.engine({"a.rego": HEAD + "decision := true"})
        assert Policy(engine).fault
        desk.replace({"a.rego": ALLOW_ALL})
        assert Policy(engine).fault is None
        assert engine.decide(request("chat:read", "owner")).allow

    def test_a_copy_of_our_policies_has_their_hash_and_answers(
        self, desk: Desk, delivered: PolicyEngine
    ) -> None:
        copy = desk.engine(read_files(BUILT_IN))
        assert copy.decide(request("chat:read", "owner")).allow
        assert copy.policy_hash == delivered.policy_hash

    @pytest.mark.parametrize("name", ["requests.rego", "tools.rego", "data.json"])
    def test_without_one_of_our_files_nothing_is_allowed(self, desk: Desk, tmp_path: Path, name: str) -> None:
        shutil.copytree(BUILT_IN, tmp_path / "copy")
        (tmp_path / "copy" / name).unlink()
        engine = desk.engine(read_files(tmp_path / "copy"))
        assert not engine.decide(tool_call("owner")).allow

    def test_sixteen_threads_get_right_answers(self, delivered: PolicyEngine) -> None:
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
            for _ in range(150):
                asked, expected = order.choice(questions)
                wrong += delivered.decide(asked).allow is not expected
            return wrong

        with ThreadPoolExecutor(16) as threads:
            assert list(threads.map(ask, range(16))) == [0] * 16

    def test_no_thread_gets_the_answer_to_another_threads_question(self, desk: Desk) -> None:
        engine = desk.engine({"a.rego": ECHO})
        together = Barrier(8)

        def ask(number: int) -> bool:
            together.wait()
            texts = [f"{number}:{uuid4()}{'x' * (number * 300)}" for _ in range(150)]
            return all(engine.decide(request(text, "owner")).reasons == (text,) for text in texts)

        with ThreadPoolExecutor(8) as threads:
            assert all(threads.map(ask, range(8)))

    def test_threads_follow_a_change_while_they_decide(self, desk: Desk) -> None:
        policies: Mapping[bool, Files] = {True: {"a.rego": ALLOW_ALL}, False: {"a.rego": DENY_ALL}}
        engine = desk.engine(policies[True])
        hashes = {engine.policy_hash: True}
        desk.replace(policies[False])
        hashes[engine.policy_hash] = False

        def ask(_: int) -> bool:
            decisions = [engine.decide(request("chat:read", "owner")) for _ in range(200)]
            return all(decision.allow is hashes[decision.policy_hash] for decision in decisions)

        with ThreadPoolExecutor(4) as threads:
            answers = [threads.submit(ask, number) for number in range(8)]
            for allow in (True, False, True):
                desk.replace(policies[allow])
            assert all(answer.result() for answer in answers)
        assert engine.decide(request("chat:read", "owner")).allow

    def test_a_principal_is_told_to_the_policy_whole(self, desk: Desk) -> None:
        fields = 'some field in ["tenant_id", "user_id", "session_id"]; text := input.principal[field]'
        ids, roles = f"[text | {fields}]", "[role | some role in input.principal.roles]"
        engine = desk.engine(
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
