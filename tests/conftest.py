"""One real embedded PostgreSQL for the whole run; every test works in a tenant of its own."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID

import pytest
from hypothesis import settings

if TYPE_CHECKING:
    from soma.project.embedded_postgres import EmbeddedPostgres

pytest_plugins = ("tests.servers", "tests.prepared_home", "tests.together")

settings.register_profile("suite", deadline=None, derandomize=True)
"""The same examples in every run, however busy the machine is."""

settings.register_profile("thorough", deadline=None, max_examples=20_000)
settings.load_profile("suite")

HOME = "SOMA_TEST_HOME"
_postgres: "EmbeddedPostgres | None" = None


def pytest_configure(config: pytest.Config) -> None:
    """In the process that starts the run: boot the server. In each worker: set Django up on it."""
    global _postgres
    first = HOME not in os.environ
    if first:
        os.environ[HOME] = tempfile.mkdtemp(prefix="soma-test-")
    os.environ["SOMAGENT_HOME"] = os.environ[HOME]
    os.environ["SOMAGENT_DEPLOYMENT_MODE"] = "test"
    os.environ["SOMAGENT_MODE"] = "TEST"
    # Every test signs somebody in, all of them from one address.
    os.environ["SOMAGENT_RATE_SESSIONS"] = "100000"
    os.environ["DJANGO_SETTINGS_MODULE"] = "soma.project.settings"
    if first:
        from soma.project.embedded_postgres import EmbeddedPostgres

        _postgres = EmbeddedPostgres(Path(os.environ[HOME]))
        _postgres.start()
    _set_up_django(provision=first)


def _set_up_django(*, provision: bool) -> None:
    import django

    django.setup()
    if provision:
        from soma.project.configuration import CONFIGURATION
        from soma.project.provision import provision as provision_database

        provision_database(CONFIGURATION)


def pytest_unconfigure(config: pytest.Config) -> None:
    """Stop the server and remove its data."""
    if _postgres is not None:
        from django.db import connections

        connections.close_all()
        _postgres.release()
        shutil.rmtree(os.environ.pop(HOME), ignore_errors=True)


@pytest.fixture
def home() -> Path:
    """The SOMAGENT_HOME of this run."""
    return Path(os.environ[HOME])


@pytest.fixture
def tenant() -> UUID:
    """A fresh tenant, with its row."""
    from soma.base.database import tenant_transaction
    from soma.base.ids import new_id
    from soma.identity.models import Tenant

    tenant_id = new_id()
    with tenant_transaction(tenant_id):
        Tenant.objects.create(id=tenant_id, slug=f"t-{tenant_id.hex[-12:]}", name="Test tenant")
    return tenant_id


@pytest.fixture(autouse=True)
def _close_broken_connections() -> Iterator[None]:
    yield
    from soma.base.database import drop_broken_connections

    drop_broken_connections()
