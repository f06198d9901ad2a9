"""Recalled evidence, as one turn keeps it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True, kw_only=True, slots=True)
class EvidenceBlock:
    """One recalled memory by value, so that the turn can be replayed without recalling. `layer` is where it
    stood: at hand in the conversation ("working") or remembered for good ("long_term"); `probability` is its
    share of recall's selection, 0 where recall did not tell."""

    id: str
    content: str
    role: str
    occurred_at: datetime
    score: float
    confidence: float
    features: dict[str, float]
    provenance: dict[str, Any]
    layer: str = "long_term"
    probability: float = 0.0

    def sentence(self) -> str:
        """The block as the model reads it."""
        return f"- ({self.occurred_at:%Y-%m-%d}) {self.role} said: {self.content}"

    def to_dict(self) -> dict[str, Any]:
        """The JSON form that iterations keep."""
        return {
            "id": self.id,
            "content": self.content,
            "role": self.role,
            "occurred_at": self.occurred_at.isoformat(),
            "score": self.score,
            "confidence": self.confidence,
            "features": self.features,
            "provenance": self.provenance,
            "layer": self.layer,
            "probability": self.probability,
        }

    @classmethod
    def from_dict(cls, value: dict[str, Any]) -> "EvidenceBlock":
        """The inverse of to_dict."""
        return cls(**{**value, "occurred_at": datetime.fromisoformat(value["occurred_at"])})
