"""A compiled policy, for one thread."""

from typing import Any

from regopy import Interpreter, LogLevel, RegoError

from soma.policy.adapters.decision_document import read_decision
from soma.policy.adapters.policy_files import PolicyFiles
from soma.policy.adapters.rego_input import RegoInput
from soma.policy.errors import PolicyUnusable

QUERY = "answer = data.soma.decision"


class RegoProgram:
    """`data.soma.decision` of a policy.

    Must be made and used by one thread: a rego-cpp interpreter that two threads share gives wrong
    answers and crashes.
    """

    def __init__(self, files: PolicyFiles) -> None:
        """Compile `files` and see that they answer. Raises PolicyUnusable."""
        self._interpreter = Interpreter()
        self._interpreter.log_level = LogLevel.NONE  # it writes to standard output otherwise
        try:
            for name, text in files.modules:
                self._interpreter.add_module(name, text)
            self._interpreter.add_data(files.data)
            self._bundle = self._interpreter.build(QUERY)
        except RegoError as error:
            raise PolicyUnusable(f"The policy does not compile: {error}") from error
        self.answer({})

    def answer(self, document: dict[str, Any]) -> tuple[bool, tuple[str, ...]]:
        """Whether the policy allows, and its reasons. Raises PolicyUnusable and InputNotDecidable."""
        self._interpreter.set_input(RegoInput(document))
        try:
            output = self._interpreter.query_bundle(self._bundle)
        except (RegoError, ValueError, RecursionError) as error:
            raise PolicyUnusable(f"The policy failed: {error}") from error
        if not output.ok() or len(output) != 1 or "answer" not in output[0].bindings:
            raise PolicyUnusable("data.soma.decision has no value, or more than one, for this input.")
        return read_decision(output[0].bindings["answer"])
