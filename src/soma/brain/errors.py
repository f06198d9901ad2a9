"""What can go wrong in the brain, anticipated.

BrainError
├── RecallUnavailable      memory could not be asked; an empty answer is not an error
├── RememberUnavailable    memory could not be written; nothing of the batch is stored
├── NeverRemembered        an event asks to remember what memory can never take
├── EmbedderUnavailable    texts could not be turned into vectors
├── LinksUnavailable       links between memories could not be written; nothing is taken in
├── FeedbackOutOfOrder     an iteration arrived after a later one of its turn
└── IngestStopped          a document was cancelled, deleted or replaced while it was worked on
"""

from soma.base.errors import Conflict, InvalidInput, SomaError, Unavailable


class BrainError(SomaError):
    """The root of this tier's errors."""

    code = "brain_error"
    title = "The brain failed"


class RecallUnavailable(BrainError, Unavailable):
    """Memory could not be asked. The turn may go on without it, and says so."""

    code = "recall_unavailable"
    title = "Recall is not available"


class RememberUnavailable(BrainError, Unavailable):
    """Memory could not be written; nothing of the batch is stored, so it can be sent again whole."""

    code = "remember_unavailable"
    title = "Remember is not available"


class NeverRemembered(BrainError, InvalidInput):
    """An event asks to remember what memory can never take, however often it is asked."""

    code = "never_remembered"
    title = "This can never be remembered"


class EmbedderUnavailable(BrainError, Unavailable):
    """Texts could not be turned into vectors."""

    code = "embedder_unavailable"
    title = "Embedding is not available"


class LinksUnavailable(BrainError, Unavailable):
    """Links between memories could not be written; nothing is taken in, so it can be told again."""

    code = "links_unavailable"
    title = "Links are not available"


class FeedbackOutOfOrder(BrainError, Conflict):
    """Feedback for an iteration arrived after feedback for a later one of the same turn."""

    code = "feedback_out_of_order"
    title = "Feedback is out of order"


class IngestStopped(BrainError, Conflict):
    """A document was cancelled, deleted or replaced while it was worked on, or the process is to end."""

    code = "ingest_stopped"
    title = "Ingesting the document was stopped"
