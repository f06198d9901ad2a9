"""What is remembered of a server is private, whole, and never guessed."""

from pathlib import Path

import pytest

from soma.base.errors import Unavailable
from soma.project.stack.record import NAME, Record, read_record, remove_record, write_private, write_record

pytestmark = pytest.mark.req("STACK-001")
RECORD = Record(pid=1, started="x:2", port=3, inner_port=4, version="5", how="built", plan="6")


def test_it_is_remembered_and_forgotten(tmp_path: Path) -> None:
    assert read_record(tmp_path) is None
    write_record(tmp_path, RECORD)
    assert read_record(tmp_path) == RECORD
    remove_record(tmp_path)
    assert read_record(tmp_path) is None


def test_only_its_owner_reads_it(tmp_path: Path) -> None:
    write_record(tmp_path, RECORD)
    assert (tmp_path / NAME).stat().st_mode & 0o777 == 0o600


def test_a_writing_that_fails_leaves_the_old_one(tmp_path: Path) -> None:
    write_record(tmp_path, RECORD)
    with pytest.raises(TypeError):
        write_private(tmp_path / NAME, {"pid": object()})

    assert read_record(tmp_path) == RECORD
    assert [path.name for path in tmp_path.iterdir()] == [NAME]


@pytest.mark.parametrize("text", ["", "{", "[]", '{"pid": 1}', '{"process": 1}'])
def test_one_that_cannot_be_understood_is_no_absent_one(tmp_path: Path, text: str) -> None:
    (tmp_path / NAME).write_text(text)
    with pytest.raises(Unavailable, match=r"server\.json cannot be read"):
        read_record(tmp_path)
