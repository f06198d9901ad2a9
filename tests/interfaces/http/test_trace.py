"""Every answer carries a trace id, and every refusal is a problem that names it."""

import httpx
import pytest

from tests.interfaces.person import problem

TRACE = "0af7651916cd43dd8448eb211c80319c"


@pytest.mark.req("TRACE-001")
def test_trace_id_of_traceparent_is_kept(anonymous: httpx.Client) -> None:
    answer = anonymous.get("/healthz", headers={"traceparent": f"00-{TRACE}-b7ad6b7169203331-01"})
    assert answer.headers["x-trace-id"] == TRACE


@pytest.mark.req("TRACE-001")
@pytest.mark.parametrize(
    "traceparent",
    [
        "",
        "nonsense",
        f"ff-{TRACE}-b7ad6b7169203331-01",
        f"00-{'0' * 32}-b7ad6b7169203331-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"00-{TRACE.upper()}-b7ad6b7169203331-01",
    ],
)
def test_invalid_traceparent_gets_a_new_trace_id(anonymous: httpx.Client, traceparent: str) -> None:
    first = anonymous.get("/healthz", headers={"traceparent": traceparent}).headers["x-trace-id"]
    second = anonymous.get("/healthz", headers={"traceparent": traceparent}).headers["x-trace-id"]
    assert len(first) == len(second) == 32
    assert len({first, second, TRACE, "0" * 32}) == 4


@pytest.mark.req("TRACE-001")
def test_unknown_address_is_a_problem(anonymous: httpx.Client) -> None:
    document = problem(anonymous.get("/api/v2/chat/nowhere"), 404, "not_found")
    assert document["instance"] == "/api/v2/chat/nowhere"


@pytest.mark.req("TRACE-001")
def test_wrong_method_is_a_problem_that_names_the_allowed_ones(anonymous: httpx.Client) -> None:
    answer = anonymous.delete("/api/v2/chat/conversations")
    problem(answer, 405, "method_not_allowed")
    assert set(answer.headers["allow"].replace(" ", "").split(",")) == {"GET", "POST"}


@pytest.mark.req("TRACE-001")
def test_foreign_host_is_refused(anonymous: httpx.Client) -> None:
    problem(anonymous.get("/api/openapi.json", headers={"Host": "rebound.example"}), 400, "bad_request")
