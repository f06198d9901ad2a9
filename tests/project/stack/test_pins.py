"""The pinned versions are read from the checkout, and are those of this issue's stack."""

from pathlib import Path

import pytest

from soma.base.errors import Unavailable
from soma.project.stack import pins
from soma.project.stack.opa import MODULE as OPA
from soma.project.stack.pins import go_version, maven_version
from soma.project.stack.spicedb import MODULE as SPICEDB
from soma.project.stack.temporal import MODULE as TEMPORAL

pytestmark = pytest.mark.req("STACK-001")


def test_each_is_pinned_to_one_version() -> None:
    versions = [
        go_version("go.mod", OPA),
        go_version("go.mod", SPICEDB),
        go_version("temporal/go.mod", TEMPORAL),
        maven_version("kafka/pom.xml", "kafka_2.13"),
    ]
    assert all(part.isdecimal() for version in versions for part in version.split("."))
    assert maven_version("kafka/pom.xml", "kafka-tools") == versions[-1]


def test_what_is_not_pinned_is_said() -> None:
    with pytest.raises(Unavailable, match=r"stack/go\.mod does not pin example\.org/other"):
        go_version("go.mod", "example.org/other")


def test_without_the_checkout_that_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pins, "CHECKOUT", tmp_path)
    with pytest.raises(Unavailable, match="is in the source tree of SomaStack and not in its package"):
        go_version("go.mod", OPA)
