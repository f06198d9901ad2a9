"""A graded self-check: the confidence of models whose provider gives no log-probabilities."""

from dataclasses import replace

from soma.agent.domain.model import ModelMessage, ModelOutput, ModelRequest
from soma.agent.errors import ModelUnavailable
from soma.agent.ports import ModelPort
from soma.agent.services.progress import Progress
from soma.base.canonical import json_value

QUESTION = "How sure are you that your answer is right? Grade it from 0 (a guess) to 10 (certain)."
GRADES = 10
SCHEMA = {
    "type": "object",
    "properties": {"grade": {"type": "integer", "minimum": 0, "maximum": GRADES}},
    "required": ["grade"],
    "additionalProperties": False,
}


async def self_check(
    progress: Progress, request: ModelRequest, answer: str, model: ModelPort
) -> float | None:
    """The model's own grade of `answer` in [0, 1]; None when it gives none."""
    graded = replace(
        request,
        messages=(
            *request.messages,
            ModelMessage(role="assistant", content=answer),
            ModelMessage(role="user", content=QUESTION),
        ),
        temperature=0.0,
        max_tokens=16,
        schema=SCHEMA,
        tools=(),
    )
    try:
        async for piece in model.stream(graded, progress.stop):
            if isinstance(piece, ModelOutput):
                return _grade(piece.text)
    except ModelUnavailable as error:
        progress.degrade(f"self-check: {error.detail}")
    return None


def _grade(text: str) -> float | None:
    try:
        value = json_value(text)
    except ValueError:
        return None
    grade = value.get("grade") if isinstance(value, dict) else None
    if not isinstance(grade, int) or isinstance(grade, bool) or not 0 <= grade <= GRADES:
        return None
    return grade / GRADES
