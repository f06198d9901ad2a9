"""`somagent events`: tail, status, dlq, schema."""

import json
import subprocess
import sys
from typing import Any

import pytest
from jsonschema_rs import validator_for

from soma.events.api import schema_document
from tests.interfaces.cli.installation import PATIENCE, Installation

pytestmark = [pytest.mark.req("CLI-001"), pytest.mark.timeout(300)]


def printed(installation: Installation, *arguments: str) -> Any:
    ended = installation.run("events", *arguments, "--json")
    assert ended.returncode == 0, ended.stderr
    return json.loads(ended.stdout)


def give_up(installation: Installation, *details: str) -> None:
    subprocess.run(
        [sys.executable, "-m", "tests.interfaces.cli.give_up", *details],
        env=installation.environment(),
        check=True,
        timeout=PATIENCE,
    )


@pytest.mark.req("SCHEMA-001")
def test_topics_types_and_schemas(installation: Installation) -> None:
    topics = {each["topic"]: each["types"] for each in printed(installation, "schema")}
    assert {
        key: value
        for each in topics["chat.events"]
        if each["type"] == "chat.turn_failed"
        for key, value in each.items()
        if key != "description"
    } == {"type": "chat.turn_failed", "version": 1}
    assert [each["type"] for each in topics["conversation.events"]] == ["conversation.created"]
    assert topics["project.events"] == []
    listed = installation.run("events", "schema")
    assert "chat.turn_failed" in listed.stdout
    assert "project.events" in listed.stdout
    assert printed(installation, "schema", "chat.turn_failed")["title"] == "chat.turn_failed"
    assert printed(installation, "schema", "chat.events")["$id"] == "urn:somastack:topic:chat.events"
    refused = installation.run("events", "schema", "chat.nothing")
    assert refused.returncode == 2
    assert "chat.nothing" in refused.stderr


def test_tail_shows_whole_events_that_keep_their_topics_schema(installation: Installation) -> None:
    ended = installation.run("events", "tail", "--no-follow", "--json", "--from", "1")
    assert ended.returncode == 0, ended.stderr
    events = [json.loads(line) for line in ended.stdout.splitlines()]
    assert [event["sequence"] for event in events] == list(range(1, len(events) + 1))
    for topic in {event["topic"] for event in events}:
        schema = validator_for(schema_document(topic), validate_formats=True)
        for event in events:
            if event["topic"] == topic:
                schema.validate(event)
    assert "identity.session_minted" in {event["type"] for event in events}


def test_tail_follows_what_is_asked_for(installation: Installation) -> None:
    only = ("--topic", "gateway.audit", "--type", "identity.session_minted")
    with installation.start("events", "tail", "--from", "1", *only) as tail:
        before = tail.until(lambda text: "identity.session_minted" in text)
        give_up(installation, "something else")
        printed(installation, "dlq", "retry", "--all")
        after = tail.until(lambda text: text.count("session_minted") > before.count("session_minted") + 1)
    assert all("identity.session_minted" in line for line in after.splitlines())


def test_status_tells_what_waits_and_who_lives(installation: Installation) -> None:
    status = printed(installation, "status")
    [consolidation] = [each for each in status["consumers"] if each["name"] == "brain.consolidation"]
    assert consolidation["backlog"]["waiting"] == 0
    assert consolidation["heartbeat"]["last_error"] == ""
    assert not consolidation["silent"]
    [reached] = consolidation["backlog"]["reached"]
    assert reached["lag"] == reached["newest"] - reached["offset"]
    assert status["log_fault"] == ""
    shown = installation.run("events", "status")
    assert shown.returncode == 0, shown.stderr
    assert "brain.consolidation" in shown.stdout


@pytest.mark.req("MEM-003")
def test_what_was_given_up_is_listed_inspected_and_tried_again(installation: Installation) -> None:
    give_up(installation, "first", "second", "third")
    letters = printed(installation, "dlq", "list")
    assert [letter["payload"]["detail"] for letter in letters] == ["third", "second", "first"]
    wanted = letters[0]["id"]
    shown = installation.run("events", "dlq", "inspect", wanted).stdout
    assert '"detail": "third"' in shown
    assert "ValueError: cannot be handled" in shown
    assert [each["id"] for each in printed(installation, "dlq", "retry", wanted)] == [wanted]
    assert installation.run("events", "dlq", "retry", wanted).returncode == 2
    assert len(printed(installation, "dlq", "retry", "--all")) == 2
    assert installation.run("events", "dlq", "list").stdout.strip() == "Nothing was given up."
    ended = installation.run("events", "tail", "--no-follow", "--json", "--type", "chat.turn_failed")
    details = [json.loads(line)["payload"]["detail"] for line in ended.stdout.splitlines()]
    assert details == ["third", "first", "second"]


@pytest.mark.parametrize("arguments", [("retry",), ("retry", "--all", "x"), ("inspect", "x")])
def test_what_names_no_letter_is_refused(installation: Installation, arguments: tuple[str, ...]) -> None:
    assert installation.run("events", "dlq", *arguments).returncode == 2
