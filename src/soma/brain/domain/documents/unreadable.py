"""Why a document cannot be read."""

from enum import StrEnum

from soma.base.errors import InvalidInput


class Reason(StrEnum):
    """What is wrong with a document, for programs."""

    NO_TEXT = "no_text"
    NOT_TEXT = "not_text"
    WRONG_TYPE = "wrong_type"
    UNKNOWN_ENCODING = "unknown_encoding"
    ENCRYPTED = "encrypted"
    DAMAGED = "damaged"
    LIMIT = "limit"


class Unreadable(InvalidInput):
    """A document that cannot be read. `detail` says why, and names the limit where one was met."""

    code = "document_unreadable"
    title = "The document cannot be read"

    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(detail, reason=str(reason))
        self.reason = reason
