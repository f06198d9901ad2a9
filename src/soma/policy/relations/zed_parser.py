"""The schema language of SpiceDB, as far as the resolver in Postgres understands it.

Understood are definitions, relations to types, sets (`tenant#guest`) and every subject of a type (`user:*`),
permissions with `+`, `&`, `-`, `->` and parentheses, and comments. Everything else (caveats, expiration,
`nil`, `self`, `.any()`, `.all()`, prefixed names, `use`) is refused with its line: what we do not
understand must not be half obeyed.
"""

import re
from typing import NoReturn

from soma.policy.relations.schema import (
    AllowedSubject,
    Arrow,
    Definition,
    Expression,
    Operation,
    Reference,
    Schema,
    SchemaRefused,
)
from soma.policy.relations.zed_sense import check_sense
from soma.policy.relations.zed_tokens import END_OF_STATEMENT, Token, tokens

NAME = re.compile(r"[a-z][a-z0-9_]{1,62}[a-z0-9]")
RESERVED = frozenset({"caveat", "definition", "nil", "permission", "relation", "self", "with"})
LOOSEST_FIRST = ("-", "&", "+")


def parse(text: str) -> Schema:
    """The schema that `text` spells. Raises SchemaRefused, which names the line and the reason."""
    definitions = _Parser(text).definitions()
    check_sense(definitions)
    return Schema(definitions=definitions, text=text)


class _Parser:
    def __init__(self, text: str) -> None:
        self._tokens = tuple(tokens(text))
        self._position = 0

    def definitions(self) -> dict[str, Definition]:
        found: dict[str, Definition] = {}
        self._skip_ends()
        while self._next.text:
            line = self._next.line
            definition = self._definition()
            if definition.name in found:
                raise SchemaRefused(line, f"{definition.name} is defined twice")
            found[definition.name] = definition
            self._skip_ends()
        return found

    def _definition(self) -> Definition:
        self._take("definition")
        name = self._name()
        self._take("{")
        relations: dict[str, frozenset[AllowedSubject]] = {}
        permissions: dict[str, Expression] = {}
        lines: dict[str, int] = {}
        self._skip_ends()
        while self._next.text != "}":
            kind, member = self._next, self._member(relations, permissions)
            if member in lines:
                raise SchemaRefused(kind.line, f"{name} has {member} twice")
            lines[member] = kind.line
            self._take(END_OF_STATEMENT)
            self._skip_ends()
        self._take("}")
        return Definition(name=name, relations=relations, permissions=permissions, lines=lines)

    def _member(
        self, relations: dict[str, frozenset[AllowedSubject]], permissions: dict[str, Expression]
    ) -> str:
        kind = self._advance()
        if kind.text == "relation":
            name = self._name()
            self._take(":")
            relations[name] = self._subjects()
        elif kind.text == "permission":
            name = self._name()
            self._take("=")
            permissions[name] = self._operation(LOOSEST_FIRST)
        else:
            self._refuse(kind, "relation, permission or }")
        return name

    def _subjects(self) -> frozenset[AllowedSubject]:
        found = [self._subject()]
        while self._next.text == "|":
            self._advance()
            line, subject = self._next.line, self._subject()
            if subject in found:
                raise SchemaRefused(line, f"{subject} is allowed twice")
            found.append(subject)
        return frozenset(found)

    def _subject(self) -> AllowedSubject:
        name = self._name()
        if self._next.text == ":":
            self._advance()
            self._take("*")
            return AllowedSubject(type=name, wildcard=True)
        if self._next.text == "#":
            self._advance()
            return AllowedSubject(type=name, relation=self._name())
        return AllowedSubject(type=name)

    def _operation(self, operators: tuple[str, ...]) -> Expression:
        if not operators:
            return self._operand()
        operator, *closer = operators
        expression = self._operation(tuple(closer))
        while self._next.text == operator:
            self._advance()
            expression = _joined(operator, expression, self._operation(tuple(closer)))
        return expression

    def _operand(self) -> Expression:
        if self._next.text == "(":
            self._advance()
            expression = self._operation(LOOSEST_FIRST)
            self._take(")")
            return expression
        name = self._name()
        if self._next.text != "->":
            return Reference(name=name)
        self._advance()
        return Arrow(relation=name, permission=self._name())

    def _name(self) -> str:
        token = self._advance()
        if not token.is_name:
            self._refuse(token, "a name")
        if token.text in RESERVED:
            raise SchemaRefused(token.line, f"{token.text!r} is not understood here")
        if not NAME.fullmatch(token.text):
            raise SchemaRefused(token.line, f"{token.text!r} is not a name: it must match {NAME.pattern}")
        return token.text

    def _take(self, text: str) -> None:
        token = self._advance()
        if token.text != text:
            self._refuse(token, "the end of the statement" if text == END_OF_STATEMENT else text)

    def _skip_ends(self) -> None:
        while self._next.text == END_OF_STATEMENT:
            self._advance()

    @property
    def _next(self) -> Token:
        return self._tokens[self._position]

    def _advance(self) -> Token:
        token = self._next
        self._position = min(self._position + 1, len(self._tokens) - 1)
        return token

    def _refuse(self, token: Token, expected: str) -> NoReturn:
        found = token.text or "the end of the text"
        raise SchemaRefused(token.line, f"{found!r} is not understood here; expected is {expected}")


def _joined(operator: str, left: Expression, right: Expression) -> Expression:
    """a + b + c is one operation; so is a - b - c, where both are taken from a. Only what the operator's
    own laws allow is joined: a - (b - c) stays two."""
    first = left.operands if isinstance(left, Operation) and left.operator == operator else (left,)
    joins = operator != "-" and isinstance(right, Operation) and right.operator == operator
    second = right.operands if joins and isinstance(right, Operation) else (right,)
    return Operation(operator=operator, operands=(*first, *second))
