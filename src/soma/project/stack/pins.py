"""The pinned versions, in `stack/` of the checkout."""

import re
from pathlib import Path

from soma.base.errors import Unavailable

CHECKOUT = Path(__file__).resolve().parents[4]


def pin_file(path: str) -> Path:
    """The file `stack/<path>`. Raises Unavailable where SomaStack is installed without its checkout."""
    found = CHECKOUT / "stack" / path
    if not found.is_file():
        raise Unavailable(
            f"stack/{path}, which pins it, is in the source tree of SomaStack and not in its package; "
            "run this from a checkout"
        )
    return found


def go_version(path: str, module: str) -> str:
    """The version of `module` that the go.mod at `stack/<path>` pins, without its v."""
    match = re.search(
        rf"^\s*(?:require )?{re.escape(module)} v(\S+)", pin_file(path).read_text(), re.MULTILINE
    )
    if match is None:
        raise Unavailable(f"stack/{path} does not pin {module}")
    return match[1]


def maven_version(path: str, artifact: str) -> str:
    """The version of `artifact` that the pom at `stack/<path>` pins."""
    pattern = rf"<artifactId>{re.escape(artifact)}</artifactId>\s*<version>([^<]+)</version>"
    match = re.search(pattern, pin_file(path).read_text())
    if match is None:
        raise Unavailable(f"stack/{path} does not pin {artifact}")
    return match[1]
