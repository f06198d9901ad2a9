"""A PostgreSQL that a test may kill, under an alias of its own."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import UUID, uuid4

from django.db import connections

from soma.base.configuration import Configuration
from soma.base.database import tenant_transaction
from soma.project.postgres_location import APP, postgres_location, role_password
from soma.project.stack.server import Server

PROVISION = """
import django
django.setup()
from soma.project.configuration import CONFIGURATION
from soma.project.provision import provision
provision(CONFIGURATION)
"""


class OwnPostgres:
    """The database of `server` with our tables, reached by the application's role as `alias`."""

    def __init__(self, server: Server, home: Path) -> None:
        self.alias = f"own_{uuid4().hex}"
        environment = {
            "SOMAGENT_HOME": str(home),
            "SOMAGENT_DATABASE_URL": server.address,
            "DJANGO_SETTINGS_MODULE": "soma.project.settings",
        }
        subprocess.run([sys.executable, "-c", PROVISION], env={**os.environ, **environment}, check=True)
        configuration = Configuration.from_environment(environment)
        own = postgres_location(configuration).django(APP, role_password(configuration, APP))
        connections.settings[self.alias] = {**connections.settings["default"], **own}

    @contextmanager
    def scope(self, tenant: UUID) -> Iterator[None]:
        """The tenant's transaction there, on a connection that goes with the thread."""
        try:
            with tenant_transaction(tenant, using=self.alias):
                yield
        finally:
            connections.close_all()

    def forget(self) -> None:
        """Remove the alias."""
        connections[self.alias].close()
        del connections.settings[self.alias]
