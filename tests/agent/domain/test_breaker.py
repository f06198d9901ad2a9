"""The circuit breaker: five failures open it, half a minute later one call may try."""

import pytest

from soma.agent.domain.breaker import BreakerState, CircuitBreaker


@pytest.mark.req("TOOL-004")
def test_five_failures_in_a_row_open_it() -> None:
    breaker = CircuitBreaker()
    for _ in range(4):
        breaker.failed(0.0)
    assert breaker.allows(0.0)

    breaker.failed(0.0)

    assert breaker.state is BreakerState.OPEN
    assert not breaker.allows(29.9)


@pytest.mark.req("TOOL-004")
def test_a_success_between_starts_the_count_afresh() -> None:
    breaker = CircuitBreaker()
    for _ in range(4):
        breaker.failed(0.0)
    breaker.succeeded()
    breaker.failed(0.0)

    assert breaker.allows(0.0)


@pytest.mark.req("TOOL-004")
def test_after_the_rest_one_probe_decides() -> None:
    breaker = CircuitBreaker(failure_threshold=1)
    breaker.failed(0.0)

    assert breaker.allows(30.0)
    assert not breaker.allows(30.0), "others wait for the probe"
    breaker.failed(30.0)
    assert not breaker.allows(59.0)
    assert breaker.allows(60.0)
    breaker.succeeded()
    assert breaker.state is BreakerState.CLOSED
