"""How well a ranking finds the evidence (the definitions of LoCoMo's scorer)."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

import numpy as np

DISCOUNT = 1.0 / np.log2(np.arange(2, 12))


@dataclass(frozen=True, kw_only=True, slots=True)
class Metrics:
    """Of one ranking: shares of the evidence among the first k, the reciprocal rank of the first evidence,
    and the discounted gain of the first ten against the best there could be."""

    recall_at_5: float
    recall_at_10: float
    recall_at_20: float
    mrr: float
    ndcg_at_10: float


def measure(ranked: Sequence[str], evidence: Sequence[str]) -> Metrics:
    """The metrics of `ranked`, best first."""
    wanted = set(evidence)
    hits = np.array([each in wanted for each in dict.fromkeys(ranked)] + [False] * 20, dtype=float)
    first = np.flatnonzero(hits)
    return Metrics(
        recall_at_5=hits[:5].sum() / len(wanted),
        recall_at_10=hits[:10].sum() / len(wanted),
        recall_at_20=hits[:20].sum() / len(wanted),
        mrr=1.0 / (first[0] + 1) if len(first) else 0.0,
        ndcg_at_10=float((hits[:10] * DISCOUNT).sum() / DISCOUNT[: len(wanted)].sum()),
    )


def mean_percent(measured: Sequence[Metrics]) -> Mapping[str, float]:
    """The mean of each metric, in percent."""
    rows = [asdict(each) for each in measured]
    return {name: round(100.0 * float(np.mean([row[name] for row in rows])), 1) for name in rows[0]}
