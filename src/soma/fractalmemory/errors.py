"""What can go wrong in storage, anticipated.

FractalMemoryError
├── StoreUnavailable   the store does not answer
└── WrongDimensions    a vector of another length than the store keeps
"""

from soma.base.errors import InvalidInput, SomaError, Unavailable


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
