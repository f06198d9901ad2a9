"""What can go wrong in this tier beyond what every tier knows."""

from soma.base.errors import Conflict, Unavailable


class StoreUnavailable(Unavailable):
    """The key-value store does not answer, or not in time. What was asked may have happened."""

    code = "store_unavailable"
    title = "The key-value store does not answer"


class NotCountable(Conflict):
    """What stands under a key is no whole number, or would be none of 64 bits."""

    code = "not_countable"
    title = "The value cannot be counted"
