"""Rego in this process, one interpreter per thread."""

import logging
import threading
import time
from pathlib import Path

from soma.policy.adapters.policy_files import BUILT_IN, PolicyFiles
from soma.policy.adapters.policy_vetting import vet
from soma.policy.adapters.rego_program import QUERY, RegoProgram
from soma.policy.domain.decision import Decision
from soma.policy.domain.policy_input import PolicyInput
from soma.policy.errors import InputNotDecidable, PolicyUnusable

log = logging.getLogger(__name__)


class _Loaded:
    """One reading of the policy directory, and what each thread made of it."""

    def __init__(self, directory: Path) -> None:
        self.fault: str | None = None
        self.digest = ""
        self._files: PolicyFiles | None = None
        self._of_thread = threading.local()
        self._compiling = threading.Lock()
        try:
            self._files = _read(directory)
            self.digest = self._files.digest
            self.program()
        except PolicyUnusable as error:
            self.fault = error.detail

    def program(self) -> RegoProgram:
        """This thread's program. Raises PolicyUnusable."""
        if self.fault is not None or self._files is None:
            raise PolicyUnusable(self.fault or "No policy is loaded.")
        program: RegoProgram | None = getattr(self._of_thread, "program", None)
        if program is None:
            with self._compiling:
                program = self._of_thread.program = RegoProgram(self._files)
        return program


def _read(directory: Path) -> PolicyFiles:
    files = PolicyFiles.read(directory)
    if directory != BUILT_IN:
        vet(files, QUERY)
    return files


class RegoPolicyEngine:
    """Policies from a directory, decided by rego-cpp. See PolicyEngine."""

    def __init__(self, directory: Path | None = None) -> None:
        self._directory = directory or BUILT_IN
        self._loaded = _Loaded(self._directory)

    @property
    def policy_hash(self) -> str:
        """See PolicyEngine."""
        return self._loaded.digest

    @property
    def fault(self) -> str | None:
        """See PolicyEngine."""
        return self._loaded.fault

    def reload(self) -> None:
        """See PolicyEngine."""
        self._loaded = _Loaded(self._directory)

    def decide(self, policy_input: PolicyInput) -> Decision:
        """See PolicyEngine."""
        started = time.perf_counter()
        loaded = self._loaded
        allow, reasons = _answer(loaded, policy_input)
        return Decision(
            allow=allow,
            reasons=reasons,
            policy_hash=loaded.digest,
            latency_ms=(time.perf_counter() - started) * 1000,
        )


def _answer(loaded: _Loaded, policy_input: PolicyInput) -> tuple[bool, tuple[str, ...]]:
    try:
        return loaded.program().answer(policy_input.document())
    except (PolicyUnusable, InputNotDecidable) as error:
        return False, (f"engine.{error.code}: {error.detail}",)
    except Exception as error:
        # The boundary of fail-closed: whatever else breaks here is a denial too, and is recorded.
        log.exception("a policy decision on %s failed", policy_input.action)
        return False, (f"engine.failed: {type(error).__name__} while deciding.",)
