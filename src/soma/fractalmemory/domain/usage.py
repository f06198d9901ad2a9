"""How much of storage is used, and how much may be."""

from collections.abc import Iterator
from dataclasses import dataclass, field

TENANT = ""
"""In place of a namespace's name: all of the tenant's. No namespace is called so."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Usage:
    """`records` memories whose contents have `bytes` bytes of UTF-8 together."""

    records: int = 0
    bytes: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class Quota:
    """The most that may be used; 0 is no limit."""

    records: int = 0
    bytes: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class Exceeded:
    """A limit that does not hold: `used` of at most `maximum`, in `unit`."""

    name: str
    maximum: int
    used: int
    unit: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Quotas:
    """What a tenant may use, and each of its namespaces."""

    tenant: Quota = field(default_factory=Quota)
    namespace: Quota = field(default_factory=Quota)

    @property
    def limited(self) -> bool:
        """Whether there is any limit."""
        return any((self.tenant.records, self.tenant.bytes, self.namespace.records, self.namespace.bytes))

    def exceeded(self, namespace: str, usage: Usage) -> Exceeded | None:
        """The first limit that `usage` of `namespace` (or TENANT) is past."""
        return next(self._past(namespace, usage), None)

    def _past(self, namespace: str, usage: Usage) -> Iterator[Exceeded]:
        whose, quota = ("tenant", self.tenant) if namespace == TENANT else ("namespace", self.namespace)
        for unit, maximum, used in (
            ("records", quota.records, usage.records),
            ("bytes", quota.bytes, usage.bytes),
        ):
            if 0 < maximum < used:
                yield Exceeded(name=f"{whose}_{unit}", maximum=maximum, used=used, unit=unit)
