"""What can go wrong in the brain, anticipated.

BrainError
├── RecallUnavailable      memory could not be asked; an empty answer is not an error
├── RememberUnavailable    memory could not be written; nothing of the batch is stored
├── NeverRemembered        an event asks to remember what memory can never take
├── EmbedderUnavailable    texts could not be turned into vectors
├── LinksUnavailable       links between memories could not be written; nothing is taken in
├── IngestStopped          a document was cancelled, deleted or replaced while it was worked on
├── CapsuleRefused         a memory capsule is not what it should be
├── CapsuleTooLarge        it is past a limit
├── CapsuleIssuerUnknown   its issuer is not trusted
├── CapsuleConflict        it does not fit what stands, or is revoked
├── CapsuleQuotaExceeded   there is no room left for it
└── FeedbackOutOfOrder     an iteration arrived after a later one of its turn
"""

from soma.base.errors import Conflict, Denied, InvalidInput, LimitExceeded, SomaError, Unavailable


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


class CapsuleRefused(BrainError, InvalidInput):
    """A memory capsule is not what it should be; `reason` is a CapsuleFault."""

    code = "capsule_refused"
    title = "The memory capsule is not valid"

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(detail, reason=str(reason))
        self.reason = reason


class CapsuleTooLarge(BrainError, LimitExceeded):
    """A memory capsule is past a limit; `reason` is a CapsuleFault, and the limit is named as everywhere."""

    code = LimitExceeded.code
    title = LimitExceeded.title

    def __init__(self, reason: str, limit: str, *, maximum: int, actual: int, unit: str) -> None:
        super().__init__(limit, maximum=maximum, actual=actual, unit=unit)
        self.reason = reason
        self.extra["reason"] = str(reason)


class CapsuleIssuerUnknown(BrainError, Denied):
    """A memory capsule was issued by a key that this tenant does not trust."""

    code = "capsule_issuer_unknown"
    title = "The issuer is not trusted"
    reason = "unknown_issuer"

    def __init__(self, issuer: str) -> None:
        super().__init__(f"the tenant does not trust the key {issuer}", reason=self.reason)


class CapsuleConflict(BrainError, Conflict):
    """A memory capsule does not fit what stands, or is revoked; `reason` is a CapsuleFault."""

    code = "capsule_conflict"
    title = "The memory capsule does not fit what stands"

    def __init__(self, reason: str, detail: str, **extra: object) -> None:
        super().__init__(detail, reason=str(reason), **extra)
        self.reason = reason


class CapsuleQuotaExceeded(BrainError, Conflict):
    """A tenant's capsules would take more than its quota; the quota is named with its value and unit."""

    code = "quota_exceeded"
    title = "A quota is exceeded"

    def __init__(self, limit: str, *, maximum: int, actual: int, unit: str) -> None:
        super().__init__(
            f"{limit} would be {actual} {unit}; the quota is {maximum} {unit}",
            limit=limit,
            maximum=maximum,
            actual=actual,
            unit=unit,
        )
