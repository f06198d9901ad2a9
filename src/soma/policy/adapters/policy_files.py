"""The policy as it stands on disk: `*.rego` and, where there are tables, `data.json` (OPA's layout)."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from soma.base.canonical import json_bytes, sha256_hex
from soma.policy.errors import PolicyUnusable

BUILT_IN = Path(__file__).parent.parent / "policies"


@dataclass(frozen=True, kw_only=True, slots=True)
class PolicyFiles:
    """The text of one policy. `digest` is the SHA-256 (hex) over the names and contents of its files."""

    modules: tuple[tuple[str, str], ...]
    data: dict[str, Any]
    digest: str

    @classmethod
    def read(cls, directory: Path) -> "PolicyFiles":
        """The files of `directory`, in the order of their names. Raises PolicyUnusable."""
        try:
            modules = tuple((path.name, path.read_text()) for path in sorted(directory.glob("*.rego")))
            data = _tables(directory / "data.json")
        except (OSError, ValueError) as error:
            raise PolicyUnusable(f"The policy in {directory} cannot be read: {error}") from error
        if not modules:
            raise PolicyUnusable(f"There is no .rego file in {directory}.")
        for name, text in modules:
            if "\0" in text:
                raise PolicyUnusable(f"{name} holds a NUL, where the engine would stop reading.")
        return cls(modules=modules, data=data, digest=sha256_hex(json_bytes([modules, data])))


def _tables(path: Path) -> dict[str, Any]:
    if not path.exists():
        return {}
    tables = orjson.loads(path.read_bytes())
    if not isinstance(tables, dict):
        raise ValueError(f"{path.name} is not a JSON object")
    return tables
