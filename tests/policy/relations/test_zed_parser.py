"""Which part of the schema language is understood, and that the rest is refused by line."""

from collections.abc import Callable

import grpc
import pytest
from authzed.api.v1 import InsecureClient, ReadSchemaRequest, WriteSchemaRequest

from soma.policy.relations.schema import AllowedSubject, Arrow, Operation, Reference, SchemaRefused
from soma.policy.relations.schema_file import built_in_schema
from soma.policy.relations.zed_parser import parse
from soma.project.stack.server import Server
from tests.policy.relations.book import whole_schema

pytestmark = pytest.mark.req("AUTH-001")

USER = "definition user {}\n"
REST = """definition doc {
	relation owner: user
	relation viewer: user | user:*
	relation parent: doc
	relation team: user | doc#owner
%s
}
"""
BASE = USER + REST


def doc(*members: str) -> str:
    """A schema whose last definition has `members`, from line 7 on."""
    return BASE % "\n".join(members)


REFUSED = [
    ("definition user {", 1, "the end of the text"),
    ("definition user {}}", 1, "}"),
    ("definition user {} definition user {}", 1, "defined twice"),
    ("definition u {}", 1, "not a name"),
    ("definition User {}", 1, "not a name"),
    ("definition user_ {}", 1, "not a name"),
    ("definition nil {}", 1, "not understood"),
    ("definition user {}\n\x00", 2, "unexpected character"),
    ("definition user {}\n/* never closed", 2, "unexpected character"),
    (doc("relation owner: user"), 7, "owner twice"),
    (doc("permission owner = viewer"), 7, "owner twice"),
    (doc("relation own: user | user"), 7, "allowed twice"),
    (doc("relation own: nobody"), 7, "no definition nobody"),
    (doc("relation own: doc#nothing"), 7, "doc has no nothing"),
    (doc("relation own: user:ann"), 7, "expected is *"),
    (doc("relation own: user with open"), 7, "the end of the statement"),
    (doc("relation own: user with expiration"), 7, "the end of the statement"),
    (doc("relation own user"), 7, "expected is :"),
    (doc("relation own:"), 8, "a name"),
    (doc("owner: user"), 7, "relation, permission or }"),
    (doc("permission read = self"), 7, "not understood"),
    (doc("permission read = nothing"), 7, "doc has no nothing"),
    (doc("permission read = read"), 7, "made of itself"),
    (doc("permission read = owner viewer"), 7, "the end of the statement"),
    (doc("permission read = owner +"), 8, "a name"),
    (doc("permission read = (owner"), 7, "expected is )"),
    (doc("permission read = owner)"), 7, "the end of the statement"),
    (doc("permission read = owner", "  + viewer"), 8, "relation, permission or }"),
    (doc("permission read = viewer->owner"), 7, "not only to objects"),
    (doc("permission read = owner", "permission far = read->owner"), 8, "no relation read"),
    (doc("permission read = parent->parent->owner"), 7, "the end of the statement"),
    (doc("permission read = owner | viewer"), 7, "the end of the statement"),
    (doc("permission read = owner; }", "permission x = owner"), 8, "expected is definition"),
]
UNDERSTOOD_BY_SPICEDB_ALONE = [
    ("definition acme/user {}", 1, "'/'"),
    ("use expiration\ndefinition user {}", 1, "expected is definition"),
    ("caveat open(a int) { a == a }\ndefinition user {}", 1, "expected is definition"),
    (doc("relation own: doc#viewer"), 7, "every subject of a type"),
    (doc("permission read = nil"), 7, "not understood"),
    (doc("permission read = owner", "permission one = two", "permission two = owner - one"), 8, "made of"),
    (doc("permission read = parent->nothing"), 7, "leads nowhere"),
    (doc("permission read = owner->owner"), 7, "leads nowhere"),
    (doc("permission read = team->owner"), 7, "not only to objects"),
    (doc("permission read = parent.any(owner)"), 7, "'.'"),
    (doc("permission read = owner - (viewer - owner)"), 7, "make it a permission"),
    (doc("permission read = owner - viewer & owner"), 7, "make it a permission"),
]


