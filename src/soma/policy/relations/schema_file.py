"""The schema that is delivered."""

from functools import cache
from pathlib import Path

from soma.policy.relations.schema import Schema
from soma.policy.relations.zed_parser import parse

BUILT_IN = Path(__file__).parent / "schema.zed"


@cache
def built_in_schema() -> Schema:
    """What schema.zed says. Raises SchemaRefused."""
    return parse(BUILT_IN.read_text())
