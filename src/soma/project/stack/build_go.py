"""A server built by Go from a pinned module."""

import os
from pathlib import Path

from soma.project.stack import cache
from soma.project.stack.cache import Progress
from soma.project.stack.pins import pin_file
from soma.project.stack.tool import find_tool, run_tool

FLAGS = ("-mod=readonly", "-trimpath", "-ldflags", "-s -w")


def go_key(module: str) -> str:
    """What the build is made from: the module's pins and how it is built."""
    pins = [pin_file(f"{module}{name}").read_bytes() for name in ("go.mod", "go.sum")]
    return cache.digest(*pins, *FLAGS)


def build_go(name: str, *, module: str, package: str, progress: Progress) -> Path:
    """The program `name`, built from `package` as the go.mod at `stack/<module>` pins it.

    Raises Unavailable.
    """

    def make(draft: Path) -> None:
        go = find_tool("go", needed_for=f"building {name}")
        progress(f"building {name} with Go; the first time takes some minutes")
        run_tool(
            [go, "build", *FLAGS, "-o", str(draft / name), package],
            what=f"building {name}",
            log=draft / "build.log",
            progress=progress,
            environment={**os.environ, "CGO_ENABLED": "0", "GOWORK": "off"},
            directory=pin_file(f"{module}go.mod").parent,
        )

    return cache.obtain(name, go_key(module), make) / name
