"""The event log in PostgreSQL: the contract. Its outages are those of the relay's own transaction: see
test_relay.py and test_processes.py."""

import pytest

from soma.events.api import PostgresEventLog
from tests.events.contract_event_log import EventLogContract

pytestmark = pytest.mark.usefixtures("own_database")


@pytest.fixture(scope="module")
def log(own_database: str) -> PostgresEventLog:
    """The log, empty at first."""
    return PostgresEventLog()


class TestPostgres(EventLogContract):
    """The contract."""
