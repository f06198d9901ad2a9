"""soma.base.ids"""

from datetime import UTC, datetime, timedelta
from uuid import RFC_4122

import pytest
from hypothesis import given
from hypothesis import strategies as st

from soma.base.ids import named_id, new_id

pytestmark = pytest.mark.req("MEM-003")

moments = st.integers(0, 2**42).map(lambda milliseconds: datetime.fromtimestamp(milliseconds / 1000, UTC))
names = st.lists(st.text(st.characters(codec="utf-8")), max_size=3)


@given(moments, names)
def test_a_named_id_is_a_uuid_of_its_moment_and_the_same_again(moment: datetime, named: list[str]) -> None:
    made = named_id(moment, *named)
    assert (made.version, made.variant) == (7, RFC_4122)
    assert made.int >> 80 == int(moment.timestamp() * 1000)
    assert named_id(moment, *named) == made


@given(moments, names, names)
def test_other_names_make_another_id(moment: datetime, one: list[str], other: list[str]) -> None:
    same = "\0".join(one) == "\0".join(other)
    assert (named_id(moment, *one) == named_id(moment, *other)) == same


def test_ids_of_both_kinds_order_by_their_moments() -> None:
    now = datetime.now(UTC)
    earlier, later = now - timedelta(seconds=5), now + timedelta(seconds=5)
    assert named_id(earlier, "a") < new_id() < named_id(later, "a")
