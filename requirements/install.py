"""Set this checkout up: a virtual environment with everything that requirements/ locks.

    python3 requirements/install.py [full] [stack] [dev] [bench] [hrr]

Needs Python 3.11 and nothing else. Every package is checked against the hash in its lock. What is up to date
is left alone, so a second call costs next to nothing.
"""

import fcntl
import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LOCKS = ROOT / "requirements"
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
STAMPS = VENV / "stamps"
PIP_TO_UV = {"index-url": "UV_DEFAULT_INDEX", "cert": "SSL_CERT_FILE"}


def main(groups: Sequence[str]) -> int:
    """Bring the environment up to the locks of the base, the models and `groups`. Returns the exit code."""
    # One at a time: `make run` and `make test` may be started together.
    directory = os.open(LOCKS, os.O_RDONLY)
    fcntl.flock(directory, fcntl.LOCK_EX)
    try:
        _environment()
        _tools()
        _packages(["base", "models", *groups])
        _project()
        _models()
    except subprocess.CalledProcessError as failure:
        command = " ".join(str(word).removeprefix(f"{ROOT}/") for word in failure.cmd)
        print(f"Set-up stopped: what `{command}` printed is above.", file=sys.stderr)
        return 1
    finally:
        os.close(directory)
    return 0


def _environment() -> None:
    """A virtual environment of this very directory: one that was copied along points at the old place."""
    moved = (STAMPS / "root").exists() and not _is_stamped("root", str(ROOT))
    if PYTHON.exists() and not moved:
        return _stamp("root", str(ROOT))
    if importlib.util.find_spec("ensurepip") is None:
        sys.exit(f"This Python cannot make virtual environments (no ensurepip). Mend it: {_venv_package()}")
    with _progress("virtual environment"):
        _run([sys.executable, "-m", "venv", "--clear", str(VENV)])
    return _stamp("root", str(ROOT))


def _venv_package() -> str:
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    if shutil.which("apt-get") is None:
        return f"install your system's package of the venv module for Python {version}"
    return f"{'' if os.geteuid() == 0 else 'sudo '}apt-get install -y python{version}-venv"


def _tools() -> None:
    lock = LOCKS / "tools.txt"
    if _is_stamped("tools", _digest(lock)):
        return
    with _progress("installer"):
        pip = [str(PYTHON), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        _run([*pip, "--no-deps", "--require-hashes", "--only-binary", ":all:", "-r", str(lock)])
    _stamp("tools", _digest(lock))


def _packages(groups: Sequence[str]) -> None:
    """Each lock is complete, so nothing is resolved here: what no lock names is not installed."""
    locks = {group: LOCKS / f"{group}.txt" for group in groups}
    due = [group for group, lock in locks.items() if not _is_stamped(group, _digest(lock))]
    if not due:
        return
    with _progress(f"packages ({', '.join(due)})"):
        files = [argument for group in due for argument in ("-r", str(locks[group]))]
        _uv("--no-deps", "--require-hashes", "--only-binary", ":all:", *files)
    for group in due:
        _stamp(group, _digest(locks[group]))


def _project() -> None:
    wanted = _digest(ROOT / "pyproject.toml")
    if _is_stamped("project", wanted):
        return
    with _progress("somastack"):
        _uv("--no-deps", "--no-build-isolation", "--editable", str(ROOT))
    _stamp("project", wanted)


def _models() -> None:
    """Check the model files and export the embedding graph, once for each home and version of the models."""
    home = Path(os.environ.get("SOMAGENT_HOME") or "~/.somastack").expanduser().resolve()
    wanted = f"{_digest(LOCKS / 'models.txt')} {home}"
    if _is_stamped("built", wanted) and (home / "models").is_dir():
        return
    with _progress("local models"):
        _run([str(VENV / "bin" / "somagent"), "models", "build"])
    _stamp("built", wanted)


def _uv(*arguments: str) -> None:
    uv = [str(VENV / "bin" / "uv"), "pip", "install", "--python", str(PYTHON)]
    quiet = [] if sys.stderr.isatty() else ["--quiet"]
    _run([*uv, *quiet, *arguments], environment=_index_settings())


def _index_settings() -> dict[str, str]:
    """uv's environment: what pip was told of the package index holds for uv, unless uv was told itself."""
    environment = {**os.environ, "UV_PYTHON_DOWNLOADS": "never"}
    command = [str(PYTHON), "-m", "pip", "--disable-pip-version-check", "config", "list"]
    listing = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout
    for line in listing.splitlines():
        key, _, value = line.partition("=")
        name = PIP_TO_UV.get(key.rpartition(".")[2])
        if name is not None:
            environment.setdefault(name, value.strip("'\""))
    return environment


def _run(command: Sequence[str], *, environment: Mapping[str, str] | None = None) -> None:
    subprocess.run(command, cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, check=True)


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _is_stamped(name: str, value: str) -> bool:
    stamp = STAMPS / name
    return stamp.exists() and stamp.read_text() == value


def _stamp(name: str, value: str) -> None:
    STAMPS.mkdir(exist_ok=True)
    (STAMPS / name).write_text(value)


@contextmanager
def _progress(what: str) -> Iterator[None]:
    started = time.monotonic()
    print(f"Setting up: {what} ...", flush=True)
    yield
    print(f"    done in {time.monotonic() - started:.1f} s", flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
