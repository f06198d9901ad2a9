"""A server's jars, resolved by Maven from a pinned pom."""

import shutil
from pathlib import Path

from soma.project.stack import cache
from soma.project.stack.cache import Progress
from soma.project.stack.pins import pin_file
from soma.project.stack.tool import find_tool, run_tool

GOAL = "org.apache.maven.plugins:maven-dependency-plugin:3.11.0:copy-dependencies"


def maven_key(pom: str) -> str:
    """What the jars are resolved from."""
    return cache.digest(pin_file(pom).read_bytes(), GOAL)


def resolve_jars(name: str, *, pom: str, progress: Progress) -> Path:
    """The directory of the jars that `stack/<pom>` pins. Raises Unavailable."""

    def make(draft: Path) -> None:
        maven = find_tool("mvn", needed_for=f"fetching {name}'s jars")
        progress(f"fetching {name} with Maven")
        # Maven writes beside the pom; the checkout stays as it is.
        shutil.copyfile(pin_file(pom), draft / "pom.xml")
        run_tool(
            [maven, "--batch-mode", "--quiet", "--strict-checksums", "--file", str(draft / "pom.xml"), GOAL,
             f"-DoutputDirectory={draft / 'lib'}", "-DincludeScope=runtime"],
            what=f"fetching {name}",
            log=draft / "build.log",
            progress=progress,
        )  # fmt: skip

    return cache.obtain(name, maven_key(pom), make) / "lib"
