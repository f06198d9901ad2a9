"""What the environment can say, and what is refused by the name of its variable."""

import pytest

from soma.base.configuration import Configuration
from soma.base.errors import InvalidInput

RATES = {
    "SOMAGENT_RATE_REQUESTS": ("rate_requests", 600),
    "SOMAGENT_RATE_TENANT_REQUESTS": ("rate_tenant_requests", 6000),
    "SOMAGENT_RATE_TURNS": ("rate_turns", 120),
    "SOMAGENT_RATE_SESSIONS": ("rate_sessions", 60),
}


@pytest.mark.req("AUTH-005")
@pytest.mark.parametrize("variable", RATES)
def test_rates_are_read_and_have_defaults(variable: str) -> None:
    field, default = RATES[variable]
    assert getattr(Configuration.from_environment({}), field) == default
    for text, value in (("7", 7), ("0", 0), ("1000000", 1_000_000), ("", default)):
        assert getattr(Configuration.from_environment({variable: text}), field) == value


@pytest.mark.req("AUTH-005")
@pytest.mark.parametrize("text", ["-1", "1.5", "many", "1000001"])
@pytest.mark.parametrize("variable", RATES)
def test_a_rate_that_is_none_is_refused_by_name(variable: str, text: str) -> None:
    with pytest.raises(InvalidInput, match=variable):
        Configuration.from_environment({variable: text})


@pytest.mark.req("MEM-006")
def test_the_room_of_working_memory_is_read_and_bounded() -> None:
    assert Configuration.from_environment({}).working_memory == 32
    for text, value in (("0", 0), ("256", 256), ("", 32)):
        assert Configuration.from_environment({"SOMAGENT_WORKING_MEMORY": text}).working_memory == value
    with pytest.raises(InvalidInput, match="SOMAGENT_WORKING_MEMORY"):
        Configuration.from_environment({"SOMAGENT_WORKING_MEMORY": "257"})


@pytest.mark.req("LEARN-003")
def test_a_fast_model_is_one_of_the_remote_endpoint() -> None:
    remote = {"SOMAGENT_MODEL_URL": "http://models/v1", "SOMAGENT_MODEL_NAME": "large"}
    hurried = Configuration.from_environment({**remote, "SOMAGENT_MODEL_FAST_NAME": "small"}).remote_model
    calm = Configuration.from_environment(remote).remote_model
    assert hurried is not None and calm is not None
    assert (hurried.model, hurried.fast_model, calm.fast_model) == ("large", "small", "")


@pytest.mark.req("REPLAY-002")
def test_the_days_that_events_are_kept_are_read_and_bounded() -> None:
    assert Configuration.from_environment({}).event_retention_days == 30
    variable = "SOMAGENT_EVENT_RETENTION_DAYS"
    assert Configuration.from_environment({variable: "1"}).event_retention_days == 1
    for text in ("0", "36501", "-1", "1.5", "many"):
        with pytest.raises(InvalidInput, match=variable):
            Configuration.from_environment({variable: text})
