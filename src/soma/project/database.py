"""The database of this installation: started where it is embedded, kept alive, and prepared."""

import asyncio
import logging
from collections.abc import Callable
from contextlib import AsyncExitStack
from subprocess import SubprocessError

from django.db import connections

from soma.base.configuration import Configuration
from soma.base.database import DatabaseThreads
from soma.base.errors import SomaError
from soma.project.embedded_postgres import EmbeddedPostgres
from soma.project.postgres_location import postgres_location
from soma.project.provision import provision

REVIVE_SECONDS = 1.0

logger = logging.getLogger("soma.project")


async def start_database(
    configuration: Configuration, progress: Callable[[str], None], stack: AsyncExitStack
) -> DatabaseThreads:
    """The threads that use the database, once it runs and is up to date; `stack` ends all of it."""
    if not configuration.database_url:
        progress("Starting PostgreSQL")
        postgres = EmbeddedPostgres(configuration.home)
        stack.callback(postgres.release)
        await asyncio.to_thread(postgres.start)
        watch = asyncio.create_task(_keep_alive(postgres), name="soma-postgres")
        stack.callback(watch.cancel)
        _point_to(postgres_location(configuration).host)
    progress("Preparing the database")
    await asyncio.to_thread(provision, configuration)
    database = DatabaseThreads()
    stack.callback(database.close)
    return database


async def _keep_alive(postgres: EmbeddedPostgres) -> None:
    """Nobody else looks after the embedded server: bring it back when its process was killed."""
    while True:
        await asyncio.sleep(REVIVE_SECONDS)
        try:
            if await asyncio.to_thread(postgres.revive):
                logger.warning("the embedded PostgreSQL was gone and has been started again")
        except (OSError, SubprocessError, SomaError):
            logger.exception("the embedded PostgreSQL does not come back; trying again")


def _point_to(host: str) -> None:
    """Tell Django the server's socket directory, which is known for sure only once it runs."""
    for settings in connections.settings.values():
        settings["HOST"] = host
