"""What the guard is told by whoever runs the installation."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from soma.brain.domain.importance import FLOOR
from soma.brain.domain.personal.finding import PersonalData, Treatment

DEFAULT_TREATMENTS: Mapping[PersonalData, Treatment] = MappingProxyType(
    {
        PersonalData.SECRET: Treatment.HASH,
        PersonalData.CARD: Treatment.HASH,
        PersonalData.IBAN: Treatment.HASH,
        PersonalData.NATIONAL_ID: Treatment.HASH,
        PersonalData.EMAIL: Treatment.STORE,
        PersonalData.IP: Treatment.STORE,
        PersonalData.PHONE: Treatment.STORE,
    }
)
"""People expect that a telephone number that they tell is known when they ask for it; not so their card's."""


@dataclass(frozen=True, kw_only=True, slots=True)
class GuardSettings:
    """What becomes of each class of personal data; a class that is not named is stored. `phone_region` (two
    letters) is where numbers without a country code are at home, None for nowhere. `floor` in [0, 1] is the
    least worth of a turn that is kept without anybody having asked for it."""

    treatments: Mapping[PersonalData, Treatment] = field(default_factory=lambda: DEFAULT_TREATMENTS)
    phone_region: str | None = None
    floor: float = FLOOR

    @property
    def treated(self) -> frozenset[PersonalData]:
        """The classes that are looked for."""
        return frozenset(each for each, how in self.treatments.items() if how is not Treatment.STORE)

    def treatment(self, data: PersonalData) -> Treatment:
        """What becomes of `data`."""
        return self.treatments.get(data, Treatment.STORE)
