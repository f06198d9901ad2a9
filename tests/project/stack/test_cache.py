"""What is built is built once, whole or not at all."""

import threading
from pathlib import Path

import pytest

from soma.base.errors import Unavailable
from soma.project.stack.cache import cache_directory, cached, digest, obtain

pytestmark = pytest.mark.req("STACK-001")


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The cache of this test."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return cache_directory()


def write(directory: Path) -> None:
    """A build that takes nothing."""
    (directory / "program").write_text("built")


def test_it_is_made_once(own_cache: Path) -> None:
    assert cached("opa", "k") is None
    place = obtain("opa", "k", write)
    assert place == own_cache / "opa" / "k" == cached("opa", "k")

    def never(directory: Path) -> None:
        raise AssertionError("built again")

    assert obtain("opa", "k", never) == place


def test_a_failed_build_leaves_nothing(own_cache: Path) -> None:
    def fail(directory: Path) -> None:
        write(directory)
        raise Unavailable("no compiler")

    with pytest.raises(Unavailable):
        obtain("opa", "k", fail)

    assert cached("opa", "k") is None
    assert [path.name for path in (own_cache / "opa").iterdir()] == ["lock"]


def test_an_interrupted_build_leaves_nothing(own_cache: Path) -> None:
    def interrupt(directory: Path) -> None:
        write(directory)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        obtain("opa", "k", interrupt)

    assert [path.name for path in (own_cache / "opa").iterdir()] == ["lock"]


def test_builders_at_once_build_once() -> None:
    begun, finish, builds = threading.Event(), threading.Event(), []

    def slow(directory: Path) -> None:
        builds.append(directory)
        begun.set()
        assert finish.wait(10)

    builders = [threading.Thread(target=obtain, args=("opa", "k", slow)) for _ in range(3)]
    for builder in builders:
        builder.start()
    assert begun.wait(10)
    finish.set()
    for builder in builders:
        builder.join()

    assert len(builds) == 1


def test_a_key_tells_parts_apart() -> None:
    assert digest("ab", "c") != digest("a", "bc")
    assert digest("ab") == digest(b"ab")
