"""The tools that the default capsule holds.

The argument patterns matter: a small model under a grammar can only write what they allow, and a call
of at most 80 characters is always finished within the tokens that a call gets.
"""

from soma.agent.domain.tool import ToolExample, ToolSpec

CALCULATOR = ToolSpec(
    name="calculator",
    description="Evaluates an arithmetic expression.",
    input_schema={
        "type": "object",
        "properties": {"expression": {"type": "string", "pattern": "^[0-9a-z(.-][0-9a-z+*/(),. %^-]{0,79}$"}},
        "required": ["expression"],
        "additionalProperties": False,
    },
    output_schema={
        "type": "object",
        "properties": {"result": {"type": "string"}},
        "required": ["result"],
        "additionalProperties": False,
    },
    triggers=(
        r"\d\s*(?:[-+*/^%x×÷]|plus|minus|times|divided by|multiplied by|over|to the power)\s*\(?\s*\d",
        r"\b(?:calculate|compute|square root|sqrt|percent of|% of)\b.*\d",
        r"\d\s*(?:%|percent)\s+of\s+\d",
    ),
    examples=(
        ToolExample(request="What is 3 times 7?", arguments={"expression": "3 * 7"}),
        ToolExample(request="How much is (8 + 2) / 5?", arguments={"expression": "(8 + 2) / 5"}),
        ToolExample(request="What is 20% of 80?", arguments={"expression": "20% of 80"}),
    ),
    idempotent=True,
    timeout_seconds=5.0,
)

CLOCK = ToolSpec(
    name="clock",
    description="Tells the current date and time.",
    input_schema={
        "type": "object",
        "properties": {
            "timezone": {"type": "string", "pattern": "^[A-Z][A-Za-z_]{1,20}(/[A-Z][A-Za-z_]{1,20})?$"}
        },
        "required": ["timezone"],
        "additionalProperties": False,
    },
    output_schema={
        "type": "object",
        "properties": {"now": {"type": "string"}},
        "required": ["now"],
        "additionalProperties": False,
    },
    triggers=(
        r"\bwhat(?:'s| is)?\s+(?:the\s+)?(?:current\s+)?(?:time|date|day)\b",
        r"\bwhat (?:time|date|day|year|month) is (?:it|today|now)\b",
        r"\b(?:current|today's) (?:time|date|day)\b",
        r"\btime is it\b",
    ),
    examples=(
        ToolExample(request="What time is it?", arguments={"timezone": "UTC"}),
        ToolExample(request="What is the date in Tokyo?", arguments={"timezone": "Asia/Tokyo"}),
    ),
    idempotent=True,
    timeout_seconds=5.0,
)

MEMORY_RECALL = ToolSpec(
    name="memory_recall",
    description="Looks something up in what was said in earlier conversations.",
    input_schema={
        "type": "object",
        "properties": {"query": {"type": "string", "minLength": 1, "maxLength": 80}},
        "required": ["query"],
        "additionalProperties": False,
    },
    output_schema={
        "type": "object",
        "properties": {"memories": {"type": "array", "items": {"type": "string"}}},
        "required": ["memories"],
        "additionalProperties": False,
    },
    triggers=(
        r"\b(?:search|look (?:it |that )?up in|check) (?:your |my |the )?memor(?:y|ies)\b",
        r"\bwhat do you remember about\b",
    ),
    examples=(
        ToolExample(
            request="What do you remember about my garden?", arguments={"query": "the user's garden"}
        ),
    ),
    idempotent=True,
    timeout_seconds=10.0,
)

BUILTIN_TOOLS = (CALCULATOR, CLOCK, MEMORY_RECALL)

SYSTEM_PROMPT = "You are a helpful assistant. Answer briefly and correctly."
"""Without a name for the assistant: with one, the default model takes every second question for a game with
it (of ten plain questions it answered five, and seven without)."""
