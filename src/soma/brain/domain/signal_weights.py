"""What the signals of recall count for where nothing has been learned."""

from dataclasses import asdict, dataclass, fields


@dataclass(frozen=True, kw_only=True, slots=True)
class SignalWeights:
    """In standard deviations of the candidates' own scores for `dense`, `lexical` and what is derived from
    them; per unit for the others, which lie in [0, 1].

    Round numbers, set by hand: changing any of them by half changes little. On conversations between people
    (LoCoMo) most of the gain comes from `speaker` (who is asked about), `reply` (what answers a question that
    matches) and `dense` with `lexical`; where messages are long, what is derived from neighbours and sessions
    fades (see services.signals). `next` has never paid by itself; it is there to be learned. `graph` is 0 but
    for what is linked: a link of conductance 1 from the best evidence adds 1 to the sum, an old or weak one
    hardly anything.
    """

    dense: float = 0.6
    lexical: float = 0.4
    speaker: float = 1.0
    reply: float = 0.5
    previous: float = 0.1
    next: float = 0.0
    session_best: float = 0.2
    session_lexical: float = 0.2
    date: float = 0.5
    time: float = 0.5
    length: float = 0.5
    question: float = -0.5
    recency: float = 0.1
    graph: float = 2.0

    def to_dict(self) -> dict[str, float]:
        """Signal → weight."""
        return asdict(self)


SIGNALS = tuple(field.name for field in fields(SignalWeights))
"""The signals, in the order in which they are summed."""
