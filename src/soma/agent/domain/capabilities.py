"""What a message needs of a model (seed 000, step 3c)."""

import re

LONG_CONTEXT_BYTES = 8_192

_SIGNS = {
    "code": re.compile(r"```|\b(def|class|function|SELECT|import|#include)\b|[{};]\s*$", re.MULTILINE),
    "vision": re.compile(r"\.(png|jpe?g|gif|webp)\b|data:image/", re.IGNORECASE),
    "audio": re.compile(r"\.(mp3|wav|ogg|flac|m4a)\b|data:audio/", re.IGNORECASE),
    "document": re.compile(r"\.(pdf|docx?|xlsx?|pptx?|csv)\b", re.IGNORECASE),
}


def required_capabilities(message: str) -> tuple[str, ...]:
    """The capabilities `message` calls for, always with "text", in a fixed order."""
    found = [name for name, sign in _SIGNS.items() if sign.search(message)]
    if len(message.encode()) > LONG_CONTEXT_BYTES:
        found.append("long_context")
    return ("text", *found)
