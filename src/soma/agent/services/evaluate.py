"""Evaluating a message without sending it: nothing is stored, nothing is learned, no model runs."""

from dataclasses import dataclass
from uuid import UUID

from soma.agent.domain.capsule import Capsule
from soma.agent.domain.message import checked_text
from soma.agent.models import ConversationRow
from soma.agent.services.capsules import DEFAULT_NAME, UNUSED, Capsules
from soma.agent.services.context_bundle import Grounds
from soma.agent.services.conversations import readable
from soma.agent.services.directives import directives
from soma.agent.services.gate import Gate, Thing
from soma.agent.services.generate import Models
from soma.agent.services.load_turn import history_of
from soma.agent.services.measure import measures
from soma.agent.services.relate import may_use
from soma.base.canonical import sha256_hex
from soma.base.database import tenant_transaction
from soma.base.errors import InvalidInput
from soma.base.tenancy import Principal
from soma.brain.api import DEFAULT, Brain, LearnedState, Modulation, RecallRequest, owned_namespace


@dataclass(frozen=True, kw_only=True, slots=True)
class EvaluateRequest:
    """What would be said, and where. Without a conversation it would begin one, with `agent` or the default
    one. `top_k` and `token_budget` are the agent's own where they are None."""

    query: str
    conversation_id: UUID | None = None
    agent: str | None = None
    namespace: str = DEFAULT
    top_k: int | None = None
    token_budget: int | None = None


def grounds_of(
    principal: Principal,
    request: EvaluateRequest,
    *,
    capsules: Capsules,
    gate: Gate,
    brain: Brain,
    models: Models,
) -> Grounds:
    """What the message meets before anything is recalled, for who may read the conversation, or use the
    agent. Raises InvalidInput, LimitExceeded, NotFound, Denied."""
    checked_text(request.query)
    if request.token_budget is not None and request.token_budget < 1:
        raise InvalidInput(f"token_budget is {request.token_budget}; it takes at least 1")
    tenant_id = principal.tenant_id
    with tenant_transaction(tenant_id):
        row = None
        if request.conversation_id is not None:
            row = readable(principal, request.conversation_id, gate)
        capsule = _capsule(principal, request, row, capsules, gate)
        learned = brain.standing_state(tenant_id, str(capsule.id)) or LearnedState()
        modulation = Modulation.of(learned.neuromodulators)
        model = models.preferred(fast=modulation.fast_model)
        usual = modulation.top_k(capsule.loop.recall_top_k)
        return Grounds(
            capsule=capsule,
            history=() if row is None else history_of(row.id),
            learned=learned,
            modulation=modulation,
            model=model,
            measures=measures(tenant_id, principal.user_id, capsule.id, model.name),
            directives=directives(principal, capsule, _thing(row), gate),
            top_k=usual if request.top_k is None else request.top_k,
            budget=request.token_budget or capsule.loop.context_tokens,
        )


def recall_request(principal: Principal, request: EvaluateRequest, grounds: Grounds) -> RecallRequest:
    """What a turn with this message would ask memory: not for the message itself, told before."""
    return RecallRequest(
        tenant_id=principal.tenant_id,
        agent_id=str(grounds.capsule.id),
        namespace=owned_namespace(principal.user_id, request.namespace),
        query=request.query,
        top_k=grounds.top_k,
        exclude_input_hash=sha256_hex(request.query.encode()),
        weights=grounds.modulation.weights(grounds.learned.weights),
        conversation_id=request.conversation_id,
    )


def _capsule(
    principal: Principal,
    request: EvaluateRequest,
    row: ConversationRow | None,
    capsules: Capsules,
    gate: Gate,
) -> Capsule:
    if row is None:
        capsule = capsules.standing(principal.tenant_id, request.agent or DEFAULT_NAME)
        if capsule.id != UNUSED:
            gate.relations.require(principal.tenant_id, may_use(principal, capsule.id))
        return capsule
    if request.agent not in {None, row.capsule.name}:
        raise InvalidInput(f"the conversation is with {row.capsule.name}, not with {request.agent}")
    return capsules.load(row.capsule)


def _thing(row: ConversationRow | None) -> Thing | None:
    if row is None:
        return None
    return Thing(type="conversation", id=row.id, conversation_id=row.id, owner_id=row.user_id)
