"""What the configuration says of memory, as the tiers take it."""

from collections.abc import Iterable, Mapping

from soma.base.configuration import Configuration
from soma.base.crypto import load_or_create_secret
from soma.base.errors import InvalidInput
from soma.brain.api import Guard, GuardSettings, MemoryPolicy, PersonalData, Pseudonyms, Treatment
from soma.fractalmemory.api import Quota, Quotas
from soma.policy.api import Policy

SECRET_BYTES = 32


def memory_guard(configuration: Configuration, policy: Policy | None) -> Guard:
    """The guard of remembering. Raises InvalidInput for a class of personal data that there is not."""
    secret = load_or_create_secret(configuration.home / "secrets" / "pseudonyms", size=SECRET_BYTES)
    return Guard(
        policy=None if policy is None else MemoryPolicy(policy),
        pseudonyms=Pseudonyms(secret),
        settings=GuardSettings(
            treatments=_treatments(configuration), phone_region=configuration.memory_phone_region or None
        ),
    )


def memory_quotas(configuration: Configuration) -> Quotas:
    """What tenants and namespaces may use."""
    return Quotas(
        tenant=Quota(records=configuration.memory_records, bytes=configuration.memory_bytes),
        namespace=Quota(
            records=configuration.memory_namespace_records, bytes=configuration.memory_namespace_bytes
        ),
    )


def _treatments(configuration: Configuration) -> Mapping[PersonalData, Treatment]:
    """Refusing goes before hashing."""
    hashed = dict.fromkeys(_classes("SOMAGENT_MEMORY_HASH", configuration.memory_hash), Treatment.HASH)
    refused = dict.fromkeys(_classes("SOMAGENT_MEMORY_REFUSE", configuration.memory_refuse), Treatment.REFUSE)
    return {**dict.fromkeys(PersonalData, Treatment.STORE), **hashed, **refused}


def _classes(variable: str, names: Iterable[str]) -> list[PersonalData]:
    known = {data.value: data for data in PersonalData}
    unknown = sorted(set(names) - set(known))
    if unknown:
        raise InvalidInput(f"{variable} names {', '.join(unknown)}; it takes some of {', '.join(known)}")
    return [known[name] for name in names]
