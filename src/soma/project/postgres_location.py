"""Where PostgreSQL is: the embedded one of this home, or the one of `SOMAGENT_DATABASE_URL`."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from soma.base.configuration import Configuration
from soma.base.crypto import load_or_create_secret

DATABASE = "soma"
OWNER, APP, WORKER, RETENTION = "soma_owner", "soma_app", "soma_worker", "soma_retention"
SUPERUSER = "postgres"
EMBEDDED_PORT = 5432


@dataclass(frozen=True, kw_only=True, slots=True)
class PostgresLocation:
    """How to reach the server. `admin_*` may create roles, a database and extensions, and does no more."""

    host: str
    port: int
    database: str
    admin_user: str
    admin_password: str = ""
    embedded: bool

    def django(self, role: str, password: str) -> dict[str, Any]:
        """Django's settings for a connection as `role`.

        Server-side binding with prepared statements: the same dozen statements run at each iteration,
        and planning them anew costs the server more than running them.
        """
        return {
            "ENGINE": "django.db.backends.postgresql",
            "HOST": self.host,
            "PORT": str(self.port),
            "NAME": self.database,
            "USER": role,
            "PASSWORD": password,
            "CONN_MAX_AGE": None,
            "OPTIONS": {
                "server_side_binding": True,
                "prepare_threshold": 3,
                "application_name": f"somastack-{role}",
                "connect_timeout": 10,
            },
        }

    def admin(self, database: str | None = None) -> dict[str, Any]:
        """psycopg's keywords for the administrator's connection."""
        return {
            "host": self.host,
            "port": self.port,
            "user": self.admin_user,
            "password": self.admin_password,
            "dbname": database or self.database,
        }


def data_directory(home: Path) -> Path:
    """Where the embedded server keeps its data."""
    return home / "postgres"


def postgres_location(configuration: Configuration) -> PostgresLocation:
    """The server that `configuration` means."""
    if configuration.database_url:
        return _external(configuration.database_url)
    return PostgresLocation(
        host=_socket_directory(data_directory(configuration.home)),
        port=EMBEDDED_PORT,
        database=DATABASE,
        admin_user=SUPERUSER,
        embedded=True,
    )


def role_password(configuration: Configuration, role: str) -> str:
    """The password of one of our roles, made once for this home."""
    path = configuration.home / "secrets" / f"postgres_{role}"
    return load_or_create_secret(path, size=32).hex()


def _external(url: str) -> PostgresLocation:
    parts = urlsplit(url)
    return PostgresLocation(
        host=parts.hostname or "localhost",
        port=parts.port or EMBEDDED_PORT,
        database=parts.path.lstrip("/") or DATABASE,
        admin_user=unquote(parts.username or SUPERUSER),
        admin_password=unquote(parts.password or ""),
        embedded=False,
    )


def _socket_directory(data: Path) -> str:
    """The directory of the server's socket: line 5 of postmaster.pid while it runs, since a data path
    that is too long for a socket name makes the server use another."""
    try:
        lines = (data / "postmaster.pid").read_text().splitlines()
    except OSError:
        return str(data)
    return lines[4].strip() if len(lines) > 4 and lines[4].strip() else str(data)
