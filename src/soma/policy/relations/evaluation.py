"""Whether permissions are had, worked out from relationships that are fetched as they prove to be needed.

Permissions form a graph: `write` on a conversation asks for `owner` on it and for `converse` on its tenant,
a set `tenant#guest` asks for `guest`, and so on. Each question is true, false, or open as long as something
it depends on is open. What is still open when nothing more can be learnt goes round in a circle, or lies
deeper than DEPTH; neither is a yes. With three values (Kleene's logic) the order of the questions is
immaterial: an answer that was found stays right whatever is found later.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from soma.policy.domain.permission import PermissionCheck
from soma.policy.domain.relationship import WILDCARD, ObjectRef
from soma.policy.relations.schema import AllowedSubject, Arrow, Expression, Reference, Schema

DEPTH = 50
"""How many questions deep an answer may lie: SpiceDB's limit."""
QUESTIONS = 5_000
"""More are not followed: what so many would be needed for stays open."""

Place = tuple[str, str, str]
"""Type and id of an object, and a relation or permission of it. Of a subject the relation may be empty."""
Row = tuple[str, str, str, str, str, str]
"""The place, then the subject."""
Question = tuple[Place, Place]
"""Has this subject that relation or permission?"""


@dataclass(kw_only=True, slots=True)
class Needs:
    """What to fetch: the `exact` relationships, where they exist, and everything that the relations in
    `sets` and in `objects` point to, of sets and of single objects respectively."""

    exact: set[Row] = field(default_factory=set)
    sets: set[Place] = field(default_factory=set)
    objects: set[Place] = field(default_factory=set)

    def __bool__(self) -> bool:
        return bool(self.exact or self.sets or self.objects)

    def update(self, more: "Needs") -> None:
        """Need these as well."""
        self.exact |= more.exact
        self.sets |= more.sets
        self.objects |= more.objects