@pytest.mark.parametrize(("text", "line", "reason"), [*REFUSED, *UNDERSTOOD_BY_SPICEDB_ALONE])
def test_what_is_not_understood_is_refused_with_line_and_reason(text: str, line: int, reason: str) -> None:
    with pytest.raises(SchemaRefused) as refused:
        parse(text)
    assert refused.value.detail.startswith(f"line {line}: ")
    assert reason in refused.value.detail


def test_relations_and_permissions() -> None:
    definition = parse(doc("permission read = owner + parent->read")).definitions["doc"]
    assert definition.relations["viewer"] == {
        AllowedSubject(type="user"),
        AllowedSubject(type="user", wildcard=True),
    }
    assert definition.relations["team"] == {
        AllowedSubject(type="user"),
        AllowedSubject(type="doc", relation="owner"),
    }
    assert definition.permissions["read"] == Operation(
        operator="+", operands=(Reference(name="owner"), Arrow(relation="parent", permission="read"))
    )


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("owner + viewer + team", "(owner + viewer) + team"),
        ("owner + viewer + team", "owner + (viewer + team)"),
        ("owner & viewer & team", "owner & (viewer & team)"),
        ("owner - viewer - team", "(owner - viewer) - team"),
        ("owner + viewer & team", "(owner + viewer) & team"),
        ("owner & viewer + team", "owner & (viewer + team)"),
        ("owner & viewer - team", "(owner & viewer) - team"),
        ("owner +\n\t\tviewer", "owner + viewer"),
        ("((owner))", "owner"),
        ("owner /* here */ + viewer // there", "owner + viewer"),
    ],
)
def test_what_operators_mean(written: str, meant: str) -> None:
    assert parse(doc(f"permission read = {written}")).same_as(parse(doc(f"permission read = {meant}")))


def test_different_meanings_differ() -> None:
    texts = ["owner + viewer", "owner & viewer", "owner - viewer", "viewer - owner", "owner", "parent->owner"]
    schemas = [parse(doc(f"permission read = {text}")) for text in texts]
    assert [[one.same_as(other) for other in schemas].count(True) for one in schemas] == [1] * len(texts)


def test_comments_and_layout_mean_nothing() -> None:
    text = "/** Somebody. */\ndefinition user {} // here\n/*\n * there\n */\n"
    text += "definition doc { relation owner: user\n\n }"
    plain = "definition doc {\nrelation owner : user;\n}\ndefinition user {\n}\n"
    assert parse(text).same_as(parse(plain))


@pytest.fixture
def spicedb_reads(own_server: Callable[..., Server]) -> Callable[[str], str]:
    """Gives a schema to SpiceDB, and what SpiceDB understood."""
    variables = own_server("spicedb", engine="memory").environment
    client = InsecureClient(variables["SOMAGENT_SPICEDB_ADDRESS"], variables["SOMAGENT_SPICEDB_TOKEN"])

    def read(text: str) -> str:
        client.WriteSchema(WriteSchemaRequest(schema=text))
        return str(client.ReadSchema(ReadSchemaRequest()).schema_text)

    return read


def test_spicedb_reads_the_same(spicedb_reads: Callable[[str], str]) -> None:
    for schema in (
        built_in_schema(),
        whole_schema(),
        parse(doc("permission read = owner + viewer & team - owner")),
        parse(doc("permission read = owner & (viewer + team)", "permission far = parent->read + read")),
        parse(doc("permission read = (owner - viewer) - team", "permission far = owner & team - viewer")),
        parse(doc("permission read = owner +\n  viewer; permission far = read")),
    ):
        assert parse(spicedb_reads(schema.text)).same_as(schema)


def test_what_spicedb_refuses_is_refused(spicedb_reads: Callable[[str], str]) -> None:
    """The other way round does not hold: we understand less."""
    for text, _, _ in REFUSED:
        with pytest.raises(grpc.RpcError):
            spicedb_reads(text)
    for text, _, _ in UNDERSTOOD_BY_SPICEDB_ALONE:
        spicedb_reads(text)
