"""What a first start makes in SOMAGENT_HOME, without anybody's key or data: run by tests.prepared_home."""

import django
from django.db import connections

from soma.project.configuration import CONFIGURATION
from soma.project.embedded_postgres import EmbeddedPostgres


def make() -> None:
    """Make the database and what is derived from the models' files."""
    postgres = EmbeddedPostgres(CONFIGURATION.home)
    postgres.start()
    try:
        django.setup()  # asks where the server listens
        from soma.project.models import build_models
        from soma.project.provision import provision

        provision(CONFIGURATION)
        build_models(CONFIGURATION, lambda step: None)
        connections.close_all()
    finally:
        postgres.release()


if __name__ == "__main__":
    make()
