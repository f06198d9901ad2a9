"""From yes, no and no answer to decisions with reasons, alike for every store."""

import time
from collections.abc import Sequence

from soma.policy.domain.permission import PermissionCheck, PermissionDecision
from soma.policy.relations.schema import Schema
from soma.policy.relations.schema_rules import problem_of


class Answers:
    """Collects what became of some checks, from when it is made. `sensible` are those worth asking about."""

    def __init__(self, engine: str, schema: Schema, checks: Sequence[PermissionCheck]) -> None:
        self._started = time.perf_counter()
        self._engine = engine
        self._checks = checks
        self._problems = [problem_of(schema, check) for check in checks]
        self.sensible = [
            check for check, problem in zip(checks, self._problems, strict=True) if problem is None
        ]

    @property
    def elapsed_ms(self) -> float:
        """Milliseconds since the checks were asked."""
        return (time.perf_counter() - self._started) * 1000

    def decided(
        self, answers: Sequence[bool | str | None], *, otherwise: str = ""
    ) -> tuple[PermissionDecision, ...]:
        """The decisions. `answers` to the sensible checks are yes, no, or the reason why there is none;
        None stands for the reason `otherwise`."""
        given, elapsed = iter(answers), self.elapsed_ms
        found = [problem or next(given) for problem in self._problems]
        return tuple(
            self._decision(check, otherwise if answer is None else answer, elapsed)
            for check, answer in zip(self._checks, found, strict=True)
        )

    def _decision(self, check: PermissionCheck, answer: bool | str, elapsed: float) -> PermissionDecision:
        failed = isinstance(answer, str)
        if failed:
            said = f"{answer}."
        else:
            said = "permitted." if answer else "no relation of the caller's permits it."
        return PermissionDecision(
            check=check,
            allow=answer is True,
            reason=f"relations.{check.name}: {said}",
            engine=self._engine,
            latency_ms=elapsed,
            failed=failed,
        )
