"""What machines ask: alive, ready, measured, described."""

from collections.abc import Iterator
from dataclasses import replace

import httpx
import pytest
from django.db import connections
from prometheus_client.parser import text_string_to_metric_families

from soma.base.database import WORKER
from soma.base.ids import new_id
from soma.interfaces import runtime as installed
from soma.interfaces.event_metrics import measure_events
from soma.interfaces.runtime import ReadyCheck
from tests.events.waiting import wait_until
from tests.interfaces.given_up import given_up
from tests.interfaces.person import CONVERSATIONS, Person, problem
from tests.interfaces.served import Served


def sample(client: httpx.Client, name: str, **labels: str) -> float:
    """The value of a metric; 0 while it has none."""
    for family in text_string_to_metric_families(client.get("/metrics").text):
        for found in family.samples:
            if found.name == name and labels.items() <= found.labels.items():
                return float(found.value)
    return 0.0


@pytest.mark.req("METRICS-001")
def test_alive(anonymous: httpx.Client) -> None:
    assert anonymous.get("/healthz").json()["status"] == "ok"


@pytest.fixture
def caught_up(anonymous: httpx.Client) -> None:
    """Memory has taken in what the tests before left to it: what waits for long makes it not ready."""
    wait_until(lambda: anonymous.get("/readyz").json()["checks"]["memory"]["ok"], seconds=90)


@pytest.mark.req("METRICS-001")
@pytest.mark.usefixtures("caught_up")
def test_ready_with_every_check(anonymous: httpx.Client) -> None:
    answer = anonymous.get("/readyz")
    assert answer.status_code == 200, answer.text
    assert answer.json()["checks"]
    assert all(check["ok"] for check in answer.json()["checks"].values())


@pytest.fixture
def ailing(caught_up: None, served: Served) -> Iterator[None]:
    """One dependency does not answer."""
    checks = served.runtime.readiness
    failing = {"model": ReadyCheck(ok=False, detail="no answer")}
    installed.install(replace(served.runtime, readiness=lambda: checks() | failing))
    yield
    installed.install(served.runtime)


@pytest.mark.req("METRICS-001")
@pytest.mark.usefixtures("ailing")
def test_not_ready_names_what_fails(anonymous: httpx.Client) -> None:
    answer = anonymous.get("/readyz")
    document = problem(answer, 503, "not_ready")
    assert document["failing"] == ["model"]
    assert document["checks"]["model"]["detail"] == "no answer"
    assert answer.headers["retry-after"]
    assert sample(anonymous, "soma_ready", check="model") == 0.0


@pytest.fixture
def degraded(caught_up: None, served: Served) -> Iterator[None]:
    """Something that turns can do without does not answer."""
    checks = served.runtime.readiness
    failing = {"vectors": ReadyCheck(ok=False, detail="no answer", essential=False)}
    installed.install(replace(served.runtime, readiness=lambda: checks() | failing))
    yield
    installed.install(served.runtime)


@pytest.mark.req("METRICS-001")
@pytest.mark.usefixtures("degraded")
def test_without_what_turns_can_do_without_it_serves_and_says_so(anonymous: httpx.Client) -> None:
    answer = anonymous.get("/readyz")
    assert answer.status_code == 200
    assert answer.json()["status"] == "degraded"
    assert answer.json()["failing"] == ["vectors"]
    assert sample(anonymous, "soma_ready", check="vectors") == 0.0


@pytest.fixture
def stopped(served: Served) -> Iterator[None]:
    """The runtime is not there, as before the start and after the stop."""
    installed.install(None)
    yield
    installed.install(served.runtime)


@pytest.mark.req("METRICS-001")
@pytest.mark.usefixtures("stopped")
def test_without_the_runtime_all_is_unavailable_but_alive(anonymous: httpx.Client) -> None:
    assert anonymous.get("/healthz").status_code == 200
    problem(anonymous.get("/readyz"), 503, "unavailable")
    problem(anonymous.get(CONVERSATIONS), 503, "unavailable")


@pytest.mark.req("METRICS-001")
def test_requests_are_counted_by_route(person: Person) -> None:
    labels = {"method": "GET", "route": "/api/v2/chat/conversations/{conversation_id}", "status": "200"}
    address = f"{CONVERSATIONS}/{person.conversation()}"
    before = sample(person.client, "soma_http_requests_total", **labels)
    person.client.get(address)
    assert sample(person.client, "soma_http_requests_total", **labels) == before + 1
    assert sample(person.client, "soma_http_request_seconds_count", route=labels["route"]) > 0


