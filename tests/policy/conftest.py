"""The engine on our own policies, and on whatever a test writes."""

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from soma.policy.adapters.policy_engine_rego import RegoPolicyEngine
from soma.policy.api import PolicyEngine


@pytest.fixture(scope="session")
def engine() -> PolicyEngine:
    """The policies that are delivered."""
    return RegoPolicyEngine()


@pytest.fixture
def engine_of(tmp_path: Path) -> Callable[[Mapping[str, str | bytes]], RegoPolicyEngine]:
    """An engine on files given as name → content."""

    def write(files: Mapping[str, str | bytes]) -> RegoPolicyEngine:
        for name, content in files.items():
            (tmp_path / name).write_bytes(content if isinstance(content, bytes) else content.encode())
        return RegoPolicyEngine(tmp_path)

    return write
