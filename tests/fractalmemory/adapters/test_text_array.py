"""soma.fractalmemory.adapters.text_array"""

import pytest
from django.db import connection
from hypothesis import given
from hypothesis import strategies as st

from soma.fractalmemory.adapters.text_array import text_array

pytestmark = pytest.mark.req("STORE-001")

STORED = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8)


ODD = st.sampled_from(["", "null", "{}", '"', "\\", 'a\\"b', "a,b"])


@given(st.lists(st.lists(STORED | ODD), min_size=1))
def test_postgres_reads_the_arrays_that_were_written(arrays: list[list[str]]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT each::text[] FROM unnest(%b::text[]) AS each", [[text_array(array) for array in arrays]]
        )
        assert [row for (row,) in cursor.fetchall()] == arrays
