"""Run as a program beside a server, on the database of its home: `request N` publishes what N turns leave to
be remembered; `check` computes everything anew from the memories, and prints their keys as JSON."""

import json
import sys
from uuid import UUID

import django
import psycopg


def main(verb: str, *numbers: str) -> None:
    """See above. Ends with a traceback where anything is not exact."""
    django.setup()
    tenant, user = _person()
    if verb == "request":
        print(json.dumps(_request(tenant, user, int(numbers[0]))))
    else:
        print(json.dumps(_check(tenant)))


def _person() -> tuple[UUID, UUID]:
    """The tenant and the user of a home where nobody else is."""
    from soma.project.configuration import CONFIGURATION
    from soma.project.postgres_location import postgres_location

    with psycopg.connect(**postgres_location(CONFIGURATION).admin()) as connection:
        [(tenant, user)] = connection.execute('SELECT tenant_id, id FROM "user"').fetchall()
    return tenant, user


def _request(tenant: UUID, user: UUID, count: int) -> list[str]:
    from soma.base.database import tenant_transaction
    from soma.base.ids import new_id
    from soma.events.api import Event, publish

    keys = []
    for number in range(count):
        turn, conversation = str(new_id()), str(new_id())
        said = {"user": f"Guest number {number} likes tea", "assistant": f"Table {number} is by the window"}
        keys += [f"turn:{turn}:{role}" for role in said]
        items = [
            {
                "key": f"turn:{turn}:{role}",
                "content": content,
                "role": role,
                "occurred_at": "2026-01-01T00:00:00.000000Z",
                "importance": 0.5,
                "input_hash": None,
            }
            for role, content in said.items()
        ]
        payload = {
            "turn_id": turn,
            "conversation_id": conversation,
            "agent_id": "agent",
            "namespace": str(user),
            "items": items,
        }
        with tenant_transaction(tenant):
            publish(Event(tenant_id=tenant, type="memory.remember_requested", key=turn, payload=payload))
    return keys


def _check(tenant: UUID) -> list[str]:
    from tests.fractalmemory.exactness import assert_exact

    return sorted(row["key"] for row in assert_exact(tenant).records.values())


if __name__ == "__main__":
    main(*sys.argv[1:])
