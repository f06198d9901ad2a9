"""A turn whose events are in Kafka is rebuilt from there."""

from collections.abc import Callable, Iterator

import pytest
from anyio.from_thread import start_blocking_portal

from soma.agent.api import ModelUnavailable, Verdict
from soma.base.ids import new_id
from soma.events.api import EventLog
from soma.project.provision import migrate
from soma.project.stack.server import Server
from tests.agent.bench import Bench, Desk
from tests.agent.services.test_tools import Doing, failing, spec
from tests.events.own_database import connected_to, superuser_of
from tests.fakes.model import ScriptedModel, called, said

pytestmark = [pytest.mark.req("REPLAY-003"), pytest.mark.req("REPLAY-002"), pytest.mark.timeout(300)]

ADD = ("calculator", {"expression": "2 + 40"})


@pytest.fixture(scope="module")
def database() -> Iterator[str]:
    """A database whose relay is this module's, since there is one that is active in each."""
    name = f"replay_{new_id().hex[-12:]}"
    with superuser_of(None) as connection:
        connection.execute(f"CREATE DATABASE {name} OWNER soma_owner")
        with superuser_of(name) as inside:
            inside.execute("CREATE EXTENSION vector")
            inside.execute("GRANT CREATE, USAGE ON SCHEMA public TO soma_owner")
            inside.execute("GRANT USAGE ON SCHEMA public TO soma_app, soma_worker, soma_retention")
        with connected_to(name):
            migrate()
            yield name
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(scope="module")
def kafka(database: str, shared_server: Callable[[str], Server]) -> Iterator[EventLog]:
    from soma.events.adapters.event_log_kafka import KafkaEventLog

    log = KafkaEventLog(shared_server("kafka").address, prefix=f"replay-{new_id().hex}.")
    yield log
    log.close()


@pytest.fixture(scope="module")
def desk(database: str) -> Iterator[Desk]:
    with start_blocking_portal(backend="asyncio", backend_options={"use_uvloop": False}) as portal:
        made = Desk(portal)
        yield made
        made.close()


def test_turns_are_verified_from_kafka(make_bench: Callable[..., Bench], kafka: EventLog) -> None:
    bench = make_bench(
        ScriptedModel(called(ADD, ("fails", {})), said("It is 42."), ModelUnavailable("gone")),
        specs=[spec("fails")],
        tools=[Doing("fails", failing)],
        log=kafka,
    )
    for status in ("completed", "failed"):
        turn = bench.ask("What is 2 + 40?")
        told = bench.replay(turn.id).to_dict()
        assert (turn.status, told["verdict"]) == (status, "identical"), (told["divergence"], told["missing"])
        partitions = told["log"]["partitions"]
        assert partitions
        assert all(each.startswith("replay-") for each in partitions)


def test_a_record_that_kafka_has_lost_is_named(
    make_bench: Callable[..., Bench], kafka: EventLog, database: str
) -> None:
    model = ScriptedModel(called(ADD), said("It is 42."))
    bench = make_bench(model, log=kafka)
    turn = bench.ask("What is 2 + 40?")
    assert bench.replay(turn.id).verdict is Verdict.IDENTICAL
    _misplace(database, str(turn.id))

    report = bench.replay(turn.id, by=bench.replayer(model))

    assert report.verdict is Verdict.INCOMPLETE
    assert report.missing


def _misplace(database: str, turn: str) -> None:
    """Let the log point at another record than the one that it has written for the turn's end."""
    with superuser_of(database) as connection:
        connection.execute("ALTER TABLE event_place DISABLE TRIGGER append_only")
        connection.execute(
            "UPDATE event_place SET position = 1000000 WHERE key = %s AND type = 'chat.turn_completed'",
            [turn],
        )
        connection.execute("ALTER TABLE event_place ENABLE ALWAYS TRIGGER append_only")
