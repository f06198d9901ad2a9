"""How a namespace ranks: whom it follows, and what it has learned itself."""

import hashlib
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np

from soma.brain.domain.belief import Belief, Floats
from soma.brain.domain.signal_weights import SIGNALS, SignalWeights
from soma.brain.kernels.stake import STAKE, favour, share

EXPERTS = ("shipped", "agent", "namespace")
"""The weights as shipped; those that the agent has learned in all its namespaces; those learned in this
one."""

SHIPPED = Belief()
DOUBT = -1.0
"""Below this trust only the shipped weights count."""

ELSEWHERE = 0.2
"""In questions, the most of what an agent's weights have won elsewhere that a namespace without feedback
stakes beside the first stake: as much again. It may be of a kind that they do not suit."""

_NUMBERS = struct.Struct(">3d2Q")


@dataclass(frozen=True, kw_only=True, slots=True)
class RankingState:
    """What one namespace of an agent has learned from `questions` with feedback. `balance` is what the
    learned weights may still lose, see kernels.stake, and `lead` how many questions the namespace's own are
    ahead of the agent's; `trust` in the feedback is a log-likelihood ratio; `rollbacks` counts how often the
    namespace gave up what it had learned. Of what the agent has learned everywhere only `own` is kept and, as
    `lead`, how far that is ahead of the shipped weights."""

    own: Belief = field(default_factory=Belief)
    balance: float = STAKE
    lead: float = 0.0
    trust: float = 0.0
    questions: int = 0
    rollbacks: int = 0

    @classmethod
    def beginning(cls, everywhere: Self) -> Self:
        """What a namespace begins with that there is no feedback on: with some of what the agent's weights
        have won `everywhere`. Its own are learned from the shipped ones on: where the agent's do not suit, it
        has others."""
        return cls(balance=STAKE + min(max(everywhere.lead, 0.0), ELSEWHERE))

    def shares(self) -> Floats:
        """How much each of EXPERTS counts, (3,). Where feedback makes no sense only the shipped weights
        do."""
        if self.trust < DOUBT:
            return np.array([1.0, 0.0, 0.0])
        learned, own = share(self.balance), favour(self.lead)
        return np.array([1.0 - learned, learned * (1.0 - own), learned * own])

    def experts(self, agent: Belief) -> Floats:
        """The weights of each of EXPERTS, (3, k)."""
        return np.stack([SHIPPED.weights, agent.weights, self.own.weights])

    def weights(self, agent: Belief) -> SignalWeights:
        """What ranks: the experts' mean by their shares, which is again within the bounds. Where all of them
        agree it is what they say, to the bit."""
        experts = self.experts(agent)
        mixed = experts[0] + self.shares() @ (experts - experts[0])
        return SignalWeights(**dict(zip(SIGNALS, mixed.tolist(), strict=True)))

    @property
    def hash(self) -> str:
        """SHA3-512, 128 hex digits, of `to_bytes`: equal states, and only they, have equal hashes."""
        return hashlib.sha3_512(self.to_bytes()).hexdigest()

    def to_bytes(self) -> bytes:
        """The numbers, exact to the bit."""
        return (
            _NUMBERS.pack(self.balance, self.lead, self.trust, self.questions, self.rollbacks)
            + self.own.to_bytes()
        )

    @classmethod
    def from_bytes(cls, data: bytes | memoryview) -> Self:
        """The state whose `to_bytes` this is; see Belief.from_bytes."""
        balance, lead, trust, questions, rollbacks = _NUMBERS.unpack_from(data)
        return cls(
            own=Belief.from_bytes(bytes(data[_NUMBERS.size :])),
            balance=balance,
            lead=lead,
            trust=trust,
            questions=questions,
            rollbacks=rollbacks,
        )

    def to_dict(self) -> Mapping[str, Any]:
        """The state as a JSON object, with its hash."""
        return {
            "shares": dict(zip(EXPERTS, self.shares().tolist(), strict=True)),
            "learned": dict(zip(SIGNALS, self.own.mean, strict=True)),
            "trust": self.trust,
            "questions": self.questions,
            "rollbacks": self.rollbacks,
            "hash": self.hash,
        }
