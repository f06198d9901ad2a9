"""The words of the schema language."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from soma.policy.relations.schema import SchemaRefused

TOKEN = re.compile(
    r"(?P<space>[ \t\r]+)|(?P<newline>\n)|(?P<comment>//[^\n]*|/\*.*?\*/)"
    r"|(?P<name>[A-Za-z_][A-Za-z0-9_]*)|(?P<symbol>->|[{}:|#*+&()=;-])",
    re.DOTALL,
)
END_OF_STATEMENT = ";"
ENDS_BEFORE_NEWLINE = frozenset({")", "*", "}"})
"""After these, as after a name, a line's end ends the statement; after an operator it goes on."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Token:
    """A name or a symbol, and the line it stands in. The text ends with an empty one."""

    text: str
    is_name: bool
    line: int


def tokens(text: str) -> Iterator[Token]:
    """The tokens of `text`, with a `;` wherever a line's end ends a statement. Raises SchemaRefused."""
    line, position = 1, 0
    last: Token | None = None
    while position < len(text):
        found = TOKEN.match(text, position)
        if found is None:
            raise SchemaRefused(line, f"unexpected character {text[position]!r}")
        position, word = found.end(), found.group()
        if found.lastgroup in {"name", "symbol"}:
            last = Token(text=word, is_name=found.lastgroup == "name", line=line)
            yield last
        elif found.lastgroup == "newline" and last and (last.is_name or last.text in ENDS_BEFORE_NEWLINE):
            last = Token(text=END_OF_STATEMENT, is_name=False, line=line)
            yield last
        line += word.count("\n")
    yield Token(text="", is_name=False, line=line)