@pytest.mark.req("METRICS-001")
def test_unknown_addresses_make_no_series_of_their_own(anonymous: httpx.Client) -> None:
    anonymous.get("/guess/1")
    anonymous.request("BREW", "/guess/2")
    assert "guess" not in anonymous.get("/metrics").text
    assert "BREW" not in anonymous.get("/metrics").text


@pytest.mark.req("METRICS-001")
def test_outbox_backlog_is_measured(anonymous: httpx.Client) -> None:
    assert "soma_outbox_waiting" in anonymous.get("/metrics").text


@pytest.mark.req("CHAT-001")
def test_api_describes_itself(anonymous: httpx.Client) -> None:
    document = anonymous.get("/api/openapi.json").json()
    assert document["openapi"].startswith("3.1")
    paths = document["paths"]
    message = paths["/api/v2/chat/conversations/{conversation_id}/messages"]["post"]
    assert set(message["responses"]) == {"200", "202", "default"}
    assert "text/event-stream" in message["responses"]["200"]["content"]
    assert "application/problem+json" in message["responses"]["default"]["content"]
    assert {"SessionToken": []} in message["security"]
    assert {"/healthz", "/readyz", "/v1/session/mint", "/v1/session/refresh", "/v1/session/revoke"} <= set(
        paths
    )
    assert {
        f"/api/v2/chat/turns/{{turn_id}}{rest}" for rest in ("", "/events", "/trace", "/replay", "/cancel")
    } <= set(paths)


@pytest.mark.req("CHAT-001")
def test_description_refers_to_nothing_that_is_missing(anonymous: httpx.Client) -> None:
    text = anonymous.get("/api/openapi.json").text
    known = anonymous.get("/api/openapi.json").json()["components"]["schemas"]
    referred = {part.split('"', 1)[0] for part in text.split("#/components/schemas/")[1:]}
    assert referred <= set(known)


@pytest.mark.req("METRICS-001", "MEM-003")
def test_what_waits_to_be_remembered_is_measured(anonymous: httpx.Client) -> None:
    text = anonymous.get("/metrics").text
    assert 'soma_consumer_waiting{consumer="brain.consolidation"}' in text
    assert 'soma_consumer_oldest_seconds{consumer="brain.consolidation"}' in text
    assert anonymous.get("/readyz").json()["checks"]["memory"]["detail"].startswith("memory: ")


@pytest.mark.req("METRICS-001")
def test_consumers_and_what_was_given_up_are_measured(served: Served, person: Person) -> None:
    labels = {"consumer": "brain.consolidation"}
    wait_until(lambda: served.runtime.consumers.heartbeats().get("brain.consolidation"))
    text = person.client.get("/metrics").text
    for name in ("waiting", "parked", "oldest_seconds", "heartbeat_seconds"):
        assert f'soma_consumer_{name}{{consumer="brain.consolidation"}}' in text
    assert sample(person.client, "soma_consumer_silent", **labels) == 0.0
    assert sample(person.client, "soma_consumer_heartbeat_seconds", **labels) < 60
    source = f"gone-{new_id()}"
    given_up(person.tenant_id, "measured", source=source)
    assert sample(person.client, "soma_dead_letters", source=source) == 1.0
    assert sample(person.client, "soma_dead_letters_oldest_seconds", source=source) >= 0.0
    assert 'soma_dead_letters{source="relay"}' in text


@pytest.mark.req("METRICS-001", "MEM-003")
@pytest.mark.usefixtures("stopped")
def test_what_nobody_knows_is_not_measured(anonymous: httpx.Client) -> None:
    text = anonymous.get("/metrics").text
    assert "soma_outbox_waiting NaN" in text
    assert not any(f"{name}{{" in text for name in ("soma_consumer_waiting", "soma_dead_letters"))


@pytest.mark.req("METRICS-001")
def test_what_cannot_be_measured_is_logged_in_one_line(
    served: Served, caplog: pytest.LogCaptureFixture
) -> None:
    with connections[WORKER].cursor() as cursor:
        cursor.execute("SET search_path TO nowhere")  # in this thread's session alone
    try:
        measure_events(served.runtime)
    finally:
        connections[WORKER].close()
    [line] = [record.getMessage() for record in caplog.records if "not measured" in record.getMessage()]
    assert 'the outbox (relation "outbox_message" does not exist' in line
    assert all(what in line for what in ("dead letters", "heartbeats", "backlogs"))
    caplog.clear()
    measure_events(served.runtime)
    assert not [record for record in caplog.records if "not measured" in record.getMessage()]
