"""What can go wrong in storage, anticipated.

FractalMemoryError
├── QuotaExceeded      the tenant or the namespace is full
├── StoreUnavailable   the store does not answer
└── WrongDimensions    a vector of another length than the store keeps
"""

from soma.base.errors import InvalidInput, LimitExceeded, SomaError, Unavailable
from soma.fractalmemory.domain.usage import Exceeded


class FractalMemoryError(SomaError):
    """The root of this tier's errors."""

    code = "memory_store_error"
    title = "The memory store failed"


class StoreUnavailable(FractalMemoryError, Unavailable):
    """The store does not answer."""

    code = "memory_store_unavailable"
    title = "The memory store is not available"


class WrongDimensions(FractalMemoryError, InvalidInput):
    """A vector has another length than the store keeps."""

    code = "wrong_dimensions"
    title = "The vector has the wrong length"


class QuotaExceeded(FractalMemoryError, LimitExceeded):
    """What was to be stored is past a quota, named by `quota`; the transaction has to be rolled back."""

    code = "memory_quota_exceeded"
    title = "There is no room for more memories"

    def __init__(self, exceeded: Exceeded) -> None:
        LimitExceeded.__init__(
            self, exceeded.name, maximum=exceeded.maximum, actual=exceeded.used, unit=exceeded.unit
        )
        self.quota = exceeded.name
