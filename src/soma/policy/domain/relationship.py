"""Relationships: `conversation:<id>#owner@user:<id>`, all of one tenant.

The tenant is not part of these records. Every call of a RelationStore names it once, for all of them, so
that a relation between two tenants cannot even be written down.
"""

import base64
import re
from dataclasses import dataclass
from typing import Self
from uuid import UUID

from soma.base.errors import InvalidInput

WILDCARD = "*"
"""In place of a subject's id: every subject of the type."""
TYPE = re.compile(r"[a-z][a-z0-9_]{1,62}[a-z0-9]")
ID = re.compile(r"[A-Za-z0-9_|=+-]{1,128}")
"""SpiceDB's letters without the slash, which stands between the tenant and the id there."""
PLAIN_NAME = re.compile(r"[A-Za-z0-9_|+-]{1,128}")


@dataclass(frozen=True, kw_only=True, slots=True)
class ObjectRef:
    """A thing, or a person, of a type of the schema. Raises InvalidInput for anything that is not one."""

    type: str
    id: str

    def __post_init__(self) -> None:
        _check(TYPE, self.type, "a type of object")
        _check(ID, self.id, "the id of an object")

    def __str__(self) -> str:
        return f"{self.type}:{self.id}"

    @classmethod
    def of(cls, object_type: str, key: UUID) -> Self:
        """The object that a row of ours describes."""
        return cls(type=object_type, id=str(key))

    @classmethod
    def named(cls, object_type: str, name: str) -> Self:
        """The object of any name whatever: what an id cannot hold is encoded, and no two names meet."""
        if PLAIN_NAME.fullmatch(name):
            return cls(type=object_type, id=name)
        encoded = base64.urlsafe_b64encode(name.encode()).decode().rstrip("=")
        return cls(type=object_type, id=f"={encoded}")

    @classmethod
    def parse(cls, text: str) -> Self:
        """From `type:id`. Raises InvalidInput."""
        object_type, colon, key = text.partition(":")
        if not colon:
            raise InvalidInput(f"{text!r} is not an object: write type:id")
        return cls(type=object_type, id=key)


@dataclass(frozen=True, kw_only=True, slots=True)
class SubjectRef:
    """Who or what is related: a `user:<id>`, every `user:*`, or all `tenant:<id>#guest`."""

    type: str
    id: str
    relation: str = ""

    def __post_init__(self) -> None:
        _check(TYPE, self.type, "a type of subject")
        if self.relation:
            _check(TYPE, self.relation, "a relation")
        if self.id != WILDCARD:
            _check(ID, self.id, "the id of a subject")
        elif self.relation:
            raise InvalidInput(f"{self}: every subject of a type has no relation")

    def __str__(self) -> str:
        subject = f"{self.type}:{self.id}"
        return f"{subject}#{self.relation}" if self.relation else subject

    @classmethod
    def of(cls, subject_type: str, key: UUID) -> Self:
        """The subject that a row of ours describes."""
        return cls(type=subject_type, id=str(key))

    @classmethod
    def parse(cls, text: str) -> Self:
        """From `type:id`, `type:*` or `type:id#relation`. Raises InvalidInput."""
        subject, hash_sign, relation = text.partition("#")
        subject_type, colon, key = subject.partition(":")
        if not colon or (hash_sign and not relation):
            raise InvalidInput(f"{text!r} is not a subject: write type:id, type:* or type:id#relation")
        return cls(type=subject_type, id=key, relation=relation)


@dataclass(frozen=True, kw_only=True, slots=True)
class Relationship:
    """`subject` is `relation` of `resource`."""

    resource: ObjectRef
    relation: str
    subject: SubjectRef

    def __post_init__(self) -> None:
        _check(TYPE, self.relation, "a relation")

    def __str__(self) -> str:
        return f"{self.resource}#{self.relation}@{self.subject}"

    @classmethod
    def parse(cls, text: str) -> Self:
        """From `type:id#relation@subject`. Raises InvalidInput."""
        resource, at_sign, subject = text.partition("@")
        thing, hash_sign, relation = resource.partition("#")
        if not at_sign or not hash_sign:
            raise InvalidInput(f"{text!r} is not a relationship: write type:id#relation@type:id")
        return cls(resource=ObjectRef.parse(thing), relation=relation, subject=SubjectRef.parse(subject))


@dataclass(frozen=True, kw_only=True, slots=True)
class RelationshipFilter:
    """Which relationships to read: those that agree with everything that is given."""

    resource_type: str | None = None
    resource_id: str | None = None
    relation: str | None = None
    subject_type: str | None = None
    subject_id: str | None = None


def _check(pattern: re.Pattern[str], text: str, what: str) -> None:
    if not pattern.fullmatch(text):
        raise InvalidInput(f"{text[:100]!r} is not {what}: it must match {pattern.pattern}")
