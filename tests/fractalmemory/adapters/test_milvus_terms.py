"""soma.fractalmemory.adapters.milvus_terms"""

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest

from soma.base.ids import new_id
from soma.fractalmemory.adapters.milvus_terms import (
    MAX_FACTS,
    UNTOLD,
    expression,
    fact,
    facts,
    namespace_term,
    of_vector_key,
    vector_key,
)
from tests.fractalmemory.contract_vector_store import HOSTILE
from tests.fractalmemory.memories import NEW_YEAR, query, towards

pytestmark = pytest.mark.req("STORE-001")


@pytest.mark.parametrize("moment", [NEW_YEAR, datetime(9999, 12, 31, 23, 59, 59, 999999, UTC)])
def test_a_key_names_a_state_of_a_memory(moment: datetime) -> None:
    record_id = new_id()
    key = vector_key(record_id, moment)
    assert len(key) == 48
    assert of_vector_key(key) == (record_id, moment)
    assert vector_key(record_id, moment - timedelta(microseconds=1)) < key
    assert vector_key(UUID(int=record_id.int + 1), NEW_YEAR) > key


@pytest.mark.parametrize("text", HOSTILE)
def test_an_expression_has_no_text_but_ours(text: str) -> None:
    tenant = uuid4()
    asked = query(
        towards(0), namespace=text, filters={text: (text, "x")}, exclude_source_hashes=(text,), as_of=NEW_YEAR
    )
    said = expression(tenant, asked)
    assert text not in said or text == "null"
    assert set(said) <= set("abcdefghijklmnopqrstuvwxyz_ 0123456789'=<()[],")
    assert said.startswith(f"tenant == '{tenant.hex}' and namespace == '{namespace_term(text)}' and ")


def test_pairs_are_told_apart_by_where_the_key_ends() -> None:
    assert fact("ab", "c") != fact("a", "bc")
    assert namespace_term("acme") != namespace_term("acme-corp")


def test_what_postgresql_spells_in_its_own_way_is_left_to_it() -> None:
    assert facts({"a": "x", "b": 3, "c": True, "d": None}) == sorted(
        [fact("a", "x"), fact("b", "3"), fact("c", "true")]
    )
    assert facts({"a": "x", "b": 0.5}) == [UNTOLD, fact("a", "x")]
    assert facts({"tags": ["x"]}) == [UNTOLD]
    many = facts({f"k{i}": "v" for i in range(MAX_FACTS + 5)})
    assert len(many) == MAX_FACTS
    assert many[0] == UNTOLD
