"""A server that came as a Python package."""

from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path

from soma.base.errors import Unavailable


def wheel_directory(package: str) -> Path:
    """Where the package `package` is installed. It is not imported. Raises Unavailable."""
    found = find_spec(package)
    if found is None or found.origin is None:
        raise Unavailable(f"the Python package {package} is not installed here; `make stack` installs it")
    return Path(found.origin).parent


def wheel_version(distribution: str) -> str:
    """The version of an installed distribution. Raises Unavailable."""
    try:
        return version(distribution)
    except PackageNotFoundError:
        raise Unavailable(
            f"the Python package {distribution} is not installed here; `make stack` installs it"
        ) from None
