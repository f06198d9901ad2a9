"""What the command line asks of the wiring, which it cannot import."""

from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING, Any, Protocol

from soma.base.configuration import Configuration

if TYPE_CHECKING:
    # `somagent doctor` must run where Django cannot: it may be what is missing.
    from soma.interfaces.runtime import Runtime

Progress = Callable[[str], None]
"""Is told, in a few words, what is done now."""


class Boot(Protocol):
    """Starts this installation's parts, on demand."""

    @property
    def configuration(self) -> Configuration:
        """What the environment says. Raises NotReady naming the variable."""

    def start(
        self, progress: Progress, *, serve: bool = False, talks: bool = False
    ) -> "AbstractAsyncContextManager[Runtime]":
        """The running parts; on leaving they finish what they owe and stop. To serve and to talk take the
        models, which are loaded then; other uses load what they turn out to need. Raises NotReady."""

    def application(self) -> Callable[[Any, Any, Any], Awaitable[None]]:
        """The ASGI application."""

    def build_models(self, progress: Progress) -> list[str]:
        """Make the files that the local models need and check them; says what stands. Raises NotReady."""
