"""What the brain makes of a message before anybody answers it."""

from django.http import HttpRequest
from ninja import Router

from soma.agent.api import EvaluateRequest
from soma.interfaces.http.access import SessionToken, principal_of
from soma.interfaces.http.documents.brain import EvaluateQuery, Evaluation
from soma.interfaces.runtime import current

router = Router(tags=["brain"])


@router.post("/v1/brain/evaluate", auth=SessionToken("memory:read"), response=Evaluation)
async def evaluate(request: HttpRequest, wanted: EvaluateQuery) -> Evaluation:
    """The context that a message would be answered from if it were sent now, and what could be done about it:
    evidence, directives of the policy, the prompt by its lanes, learned state, suggestions. No model runs and
    nothing is stored."""
    asked = EvaluateRequest(**wanted.model_dump())
    bundle = await current().agent.evaluate(principal_of(request), asked)
    return Evaluation.model_validate(bundle.to_dict())
