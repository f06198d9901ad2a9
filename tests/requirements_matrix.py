"""Which tests prove which requirement: `make requirements`.

Reads docs/requirements.toml and the `@pytest.mark.req(...)` marks in the tests' source, without running
them. Exits with 1 when a requirement of a finished phase has no test, a mark names an unknown id, or a test
names none.
"""

import argparse
import ast
import json
import sys
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TextIO

ROOT = Path(__file__).resolve().parent.parent

Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


@dataclass(frozen=True, kw_only=True, slots=True)
class Requirement:
    """One line of docs/requirements.toml."""

    id: str
    text: str
    phase: int
    seed: str


@dataclass(frozen=True, kw_only=True, slots=True)
class MarkedTest:
    """A test, and the requirements it says it proves."""

    name: str
    ids: frozenset[str]


@dataclass(frozen=True, kw_only=True, slots=True)
class Matrix:
    """Requirements against tests. `faults` are sentences; none means that the tree keeps its word."""

    requirements: tuple[Requirement, ...]
    finished_phases: frozenset[int]
    tests: tuple[MarkedTest, ...]

    def proofs(self, requirement: Requirement) -> list[str]:
        """The names of the tests that prove it."""
        return [test.name for test in self.tests if requirement.id in test.ids]

    def faults(self) -> list[str]:
        """What makes `make requirements` fail."""
        known = {requirement.id for requirement in self.requirements}
        unproved = (
            f"{requirement.id} belongs to a finished phase ({requirement.phase}) and no test proves it"
            for requirement in self.requirements
            if requirement.phase in self.finished_phases and not self.proofs(requirement)
        )
        unknown = (
            f"{test.name} names {name}, which is no requirement"
            for test in self.tests
            for name in sorted(test.ids - known)
        )
        unmarked = (f"{test.name} names no requirement" for test in self.tests if not test.ids)
        return [*unproved, *unknown, *unmarked]


def read_matrix(root: Path = ROOT) -> Matrix:
    """The matrix of the tree at `root`."""
    document = tomllib.loads((root / "docs" / "requirements.toml").read_text())
    return Matrix(
        requirements=tuple(Requirement(**entry) for entry in document["requirement"]),
        finished_phases=frozenset(phase["number"] for phase in document["phase"] if phase["finished"]),
        tests=tuple(
            test for path in sorted((root / "tests").rglob("test_*.py")) for test in _tests_in(path, root)
        ),
    )


def _tests_in(path: Path, root: Path) -> Iterator[MarkedTest]:
    module = ast.parse(path.read_text(), str(path))
    inherited = _marks_of_body(module.body)
    yield from _tests_of(module.body, inherited, path.relative_to(root).as_posix())


def _tests_of(body: Sequence[ast.stmt], inherited: frozenset[str], prefix: str) -> Iterator[MarkedTest]:
    for node in body:
        if not isinstance(node, Definition):
            continue
        name, ids = f"{prefix}::{node.name}", inherited | _marks(node.decorator_list)
        if isinstance(node, ast.ClassDef):
            yield from _tests_of(node.body, ids | _marks_of_body(node.body), name)
        elif node.name.startswith("test"):
            yield MarkedTest(name=name, ids=ids)


def _marks_of_body(body: Sequence[ast.stmt]) -> frozenset[str]:
    """The ids in `pytestmark = ...` of a module or class."""
    assignments = (node for node in body if isinstance(node, ast.Assign))
    values = [node.value for node in assignments if ast.unparse(node.targets[0]) == "pytestmark"]
    return _marks(values)


def _marks(expressions: Sequence[ast.expr]) -> frozenset[str]:
    return frozenset(
        str(ast.literal_eval(argument))
        for expression in expressions
        for node in ast.walk(expression)
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "pytest.mark.req"
        for argument in node.args
    )


def print_text(matrix: Matrix, out: TextIO) -> None:
    """For people: each requirement with the tests that prove it, then a summary."""
    for requirement in matrix.requirements:
        proofs = matrix.proofs(requirement)
        if not proofs and requirement.phase not in matrix.finished_phases:
            continue
        print(f"{requirement.id}  phase {requirement.phase}  {requirement.text}", file=out)
        print("".join(f"    {name}\n" for name in proofs) or "    no test\n", end="", file=out)
    finished = [entry for entry in matrix.requirements if entry.phase in matrix.finished_phases]
    proved = sum(bool(matrix.proofs(entry)) for entry in finished)
    print(f"\n{proved} of {len(finished)} requirements of finished phases are proved; ", end="", file=out)
    print(f"{len(matrix.requirements) - len(finished)} belong to later phases.", file=out)


def print_json(matrix: Matrix, out: TextIO) -> None:
    """For programs: one document."""
    rows = [{**asdict(entry), "tests": matrix.proofs(entry)} for entry in matrix.requirements]
    json.dump({"requirements": rows, "faults": matrix.faults()}, out, indent=2)
    out.write("\n")


def main(arguments: Sequence[str] | None = None, *, root: Path = ROOT) -> int:
    """Print the matrix; the exit code says whether it is whole."""
    parser = argparse.ArgumentParser(description="Which tests prove which requirement.")
    parser.add_argument("--json", action="store_true", help="one JSON document instead of text")
    matrix = read_matrix(root)
    (print_json if parser.parse_args(arguments).json else print_text)(matrix, sys.stdout)
    faults = matrix.faults()
    for fault in faults:
        print(fault, file=sys.stderr)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
