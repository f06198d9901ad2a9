"""What is asked of the brain beside memory, and what it answers."""

from collections.abc import Mapping
from typing import Annotated
from uuid import UUID

from pydantic import AfterValidator, Field

from soma.interfaces.http.documents.base import FilledText, Given, Sent
from soma.interfaces.http.documents.chat import Id
from soma.interfaces.http.documents.memory import Evidence, Namespace, askable


class EvaluateQuery(Sent):
    """What would be said: in a conversation, or as the first message of one with `agent`. `top_k` is how much
    is recalled, `token_budget` how many tokens the lanes share; both are the agent's own where they are not
    given."""

    query: Annotated[FilledText, AfterValidator(askable)]
    conversation_id: Id | None = None
    agent: Annotated[FilledText, Field(max_length=120)] | None = None
    namespace: Namespace = "default"
    top_k: Annotated[int, Field(ge=1)] | None = None
    token_budget: Annotated[int, Field(ge=1)] | None = None


class Directive(Given):
    """What the caller `may` or `must_not` do, with the reasons of relations and policy. `target` names the
    tool, the conversation or the agent. `policy_hash` is empty where relations alone said no."""

    action: str
    resource: str
    target: str
    effect: str
    reasons: list[str]
    decided_by: str
    policy_hash: str


class PromptPart(Given):
    """A text of the prompt, in its order. The question itself is in no lane (an empty one); `id` is the
    message's or the memory's."""

    lane: str
    role: str
    id: str
    text: str
    tokens: int


class Cut(Given):
    """What did not get into its lane: it was longer than the room left (`no_room`), or comes after one that
    was (`behind_cut`)."""

    id: str
    tokens: int
    reason: str


class Lane(Given):
    """Share of the budget: base share × `weight`, which is learned weight / initial weight, normalised, at
    least .05. `tokens` are granted, `used` filled, in `cut` is what was left out."""

    lane: str
    weight: float
    share: float
    tokens: int
    used: int
    cut: list[Cut]


class LaneBudget(Given):
    """How the tokens of the context are shared out."""

    budget: int
    lanes: list[Lane]


class Segment(Given):
    """The subject that the conversation is at: the turn it began with, counted from 1, and of how many it is.
    `change_probability` is the chance that the last turn began one."""

    start: int
    length: int
    turns: int
    change_probability: float


class Term(Given):
    """A term of a utility: `weight` × `value`, a cost or a latency taken off, is what it `adds`. `source` is
    `calibrated`, `measured` (over `samples`), or `prior` where nothing was measured yet. `amount`, in `unit`,
    is what the share is of; `parts` are its factors."""

    value: float
    weight: float
    adds: float
    source: str
    samples: int
    amount: float | None = None
    unit: str | None = None
    parts: Mapping[str, float] | None = None


class Suggestion(Given):
    """An action and its utility, λ·expected confidence − μ·cost − ν·latency. `target` names the tool."""

    action: str
    target: str
    utility: float
    terms: Mapping[str, Term]


class Evaluation(Given):
    """The context bundle. `agent_id` is null for the default agent before its first conversation, `segment`
    before the conversation's first consolidated turn."""

    agent_id: UUID | None
    agent: str
    model: str
    evidence: list[Evidence]
    novelty: float
    directives: list[Directive]
    prompts: list[PromptPart]
    lane_budget: LaneBudget
    weights: Mapping[str, float]
    neuromodulators: Mapping[str, float]
    segment: Segment | None
    suggestions: list[Suggestion]
