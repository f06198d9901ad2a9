"""The two forms of the exported model."""

from enum import StrEnum


class Precision(StrEnum):
    """How the exported model multiplies."""

    FLOAT32 = "float32"
    INT8 = "int8"

    @property
    def least_cosine(self) -> float:
        """The least cosine to a reference vector with which an export passes."""
        return 0.9999 if self is Precision.FLOAT32 else 0.99
