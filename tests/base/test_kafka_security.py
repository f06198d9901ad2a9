"""What the environment says of Kafka's security fits together, or is refused by the variable's name."""

from pathlib import Path

import pytest

from soma.base.configuration import Configuration
from soma.base.errors import InvalidInput
from soma.base.kafka_security import KafkaSecurity, SaslMechanism, SecurityProtocol

pytestmark = pytest.mark.req("REPLAY-002")

PREFIX = "SOMAGENT_KAFKA_"
SECRET = "s3cret-of-the-broker"
SIGNED_IN = {"USERNAME": "soma", "PASSWORD": SECRET}


def read(**said: str) -> KafkaSecurity:
    return Configuration.from_environment({PREFIX + name: text for name, text in said.items()}).kafka_security


def test_nothing_said_is_in_the_clear() -> None:
    assert read() == KafkaSecurity(protocol=SecurityProtocol.PLAINTEXT)


def test_what_is_said_is_read(tmp_path: Path) -> None:
    ca = tmp_path / "ca.pem"
    ca.touch()
    assert read(SECURITY_PROTOCOL="ssl", CA=str(ca)) == KafkaSecurity(protocol=SecurityProtocol.SSL, ca=ca)
    found = read(SECURITY_PROTOCOL="SASL_SSL", CA=str(ca), SASL_MECHANISM="scram-sha-256", **SIGNED_IN)
    assert (found.mechanism, found.username, found.password) == (
        SaslMechanism.SCRAM_SHA_256,
        "soma",
        SECRET,
    )
    assert read(SECURITY_PROTOCOL="SASL_SSL", **SIGNED_IN).mechanism is SaslMechanism.SCRAM_SHA_512
    assert read(SECURITY_PROTOCOL="SASL_SSL", SASL_MECHANISM="PLAIN", **SIGNED_IN).ca is None


@pytest.mark.parametrize(
    ("said", "named"),
    [
        ({"SECURITY_PROTOCOL": "TLS"}, "SECURITY_PROTOCOL"),
        ({"SECURITY_PROTOCOL": "SASL_SSL", "SASL_MECHANISM": "MD5", **SIGNED_IN}, "SASL_MECHANISM"),
        (SIGNED_IN, "USERNAME"),
        ({"PASSWORD": SECRET}, "PASSWORD"),
        ({"SECURITY_PROTOCOL": "SSL", **SIGNED_IN}, "USERNAME"),
        ({"SECURITY_PROTOCOL": "SSL", "SASL_MECHANISM": "PLAIN"}, "SASL_MECHANISM"),
        ({"SECURITY_PROTOCOL": "SASL_SSL", "USERNAME": "soma"}, "PASSWORD"),
        ({"SECURITY_PROTOCOL": "SASL_SSL", "PASSWORD": SECRET}, "USERNAME"),
        ({"SECURITY_PROTOCOL": "SASL_PLAINTEXT"}, "USERNAME"),
        ({"SECURITY_PROTOCOL": "SASL_PLAINTEXT", "SASL_MECHANISM": "PLAIN", **SIGNED_IN}, "SASL_MECHANISM"),
        ({"CA": "/etc/hostname"}, "CA"),
        ({"SECURITY_PROTOCOL": "SASL_PLAINTEXT", "CA": "/etc/hostname", **SIGNED_IN}, "CA"),
        ({"SECURITY_PROTOCOL": "SSL", "CA": "/nowhere/ca.pem"}, "CA"),
    ],
)
def test_what_does_not_fit_together_is_refused(said: dict[str, str], named: str) -> None:
    with pytest.raises(InvalidInput, match=PREFIX + named) as refused:
        read(**said)
    assert SECRET not in str(refused.value)


def test_the_password_is_not_printed() -> None:
    environment = {
        PREFIX + name: text for name, text in {"SECURITY_PROTOCOL": "SASL_SSL", **SIGNED_IN}.items()
    }
    assert SECRET not in repr(Configuration.from_environment(environment))
