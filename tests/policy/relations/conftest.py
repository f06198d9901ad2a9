"""Stores of relations, on the schema that is delivered and on more."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID, uuid4

import pytest

from soma.base.ids import new_id

if TYPE_CHECKING:
    from soma.policy.adapters.relation_store_postgres import PostgresRelationStore
    from soma.policy.adapters.relation_store_spicedb import SpiceDbRelationStore
    from soma.project.stack.server import Server


@pytest.fixture
def other_tenant() -> UUID:
    return new_id()


@pytest.fixture(scope="session")
def postgres_store() -> "PostgresRelationStore":
    """The resolver."""
    from soma.policy.adapters.relation_store_postgres import PostgresRelationStore
    from tests.policy.relations.book import PATIENT_MS, whole_schema

    return PostgresRelationStore(whole_schema(), deadline_ms=PATIENT_MS)


@pytest.fixture(scope="session")
def spicedb() -> "Iterator[Server]":
    """A server of this process, in memory: the schema of these tests is not that of the application."""
    from soma.base.errors import Unavailable
    from soma.project.stack.servers import open_server
    from tests.servers import HOME, do_without

    server = open_server("spicedb", Path(os.environ[HOME]) / "servers" / "own" / uuid4().hex / "spicedb")
    try:
        server.start()
    except Unavailable as error:
        do_without("spicedb", error.detail)
    yield server
    server.kill()


@pytest.fixture(scope="session")
def spicedb_store(spicedb: "Server") -> "Iterator[SpiceDbRelationStore]":
    """SpiceDB, in no hurry."""
    from tests.policy.relations.book import PATIENT_MS, whole_schema
    from tests.policy.relations.spicedb import store_on

    store = store_on(spicedb, whole_schema(), deadline_ms=PATIENT_MS)
    yield store
    store.close()
