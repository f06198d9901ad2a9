"""How clients of Kafka prove who they are, and how they know the brokers."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from soma.base.errors import InvalidInput

PROTOCOL, CA = "SOMAGENT_KAFKA_SECURITY_PROTOCOL", "SOMAGENT_KAFKA_CA"
MECHANISM = "SOMAGENT_KAFKA_SASL_MECHANISM"
USERNAME, PASSWORD = "SOMAGENT_KAFKA_USERNAME", "SOMAGENT_KAFKA_PASSWORD"


class SecurityProtocol(StrEnum):
    """Kafka's own names."""

    PLAINTEXT = "PLAINTEXT"
    SSL = "SSL"
    SASL_PLAINTEXT = "SASL_PLAINTEXT"
    SASL_SSL = "SASL_SSL"

    @property
    def encrypted(self) -> bool:
        """Whether TLS carries it."""
        return self in {SecurityProtocol.SSL, SecurityProtocol.SASL_SSL}

    @property
    def signed_in(self) -> bool:
        """Whether clients sign in."""
        return self in {SecurityProtocol.SASL_PLAINTEXT, SecurityProtocol.SASL_SSL}


class SaslMechanism(StrEnum):
    """How a password is shown to a broker."""

    PLAIN = "PLAIN"
    SCRAM_SHA_256 = "SCRAM-SHA-256"
    SCRAM_SHA_512 = "SCRAM-SHA-512"


@dataclass(frozen=True, kw_only=True, slots=True)
class KafkaSecurity:
    """`ca`: PEM certificates that the brokers' are to be signed by; None trusts the system's."""

    protocol: SecurityProtocol = SecurityProtocol.PLAINTEXT
    ca: Path | None = None
    mechanism: SaslMechanism = SaslMechanism.SCRAM_SHA_512
    username: str = ""
    password: str = field(default="", repr=False)

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> "KafkaSecurity":
        """What `environment` spells. Raises InvalidInput for what does not fit together: a setting that would
        be passed over is taken for protection by whoever has made it."""
        protocol = _protocol(environment.get(PROTOCOL, ""))
        found = cls(
            protocol=protocol,
            ca=_ca(environment.get(CA, ""), protocol),
            mechanism=_mechanism(environment.get(MECHANISM, ""), protocol),
            username=environment.get(USERNAME, ""),
            password=environment.get(PASSWORD, ""),
        )
        for variable, value in ((USERNAME, found.username), (PASSWORD, found.password)):
            _require(bool(value) == protocol.signed_in, variable, protocol, needed=protocol.signed_in)
        if found.mechanism is SaslMechanism.PLAIN and protocol is SecurityProtocol.SASL_PLAINTEXT:
            raise InvalidInput(f"{MECHANISM}=PLAIN sends the password as it is: it needs {PROTOCOL}=SASL_SSL")
        return found


def _protocol(text: str) -> SecurityProtocol:
    try:
        return SecurityProtocol(text.upper() or SecurityProtocol.PLAINTEXT)
    except ValueError:
        raise InvalidInput(f"{PROTOCOL} is {text!r}; it takes one of {', '.join(SecurityProtocol)}") from None


def _mechanism(text: str, protocol: SecurityProtocol) -> SaslMechanism:
    _require(not text or protocol.signed_in, MECHANISM, protocol, needed=False)
    try:
        return SaslMechanism(text.upper() or SaslMechanism.SCRAM_SHA_512)
    except ValueError:
        raise InvalidInput(f"{MECHANISM} is {text!r}; it takes one of {', '.join(SaslMechanism)}") from None


def _ca(text: str, protocol: SecurityProtocol) -> Path | None:
    _require(not text or protocol.encrypted, CA, protocol, needed=False)
    if not text:
        return None
    path = Path(text).expanduser().resolve()
    if not path.is_file():
        raise InvalidInput(f"{CA} names {path}, which is no file")
    return path


def _require(fits: bool, variable: str, protocol: SecurityProtocol, *, needed: bool) -> None:
    if not fits:
        what = f"needs {variable}" if needed else f"has no use for {variable}"
        raise InvalidInput(f"{PROTOCOL}={protocol} {what}")
