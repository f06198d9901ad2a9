"""What nobody foresaw is logged with its trace id, and tells the caller nothing of our insides."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, cast

import pytest

from soma.interfaces import runtime as installed
from tests.interfaces.person import CONVERSATIONS, Person, problem
from tests.interfaces.served import Served

pytestmark = pytest.mark.req("TRACE-001")


@pytest.fixture
def broken(served: Served) -> Iterator[None]:
    """The agent is something that cannot answer."""
    installed.install(replace(served.runtime, agent=cast(Any, "broken")))
    yield
    installed.install(served.runtime)


@pytest.mark.usefixtures("broken")
@pytest.mark.parametrize("address", [CONVERSATIONS, "/"], ids=["api", "page"])
def test_unforeseen_failure(person: Person, caplog: pytest.LogCaptureFixture, address: str) -> None:
    answer = person.client.get(address)
    document = problem(answer, 500, "internal_error")
    assert "AttributeError" not in answer.text
    assert "broken" not in answer.text
    (record,) = [record for record in caplog.records if record.name == "soma.interfaces.http.failures"]
    assert document["trace_id"] in record.getMessage()
    assert record.exc_info is not None
    assert record.exc_info[0] is AttributeError
