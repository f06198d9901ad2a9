"""What an installation can be told from outside, read once at start and then passed around.

Five axes are kept apart: infrastructure profile, behaviour mode, topology, connectivity (measured, so
not here) and feature flags.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import TypeVar

from soma.base.errors import InvalidInput
from soma.base.kafka_security import KafkaSecurity

Choice = TypeVar("Choice", bound=StrEnum)


class DeploymentMode(StrEnum):
    """Infrastructure profile (`SOMAGENT_DEPLOYMENT_MODE`)."""

    DEVELOPER_LIGHT = "developer-light"
    DEVELOPER_FULL = "developer-full"
    TEST = "test"
    TEST_DEBUG = "test-debug"
    PRODUCTION = "production"
    PRODUCTION_DEBUG = "production-debug"


class BehaviourMode(StrEnum):
    """Behaviour (`SOMAGENT_MODE`)."""

    DEVELOPER = "DEVELOPER"
    TRAINING = "TRAINING"
    TEST = "TEST"
    PRODUCTION = "PRODUCTION"
    PRODUCTION_ENTERPRISE = "PRODUCTION-ENTERPRISE"


class Topology(StrEnum):
    """How many nodes (`SOMAGENT_TOPOLOGY`)."""

    STANDALONE = "STANDALONE"
    CLUSTER = "CLUSTER"


@dataclass(frozen=True, kw_only=True, slots=True)
class RemoteModel:
    """An OpenAI-compatible endpoint used instead of the local model. `fast_model` is asked there when an
    agent is in a hurry; empty for none."""

    base_url: str
    model: str
    api_key: str = field(default="", repr=False)
    native_tools: bool = True
    fast_model: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Configuration:
    """The whole configuration of a process."""

    home: Path
    deployment_mode: DeploymentMode = DeploymentMode.DEVELOPER_LIGHT
    mode: BehaviourMode = BehaviourMode.DEVELOPER
    topology: Topology = Topology.STANDALONE
    host: str = "127.0.0.1"
    port: int = 8000
    database_url: str = field(default="", repr=False)
    redis_url: str = field(default="", repr=False)
    kafka_servers: str = ""
    kafka_security: KafkaSecurity = field(default_factory=KafkaSecurity)
    opa_url: str = ""
    spicedb_address: str = ""
    spicedb_token: str = field(default="", repr=False)
    milvus_url: str = field(default="", repr=False)
    temporal_address: str = ""
    prometheus_url: str = ""
    local_model: Path | None = None
    remote_model: RemoteModel | None = None
    policy_directory: Path | None = None
    working_memory: int = 32
    memory_hash: tuple[str, ...] = ("secret", "card", "iban", "national_id")
    memory_refuse: tuple[str, ...] = ()
    memory_phone_region: str = ""
    memory_records: int = 0
    memory_bytes: int = 0
    memory_namespace_records: int = 0
    memory_namespace_bytes: int = 0
    memory_retention_days: int = 0
    learning_signal: str = ""
    regret_turns: int = 20
    regret_margin: float = 0.05
    event_retention_days: int = 30
    rate_requests: int = 600
    rate_tenant_requests: int = 6000
    rate_turns: int = 120
    rate_sessions: int = 60
    capsule_blocks: int = 1_024
    capsule_bytes: int = 4_194_304
    tenant_capsules: int = 100
    tenant_capsule_blocks: int = 20_000
    tenant_capsule_bytes: int = 67_108_864
    enable_rlm: bool = True
    allowed_hosts: tuple[str, ...] = ("127.0.0.1", "localhost", "[::1]")
    phase_observer: str = ""

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> "Configuration":
        """The configuration that `environment` spells. Raises InvalidInput naming the variable."""
        read = _Reader(environment)
        mode = read.choice("SOMAGENT_DEPLOYMENT_MODE", DeploymentMode.DEVELOPER_LIGHT)
        return cls(
            home=Path(environment.get("SOMAGENT_HOME") or "~/.somastack").expanduser().resolve(),
            deployment_mode=mode,
            mode=read.choice("SOMAGENT_MODE", BehaviourMode.DEVELOPER),
            topology=read.choice("SOMAGENT_TOPOLOGY", Topology.STANDALONE),
            host=environment.get("SOMAGENT_HOST") or "127.0.0.1",
            port=read.integer("SOMAGENT_PORT", 8000, minimum=1, maximum=65535),
            database_url=environment.get("SOMAGENT_DATABASE_URL", ""),
            redis_url=environment.get("SOMAGENT_REDIS_URL", ""),
            kafka_servers=environment.get("SOMAGENT_KAFKA_SERVERS", ""),
            kafka_security=KafkaSecurity.from_environment(environment),
            opa_url=environment.get("SOMAGENT_OPA_URL", "").rstrip("/"),
            spicedb_address=environment.get("SOMAGENT_SPICEDB_ADDRESS", ""),
            spicedb_token=environment.get("SOMAGENT_SPICEDB_TOKEN", ""),
            milvus_url=environment.get("SOMAGENT_MILVUS_URL", ""),
            temporal_address=environment.get("SOMAGENT_TEMPORAL_ADDRESS", ""),
            prometheus_url=environment.get("SOMAGENT_PROMETHEUS_URL", "").rstrip("/"),
            local_model=read.path("SOMAGENT_LOCAL_MODEL"),
            remote_model=_remote_model(environment, read),
            policy_directory=read.path("SOMAGENT_POLICY_DIR"),
            working_memory=read.integer("SOMAGENT_WORKING_MEMORY", 32, minimum=0, maximum=256),
            memory_hash=read.words_or_none("SOMAGENT_MEMORY_HASH", ("secret", "card", "iban", "national_id")),
            memory_refuse=read.words_or_none("SOMAGENT_MEMORY_REFUSE", ()),
            memory_phone_region=read.region("SOMAGENT_MEMORY_PHONE_REGION"),
            memory_records=read.amount("SOMAGENT_MEMORY_RECORDS"),
            memory_bytes=read.amount("SOMAGENT_MEMORY_BYTES"),
            memory_namespace_records=read.amount("SOMAGENT_MEMORY_NAMESPACE_RECORDS"),
            memory_namespace_bytes=read.amount("SOMAGENT_MEMORY_NAMESPACE_BYTES"),
            memory_retention_days=read.integer(
                "SOMAGENT_MEMORY_RETENTION_DAYS", 0, minimum=0, maximum=36_500
            ),
            learning_signal=environment.get("SOMAGENT_LEARNING_SIGNAL", ""),
            regret_turns=read.integer("SOMAGENT_REGRET_TURNS", 20, minimum=0, maximum=200),
            regret_margin=read.share("SOMAGENT_REGRET_MARGIN", 0.05),
            event_retention_days=read.integer("SOMAGENT_EVENT_RETENTION_DAYS", 30, minimum=1, maximum=36_500),
            rate_requests=read.rate("SOMAGENT_RATE_REQUESTS", 600),
            rate_tenant_requests=read.rate("SOMAGENT_RATE_TENANT_REQUESTS", 6000),
            rate_turns=read.rate("SOMAGENT_RATE_TURNS", 120),
            rate_sessions=read.rate("SOMAGENT_RATE_SESSIONS", 60),
            capsule_blocks=read.integer("SOMAGENT_CAPSULE_BLOCKS", 1_024, minimum=1, maximum=10_000),
            capsule_bytes=read.integer("SOMAGENT_CAPSULE_BYTES", 4_194_304, minimum=1, maximum=4_194_304),
            tenant_capsules=read.integer("SOMAGENT_TENANT_CAPSULES", 100, minimum=0, maximum=1_000_000),
            tenant_capsule_blocks=read.integer(
                "SOMAGENT_TENANT_CAPSULE_BLOCKS", 20_000, minimum=0, maximum=10**9
            ),
            tenant_capsule_bytes=read.integer(
                "SOMAGENT_TENANT_CAPSULE_BYTES", 67_108_864, minimum=0, maximum=10**12
            ),
            enable_rlm=read.flag("SA01_ENABLE_RLM", True),
            allowed_hosts=read.words("SOMAGENT_ALLOWED_HOSTS", ("127.0.0.1", "localhost", "[::1]")),
            phase_observer=environment.get("SOMAGENT_PHASE_OBSERVER", ""),
        )


def _remote_model(environment: Mapping[str, str], read: "_Reader") -> RemoteModel | None:
    base_url = environment.get("SOMAGENT_MODEL_URL", "")
    if not base_url:
        return None
    return RemoteModel(
        base_url=base_url.rstrip("/"),
        model=environment.get("SOMAGENT_MODEL_NAME", "default"),
        api_key=environment.get("SOMAGENT_MODEL_API_KEY", ""),
        native_tools=read.flag("SOMAGENT_MODEL_NATIVE_TOOLS", True),
        fast_model=environment.get("SOMAGENT_MODEL_FAST_NAME", ""),
    )


class _Reader:
    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment

    def choice(self, name: str, default: Choice) -> Choice:
        text = self._environment.get(name)
        if not text:
            return default
        try:
            return type(default)(text)
        except ValueError:
            known = ", ".join(type(default))
            raise InvalidInput(f"{name} is {text!r}; it takes one of {known}") from None

    def integer(self, name: str, default: int, *, minimum: int, maximum: int) -> int:
        text = self._environment.get(name)
        if not text:
            return default
        if not text.isdecimal() or not minimum <= int(text) <= maximum:
            raise InvalidInput(f"{name} is {text!r}; it takes a whole number from {minimum} to {maximum}")
        return int(text)

    def share(self, name: str, default: float) -> float:
        """A number above 0, up to 1."""
        text = self._environment.get(name)
        if not text:
            return default
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if not 0.0 < value <= 1.0:
            raise InvalidInput(f"{name} is {text!r}; it takes a number above 0, up to 1")
        return value

    def rate(self, name: str, default: int) -> int:
        """A number a minute; 0 is no limit."""
        return self.integer(name, default, minimum=0, maximum=1_000_000)

    def amount(self, name: str) -> int:
        """How much there may be; 0 is no limit, and the default."""
        return self.integer(name, 0, minimum=0, maximum=10**15)

    def days(self, name: str) -> int:
        """How long something is kept; 0 is for ever, and the default."""
        return self.integer(name, 0, minimum=0, maximum=36_500)

    def region(self, name: str) -> str:
        """Two letters that name a country; empty for none."""
        text = self._environment.get(name, "").strip().upper()
        if text and not (len(text) == 2 and text.isascii() and text.isalpha()):
            raise InvalidInput(f"{name} is {text!r}; it takes the two letters of a country")
        return text

    def flag(self, name: str, default: bool) -> bool:
        text = self._environment.get(name, "").strip().lower()
        if not text:
            return default
        if text in {"1", "true", "on", "yes"}:
            return True
        if text in {"0", "false", "off", "no"}:
            return False
        raise InvalidInput(f"{name} is {text!r}; it takes on or off")

    def path(self, name: str) -> Path | None:
        text = self._environment.get(name)
        return Path(text).expanduser().resolve() if text else None

    def words_or_none(self, name: str, default: tuple[str, ...]) -> tuple[str, ...]:
        """As `words`, and none at all where the variable says "none"."""
        return () if self._environment.get(name, "").strip().lower() == "none" else self.words(name, default)

    def words(self, name: str, default: tuple[str, ...]) -> tuple[str, ...]:
        text = self._environment.get(name)
        return tuple(word.strip() for word in text.split(",") if word.strip()) if text else default
