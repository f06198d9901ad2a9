"""What an agent has learned: weights, neuromodulators, and the reward it has come to expect."""

import hashlib
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Any, Self

from soma.base.errors import InvalidInput
from soma.brain.domain.neuromodulators import NAMES, Neuromodulators
from soma.brain.domain.weights import FIELD_OF, Weights

LENGTH = len(FIELD_OF) + 2 * len(NAMES) + 2
_WEIGHTS = attrgetter(*FIELD_OF.values())
_LEVELS = attrgetter(*NAMES)
_DOUBLES = struct.Struct(f">{LENGTH}d")


@dataclass(frozen=True, kw_only=True, slots=True)
class LearnedState:
    """The state after `step` feedbacks. `resting` are the levels that neuromodulators fall back to, from
    the capsule; `reward_baseline` is r̂, in [0, 1]."""

    weights: Weights = field(default_factory=Weights)
    neuromodulators: Neuromodulators = field(default_factory=Neuromodulators)
    resting: Neuromodulators = field(default_factory=Neuromodulators)
    reward_baseline: float = 0.5
    step: int = 0

    @property
    def hash(self) -> str:
        """SHA3-512, 128 hex digits, of `to_bytes`: equal states, and only they, have equal hashes."""
        return hashlib.sha3_512(self.to_bytes()).hexdigest()

    def to_bytes(self) -> bytes:
        """`vector` as big-endian IEEE 754 doubles: exact to the bit, and a third of the bytes of JSON."""
        return _DOUBLES.pack(*self.vector())

    @classmethod
    def from_bytes(cls, data: bytes | memoryview) -> Self:
        """The state whose `to_bytes` this is. Raises ValueError for another length."""
        if len(data) != _DOUBLES.size:
            raise ValueError(f"A learned state has {_DOUBLES.size} bytes, this has {len(data)}")
        return cls.from_vector(_DOUBLES.unpack(data))

    def vector(self) -> tuple[float, ...]:
        """The state as 17 floats: weights, levels, resting levels, each in the order of their fields,
        then the baseline and the step."""
        return (
            *_WEIGHTS(self.weights),
            *_LEVELS(self.neuromodulators),
            *_LEVELS(self.resting),
            self.reward_baseline,
            float(self.step),
        )

    @classmethod
    def from_vector(cls, vector: Sequence[float]) -> Self:
        """The state whose `vector` this is. Raises ValueError for another length."""
        values = iter(vector)
        if len(vector) != LENGTH:
            raise ValueError(f"A learned state has {LENGTH} values, this has {len(vector)}")
        return cls(
            weights=Weights(**{name: next(values) for name in FIELD_OF.values()}),
            neuromodulators=Neuromodulators(**{name: next(values) for name in NAMES}),
            resting=Neuromodulators(**{name: next(values) for name in NAMES}),
            reward_baseline=next(values),
            step=int(next(values)),
        )

    def to_dict(self) -> dict[str, Any]:
        """The state as a JSON object, with its hash."""
        return {
            "weights": self.weights.to_dict(),
            "neuromodulators": self.neuromodulators.to_dict(),
            "resting": self.resting.to_dict(),
            "reward_baseline": self.reward_baseline,
            "step": self.step,
            "hash": self.hash,
        }

    @classmethod
    def from_dict(cls, value: Mapping[str, Any]) -> Self:
        """The state that `to_dict` gave, or a capsule's baseline, which may leave out anything: then the
        initial value stands, and `resting` is what `neuromodulators` says. Raises InvalidInput."""
        levels = value.get("neuromodulators", {})
        baseline, step = float(value.get("reward_baseline", 0.5)), int(value.get("step", 0))
        if not 0.0 <= baseline <= 1.0 or step < 0:
            raise InvalidInput(f"The reward baseline {baseline} after {step} steps is none: it takes 0 to 1")
        return cls(
            weights=Weights.from_dict(value.get("weights", {})),
            neuromodulators=Neuromodulators.from_dict(levels),
            resting=Neuromodulators.from_dict(value.get("resting", levels)),
            reward_baseline=baseline,
            step=step,
        )