class Evaluation:
    """The answers to some checks that make sense in the schema: see `schema_rules.problem_of`.

    while needs := evaluation.needs():
        evaluation.learn(the rows that meet them)
    """

    def __init__(
        self, schema: Schema, checks: Sequence[PermissionCheck], *, foreseen: Iterable[ObjectRef] = ()
    ) -> None:
        """Nearly every check comes to what the subjects are to the `foreseen` objects: that is fetched at
        once, not when it is its turn."""
        self._schema = schema
        self._answers: dict[Question, bool] = {}
        self._open: dict[Question, int] = {}
        self._facts: set[Row] = set()
        self._known, self._needs = Needs(), Needs()
        self._pointed: dict[tuple[Place, bool], set[Place]] = {}
        self._roots = [self._root(check) for check in checks]
        self._foreseen = {
            row for subject, _ in self._roots for thing in foreseen for row in self._ties(thing, subject)
        }

    def needs(self) -> Needs:
        """What has to be known to get on; empty when everything that can be said is said."""
        self._resolve()
        if all(root in self._answers for root in self._roots):
            return Needs()
        if self._needs:
            self._needs.exact |= self._foreseen - self._known.exact
        return self._needs

    def learn(self, rows: Iterable[Row]) -> None:
        """Take in all rows that meet the last needs."""
        for row in rows:
            place, subject = row[:3], row[3:]
            self._facts.add(row)
            if subject[1] != WILDCARD:
                self._pointed.setdefault((place, bool(subject[2])), set()).add(subject)
        self._known.update(self._needs)

    def answers(self) -> list[bool | None]:
        """For each check yes, no, or None where there is no end to it."""
        return [self._answers.get(root) for root in self._roots]

    def _root(self, check: PermissionCheck) -> Question:
        subject = (check.subject.type, check.subject.id, check.subject.relation)
        place = (check.resource.type, check.resource.id, check.permission)
        question = (subject, self._meant(place))
        self._open.setdefault(question, 1)
        return question

    def _meant(self, place: Place) -> Place:
        """`send` on a conversation is `write` on it, if that is all it is made of."""
        object_type, object_id, name = place
        expression = self._schema.definitions[object_type].permissions.get(name)
        if isinstance(expression, Reference):
            return self._meant((object_type, object_id, expression.name))
        return place

    def _resolve(self) -> None:
        """Answer what can be answered, and gather what is needed for the rest."""
        while True:
            before = len(self._open), len(self._answers)
            self._needs = Needs()
            for question in reversed(tuple(self._open)):
                answer = self._answer(question, self._open[question])
                if answer is not None:
                    self._answers[question] = answer
            if before == (len(self._open), len(self._answers)):
                break
            self._open = {each: depth for each, depth in self._open.items() if each not in self._answers}

    def _answer(self, question: Question, depth: int) -> bool | None:
        subject, place = question
        if subject == place:
            return True  # a set has what it is the set of
        definition = self._schema.definitions[place[0]]
        allowed = definition.relations.get(place[2])
        if allowed is None:
            return self._evaluate(definition.permissions[place[2]], subject, place, depth)
        found = [self._is_fact((*place, *tie)) for tie in _direct(allowed, subject)]
        if any(each.relation for each in allowed):
            found.append(self._any_of(self._pointed_from(place, sets=True), subject, depth))
        return _any(found)

    def _evaluate(self, expression: Expression, subject: Place, place: Place, depth: int) -> bool | None:
        if isinstance(expression, Reference):
            return self._ask(subject, (place[0], place[1], expression.name), depth)
        if isinstance(expression, Arrow):
            targets = self._pointed_from((place[0], place[1], expression.relation), sets=False)
            if targets is not None:
                targets = {(each[0], each[1], expression.permission) for each in targets}
            return self._any_of(targets, subject, depth)
        first, *others = [self._evaluate(each, subject, place, depth) for each in expression.operands]
        if expression.operator == "+":
            return _any([first, *others])
        if expression.operator == "&":
            return _not(_any([_not(first), *map(_not, others)]))
        return _not(_any([_not(first), *others]))

    def _any_of(self, places: set[Place] | None, subject: Place, depth: int) -> bool | None:
        if places is None:
            return None
        return _any([self._ask(subject, each, depth) for each in places])

    def _ask(self, subject: Place, place: Place, depth: int) -> bool | None:
        """The answer to another question, one deeper; it is open when it is asked for the first time."""
        if not self._schema.definitions[place[0]].has(place[2]):
            return False  # an arrow leads to several types, and not all of them have the permission
        question = (subject, self._meant(place))
        answer = self._answers.get(question)
        if answer is None and depth < DEPTH and len(self._open) < QUESTIONS:
            self._open.setdefault(question, depth + 1)
        return answer

    def _is_fact(self, row: Row) -> bool | None:
        if row in self._facts:
            return True
        if row in self._known.exact:
            return False
        self._needs.exact.add(row)
        return None

    def _pointed_from(self, place: Place, *, sets: bool) -> set[Place] | None:
        if place in (self._known.sets if sets else self._known.objects):
            return self._pointed.get((place, sets), set())
        (self._needs.sets if sets else self._needs.objects).add(place)
        return None

    def _ties(self, thing: ObjectRef, subject: Place) -> Iterable[Row]:
        for relation, allowed in self._schema.definitions[thing.type].relations.items():
            for tie in _direct(allowed, subject):
                yield (thing.type, thing.id, relation, *tie)


def _direct(allowed: Iterable[AllowedSubject], subject: Place) -> list[Place]:
    """As what a relation may point to the subject: as itself, and as one of all of its type."""
    subject_type, _, relation = subject
    return [
        (subject_type, WILDCARD, "") if each.wildcard else subject
        for each in allowed
        if each.type == subject_type and each.relation == relation
    ]


def _any(values: Sequence[bool | None]) -> bool | None:
    if True in values:
        return True
    return None if None in values else False


def _not(value: bool | None) -> bool | None:
    return None if value is None else not value
