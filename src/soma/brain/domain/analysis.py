"""How far the analysis of memories that were stored without one is."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class Analysis:
    """So many were `analysed` since the start; `running` while there may be more."""

    analysed: int
    running: bool
