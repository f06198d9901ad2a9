"""A disk of its own for a server, small enough to fill up."""

import errno
import os
import subprocess
from contextlib import suppress
from pathlib import Path
from typing import Protocol

import psutil

from soma.project.stack.server import Server

MIB = 1024 * 1024
CHOICE = "SOMA_TEST_DISK"
"""`limit` in the environment: limit the files' sizes also where a file system could be mounted."""


class Disk(Protocol):
    """What a server writes to."""

    def fill(self) -> None:
        """Leave no byte on it."""

    def free(self) -> None:
        """Give the space back."""


class MountedDisk:
    """A file system in memory, mounted where the server keeps its data. Needs the right to mount."""

    def __init__(self, directory: Path, mebibytes: int) -> None:
        self._directory = directory
        directory.mkdir(parents=True, exist_ok=True)
        command = ["mount", "-t", "tmpfs", "-o", f"size={mebibytes}m", "soma-test", str(directory)]
        subprocess.run(command, check=True, capture_output=True)

    def fill(self) -> None:
        """See Disk."""
        block = bytes(MIB)
        with self._ballast.open("wb", buffering=0) as ballast:
            try:
                while True:
                    written = ballast.write(block)
                    block = block if written == len(block) else b"\0"
            except OSError as full:
                if full.errno != errno.ENOSPC:
                    raise

    def free(self) -> None:
        """See Disk."""
        self._ballast.unlink()

    def unmount(self) -> None:
        """Away with it, whoever still has a file open."""
        subprocess.run(["umount", "--lazy", str(self._directory)], check=True, capture_output=True)

    @property
    def _ballast(self) -> Path:
        return self._directory / "ballast"


class LimitedFiles:
    """Where nothing may be mounted: no process of the server may write beyond the first byte of a file."""

    def __init__(self, server: Server) -> None:
        self._server = server

    def fill(self) -> None:
        """See Disk."""
        self._limit("1")

    def free(self) -> None:
        """See Disk. Processes that have ended meanwhile need nothing."""
        self._limit("unlimited")

    def _limit(self, size: str) -> None:
        record = self._server.record
        if record is None or not record.process.running:
            return
        first = psutil.Process(record.process.pid)
        for process in (first, *first.children(recursive=True)):
            with suppress(psutil.NoSuchProcess):
                # As whom it runs: root may be kept from limiting the processes of others.
                command = ["prlimit", f"--pid={process.pid}", f"--fsize={size}:"]
                subprocess.run(command, user=process.uids().real, check=False, capture_output=True)


class SmallDisks:
    """Gives each server a disk before its first start."""

    def __init__(self) -> None:
        self._mounted: list[MountedDisk] = []
        self._disks: dict[str, Disk] = {}

    def give(self, server: Server, *, mebibytes: int) -> None:
        """Put what `server` keeps on a disk of this size."""
        self._disks[server.name] = self._disk(server, mebibytes)

    def __getitem__(self, name: str) -> Disk:
        return self._disks[name]

    def unmount(self) -> None:
        """Once the servers have ended."""
        for disk in self._mounted:
            disk.unmount()

    def _disk(self, server: Server, mebibytes: int) -> Disk:
        if os.environ.get(CHOICE) != "limit" and os.geteuid() == 0:
            try:
                self._mounted.append(MountedDisk(server.directory / "data", mebibytes))
                return self._mounted[-1]
            except subprocess.CalledProcessError:
                pass  # root in a container may not mount
        return LimitedFiles(server)
