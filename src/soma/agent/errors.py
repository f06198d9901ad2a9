"""What can go wrong in a turn and is expected to.

AgentError
├── LeaseLost          another process runs this turn now
├── ModelUnavailable   no model answers
├── NotReexecutable    a turn cannot be run again here
├── ToolFailed         a tool ran and did not succeed
└── TurnAbandoned      a turn has crashed its process too often
"""

from soma.base.errors import Conflict, SomaError, Unavailable


class AgentError(SomaError):
    """Root of this tier's errors."""

    code = "agent_error"
    title = "The agent could not do this"


class LeaseLost(AgentError):
    """The lease of the turn has passed to another process, which goes on from the last commit."""

    code = "lease_lost"
    title = "Another process runs this turn"


class ModelUnavailable(AgentError, Unavailable):
    """The model does not answer, or not in time."""

    code = "model_unavailable"
    title = "The model does not answer"


class NotReexecutable(AgentError, Conflict):
    """The model that answered is no model of this machine, or not the same bytes twice. The turn can still be
    verified."""

    code = "not_reexecutable"
    title = "The turn cannot be run again here"


class ToolFailed(AgentError):
    """The tool reported a failure; the model is told."""

    code = "tool_failed"
    title = "The tool failed"


class TurnAbandoned(AgentError):
    """The turn was taken over more often than is allowed."""

    code = "turn_abandoned"
    title = "The turn was given up"
