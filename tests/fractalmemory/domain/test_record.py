"""soma.fractalmemory.domain.record"""

import pytest

from soma.fractalmemory.domain.record import content_hash


@pytest.mark.req("MEM-001")
@pytest.mark.parametrize("same", ["Café  au\n lait ", "Cafe\u0301 au lait", "Café\u00a0au\tlait"])
def test_texts_that_read_alike_have_one_hash(same: str) -> None:
    assert content_hash(same) == content_hash("Café au lait")


@pytest.mark.req("MEM-001")
@pytest.mark.parametrize("other", ["café au lait", "Café au lait!", "Cafe au lait"])
def test_texts_that_read_otherwise_have_another(other: str) -> None:
    assert content_hash(other) != content_hash("Café au lait")
