"""How far recall's confidence can be trusted."""

from soma.interfaces.http.documents.base import Given


class Bin(Given):
    """Of `count` confidences within a tenth of [0, 1]: their mean, and the share that was relevant."""

    count: int
    confidence: float
    accuracy: float


class CalibrationReport(Given):
    """The `method` in use, and the expected calibration error over the `marks` it was fitted on: of the
    shipped curve (before) and of the method, out of sample (after). `pending` marks came later."""

    method: str
    marks: int
    relevant: int
    pending: int
    ece_before: float
    ece_after: float
    bins: list[Bin]
