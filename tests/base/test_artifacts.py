"""Model files are found without importing their packages, and used only when they are the published ones."""

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from soma.base.artifacts import (
    ARTIFACTS,
    Artifact,
    ArtifactMismatch,
    ArtifactMissing,
    check,
    drafted,
    file_sha256,
    locate,
    require,
)
from soma.base.canonical import sha256_hex

pytestmark = pytest.mark.req("BASE-001")

CONTENT = b"weights" * 1000
MODEL = Artifact(distribution="a-model", path="a_model/data/weights.bin", sha256=sha256_hex(CONTENT))

LOOK_FOR_ALL = """
import sys
from soma.base.artifacts import ARTIFACTS, locate
packages = {artifact.path.partition("/")[0] for artifact in ARTIFACTS if locate(artifact)}
assert len(packages) == 2 and not packages & sys.modules.keys(), packages
assert "django" not in sys.modules
"""


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    """A file of an installed wheel, under `tmp_path`/site."""
    path = tmp_path / "site" / MODEL.path
    path.parent.mkdir(parents=True)
    path.write_bytes(CONTENT)
    return path


def stamp_of(path: Path, stamps: Path) -> Path:
    """The stamp of a file, as it is when the file has not changed for an hour before it was hashed."""
    file_sha256(path, stamps=stamps)
    (stamp,) = stamps.iterdir()
    later = path.stat().st_ctime_ns + 3_600_000_000_000
    os.utime(stamp, ns=(later, later))
    return stamp


@pytest.mark.parametrize("artifact", ARTIFACTS, ids=lambda artifact: Path(artifact.path).name)
def test_the_installed_wheels_carry_the_pinned_files(artifact: Artifact, tmp_path: Path) -> None:
    assert require(artifact, stamps=tmp_path).is_file()


def test_looking_for_a_file_imports_no_package() -> None:
    subprocess.run([sys.executable, "-c", LOOK_FOR_ALL], check=True)


def test_a_file_is_found_in_the_first_directory_that_has_it(installed: Path, tmp_path: Path) -> None:
    site = str(tmp_path / "site")
    assert locate(MODEL, [str(tmp_path / "nowhere"), site]) == installed
    with pytest.raises(ArtifactMissing, match=r"a-model.*make install"):
        locate(MODEL, [str(tmp_path / "nowhere")])


def test_a_file_with_another_content_is_refused(installed: Path, tmp_path: Path) -> None:
    other = replace(MODEL, sha256=sha256_hex(b"another"))
    with pytest.raises(ArtifactMismatch, match=f"{MODEL.sha256}.*{other.sha256}"):
        require(other, stamps=tmp_path / "stamps", search_path=[str(tmp_path / "site")])


def test_a_checked_file_is_not_read_again(installed: Path, tmp_path: Path) -> None:
    stamp = stamp_of(installed, tmp_path / "stamps")
    times, told = stamp.stat(), "0" * 64
    stamp.write_text(stamp.read_text().replace(MODEL.sha256, told))
    os.utime(stamp, ns=(times.st_atime_ns, times.st_mtime_ns))
    assert file_sha256(installed, stamps=tmp_path / "stamps") == told


def test_a_file_that_has_just_changed_is_read_again(installed: Path, tmp_path: Path) -> None:
    file_sha256(installed, stamps=tmp_path / "stamps")
    (stamp,) = (tmp_path / "stamps").iterdir()
    stamp.write_text(stamp.read_text().replace(MODEL.sha256, "0" * 64))
    assert file_sha256(installed, stamps=tmp_path / "stamps") == MODEL.sha256


def test_a_changed_file_is_read_again(installed: Path, tmp_path: Path) -> None:
    stamp_of(installed, tmp_path / "stamps")
    installed.write_bytes(CONTENT + b"!")
    with pytest.raises(ArtifactMismatch):
        check(installed, MODEL.sha256, stamps=tmp_path / "stamps")


def test_setting_the_old_time_back_does_not_hide_a_change(installed: Path, tmp_path: Path) -> None:
    before = installed.stat()
    stamp_of(installed, tmp_path / "stamps")
    installed.write_bytes(CONTENT[:-1] + b"!")
    while (
        installed.stat().st_ctime_ns == before.st_ctime_ns
        or installed.stat().st_mtime_ns != before.st_mtime_ns
    ):
        os.utime(installed, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert (installed.stat().st_size, installed.stat().st_mtime_ns) == (before.st_size, before.st_mtime_ns)
    with pytest.raises(ArtifactMismatch):
        check(installed, MODEL.sha256, stamps=tmp_path / "stamps")


@pytest.mark.parametrize("damage", [b"", b"{", b"[]", b"{}", b"\xff"])
def test_a_damaged_stamp_is_no_stamp(damage: bytes, installed: Path, tmp_path: Path) -> None:
    stamp_of(installed, tmp_path / "stamps").write_bytes(damage)
    assert file_sha256(installed, stamps=tmp_path / "stamps") == MODEL.sha256


def test_files_of_one_name_have_stamps_of_their_own(installed: Path, tmp_path: Path) -> None:
    namesake = tmp_path / installed.name
    namesake.write_bytes(b"another")
    stamps = tmp_path / "stamps"
    assert file_sha256(installed, stamps=stamps) != file_sha256(namesake, stamps=stamps)
    assert file_sha256(installed, stamps=stamps) == MODEL.sha256


def test_a_draft_replaces_the_file_or_leaves_nothing(tmp_path: Path) -> None:
    path = tmp_path / "made" / "file"
    with drafted(path) as draft:
        draft.write_text("whole")
        assert not path.exists()
    with pytest.raises(ZeroDivisionError), drafted(path) as draft:
        draft.write_text(str(1 / 0))
    assert [(kept.name, kept.read_text()) for kept in path.parent.iterdir()] == [("file", "whole")]
