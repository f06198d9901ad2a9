"""How a namespace ranks: whom it follows, and what it has learned itself."""

import hashlib
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np

from soma.brain.domain.belief import Belief, Floats
from soma.brain.domain.signal_weights import SIGNALS, SignalWeights
from soma.brain.kernels.gain import shares

EXPERTS = ("shipped", "agent", "namespace")
"""The weights as shipped; those that the agent has learned in all its namespaces; those learned in this
one."""

SHIPPED = Belief()
DOUBT = -1.0
"""Below this trust only the shipped weights count."""

ELSEWHERE = 1.0 / 3.0
"""In questions, the most of what an agent's weights have won elsewhere that counts in a namespace without
feedback: half of the shipped weights' head start. It may be of a kind that they do not suit; a question or
two take that back."""

_NUMBERS = struct.Struct(">3d2Q")


@dataclass(frozen=True, kw_only=True, slots=True)
class RankingState:
    """What one namespace of an agent has learned from `questions` with feedback; of what it has learned
    everywhere, only `own` and the agent's advantage are kept. `advantages` over the shipped weights are the
    agent's and the namespace's own; `trust` in the feedback is a log-likelihood ratio; `rollbacks` counts how
    often the namespace gave up what it had learned."""

    own: Belief = field(default_factory=Belief)
    advantages: tuple[float, float] = (0.0, 0.0)
    trust: float = 0.0
    questions: int = 0
    rollbacks: int = 0

    @classmethod
    def beginning(cls, everywhere: Self) -> Self:
        """What a namespace begins with that there is no feedback on: with what the agent has learned
        `everywhere`, and with some of the credit that this has earned there."""
        earned = min(everywhere.advantages[0], ELSEWHERE)
        return cls(own=Belief.around(everywhere.own.mean), advantages=(earned, earned))

    def shares(self) -> Floats:
        """How much each of EXPERTS counts, (3,). Where feedback makes no sense only the shipped weights
        do."""
        if self.trust < DOUBT:
            return np.array([1.0, 0.0, 0.0])
        return shares(np.array([0.0, *self.advantages]))

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
            _NUMBERS.pack(*self.advantages, self.trust, self.questions, self.rollbacks) + self.own.to_bytes()
        )

    @classmethod
    def from_bytes(cls, data: bytes | memoryview) -> Self:
        """The state whose `to_bytes` this is; see Belief.from_bytes."""
        agent, own, trust, questions, rollbacks = _NUMBERS.unpack_from(data)
        return cls(
            own=Belief.from_bytes(bytes(data[_NUMBERS.size :])),
            advantages=(agent, own),
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
