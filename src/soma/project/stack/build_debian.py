"""A server out of Debian packages, unpacked into the cache: nothing is installed, root is not needed.

apt checks what it fetches against the signed index of the machine's own sources.
"""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from soma.base.errors import Unavailable
from soma.project.stack import cache
from soma.project.stack.cache import Progress
from soma.project.stack.tool import find_tool, read_tool, run_tool

CANDIDATE = re.compile(r"Candidate: (\S+)")
PLAIN = {"LC_ALL": "C"}
PLANNED = re.compile(r"^Inst (\S+) ", re.MULTILINE)


@dataclass(frozen=True, kw_only=True, slots=True)
class Unpacked:
    """The root that packages were unpacked into, and the version of the first."""

    root: Path
    version: str

    @property
    def environment(self) -> Mapping[str, str]:
        """What a program of these packages needs to find its libraries."""
        places = [
            str(path)
            for pattern in ("usr/lib/*-linux-*", "lib/*-linux-*")
            for path in self.root.glob(pattern)
        ]
        return {"LD_LIBRARY_PATH": ":".join(places)} if places else {}


def unpack_debian(package: str, *, progress: Progress, libraries: bool = False) -> Unpacked:
    """`package` of this machine's Debian; if `libraries`, with those it needs and that are not installed.

    Raises Unavailable.
    """
    apt = _Apt(package, progress)
    version = apt.version()

    def make(draft: Path) -> None:
        names = apt.planned() if libraries else [package]
        apt.download(names, draft)

    # A colon (of the epoch) would separate paths where this one is listed.
    key = f"{version.replace(':', '_')}-{cache.digest(package, version, str(libraries))}"
    return Unpacked(root=cache.obtain(package, key, make), version=_upstream(version))


def _upstream(version: str) -> str:
    return re.split(r"[-+~]", version.partition(":")[2] or version)[0]


class _Apt:
    """apt with the machine's sources. Where the machine has no package lists it fetches some of its own."""

    def __init__(self, package: str, progress: Progress) -> None:
        self._package = package
        self._progress = progress
        for tool in ("apt-get", "apt-cache", "dpkg-deb"):
            find_tool(tool, needed_for=f"fetching Debian's {package}")
        self._options: list[str] = []

    def version(self) -> str:
        candidate = self._candidate()
        if candidate is None:
            self._own_lists()
            candidate = self._candidate()
        if candidate is None:
            raise Unavailable(f"this machine's package sources have no {self._package}")
        return candidate

    def planned(self) -> list[str]:
        """The package and those that it needs and that are not installed."""
        plan = read_tool(
            ["apt-get", *self._options, "--simulate", "--no-install-recommends", "install", self._package],
            what=f"planning Debian's {self._package}",
            environment=PLAIN,
        )
        return PLANNED.findall(plan) or [self._package]

    def download(self, names: list[str], draft: Path) -> None:
        """Fetch the packages and unpack them into `draft`."""
        debs, log = draft / "debs", draft / "build.log"
        debs.mkdir()
        # apt would drop to a user who may not write here, and warn of it.
        run_tool(
            ["apt-get", *self._options, "-o", "APT::Sandbox::User=root", "download", *names],
            what=f"fetching Debian's {self._package}",
            log=log,
            progress=self._progress,
            directory=debs,
            environment={**os.environ, **PLAIN},
        )
        for deb in sorted(debs.glob("*.deb")):
            unpack = ["dpkg-deb", "-x", str(deb), str(draft)]
            run_tool(unpack, what=f"unpacking {deb.name}", log=log, progress=self._progress)
            deb.unlink()

    def _candidate(self) -> str | None:
        policy = read_tool(["apt-cache", *self._options, "policy", self._package], environment=PLAIN)
        match = CANDIDATE.search(policy)
        return None if match is None or match[1] == "(none)" else match[1]

    def _own_lists(self) -> None:
        state = cache.cache_directory() / "apt"
        (state / "lists" / "partial").mkdir(parents=True, exist_ok=True)
        (state / "archives" / "partial").mkdir(parents=True, exist_ok=True)
        self._options = ["-o", f"Dir::State::Lists={state / 'lists'}", "-o", f"Dir::Cache={state}"]
        run_tool(
            ["apt-get", *self._options, "-o", "APT::Sandbox::User=root", "--quiet", "update"],
            what="fetching Debian's package lists",
            log=state / "update.log",
            progress=self._progress,
            environment={**os.environ, **PLAIN},
        )
