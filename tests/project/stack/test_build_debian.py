"""A server out of Debian's packages, unpacked and not installed."""

import subprocess

import pytest

from soma.base.errors import Unavailable
from soma.project.stack.build_debian import unpack_debian
from tests.servers import do_without

pytestmark = pytest.mark.req("STACK-001")


def quiet(_: str) -> None:
    """Nobody watches."""


def test_a_program_runs_with_the_libraries_it_brings() -> None:
    try:
        found = unpack_debian("redis-server", progress=quiet, libraries=True)
    except Unavailable as error:
        do_without("Debian's redis-server", error.detail)

    said = subprocess.run(
        [found.root / "usr/bin/redis-server", "--version"],
        env=dict(found.environment),
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert f"v={found.version}" in said


def test_an_unknown_package_is_said() -> None:
    with pytest.raises(Unavailable, match="no-such-package"):
        unpack_debian("no-such-package", progress=quiet)
