"""Capsules: the default one, loading, and the check of their signature."""

from collections.abc import Sequence
from dataclasses import asdict
from uuid import UUID

from django.db import connections

from soma.agent.domain.capsule import Capsule, LoopSettings, manifest
from soma.agent.domain.tool import ToolExample, ToolSpec
from soma.agent.models import CapabilityRow, CapsuleCapabilityRow, CapsuleRow
from soma.agent.services.relate import ties_of_agent
from soma.base import clock
from soma.base.canonical import canonical_bytes
from soma.base.crypto import SigningKey, verify_signature
from soma.base.database import APP, tenant_transaction
from soma.base.errors import Denied, NotFound
from soma.base.ids import new_id
from soma.policy.api import Relations

DEFAULT_NAME = "soma"
CERTIFIED = "certified"
UNUSED = UUID(int=0)


class Capsules:
    """The capsules of every tenant, as certified by this installation's key."""

    def __init__(
        self, key: SigningKey, tools: Sequence[ToolSpec], system_prompt: str, relations: Relations
    ) -> None:
        """`relations` learn of each new capsule and its tools."""
        self._key = key
        self._tools = tuple(tools)
        self._system_prompt = system_prompt
        self._relations = relations
        self._loaded: dict[tuple[UUID, UUID, int], Capsule] = {}

    def ensure_default(self, tenant_id: UUID) -> UUID:
        """The id of the tenant's default capsule, certified on first use."""
        with tenant_transaction(tenant_id):
            row = _newest(DEFAULT_NAME)
            if row is None:
                _one_at_a_time(tenant_id)
                row = _newest(DEFAULT_NAME)
            return row.id if row else self._create(tenant_id, DEFAULT_NAME, LoopSettings())

    def standing(self, tenant_id: UUID, name: str) -> Capsule:
        """The newest capsule called `name`, inside an open transaction; the default one as it would be
        certified where it was not used yet, with an id that is all zeros. Raises NotFound, Denied."""
        row = _newest(name)
        if row is not None:
            return self.load(row)
        if name != DEFAULT_NAME:
            raise _unknown(name)
        return Capsule(
            id=UNUSED,
            tenant_id=tenant_id,
            name=name,
            version=1,
            system_prompt=self._system_prompt,
            loop=LoopSettings(),
            tools=tuple(sorted(self._tools, key=lambda tool: tool.name)),
        )

    def create(self, tenant_id: UUID, name: str, loop: LoopSettings) -> UUID:
        """Certify a new capsule with the built-in tools."""
        with tenant_transaction(tenant_id):
            return self._create(tenant_id, name, loop)

    def load(self, row: CapsuleRow) -> Capsule:
        """The capsule of `row`, inside an open transaction. A version never changes, so it is read and its
        signature is checked once; the status is checked each time. Raises Denied."""
        if row.status != CERTIFIED:
            raise Denied(f"the capsule {row.name} is {row.status}")
        key = (row.tenant_id, row.id, row.version)
        if key not in self._loaded:
            self._loaded[key] = self._verified(row)
        return self._loaded[key]

    def _verified(self, row: CapsuleRow) -> Capsule:
        capabilities = list(row.capabilities.order_by("name"))
        document = manifest(
            row.name, row.version, row.system_prompt, row.loop, [each.name for each in capabilities]
        )
        signed = verify_signature(bytes(row.signer), canonical_bytes(document), bytes(row.signature))
        if not signed or bytes(row.signer) != self._key.public:
            raise Denied(f"the capsule {row.name} v{row.version} is not certified by this installation")
        return Capsule(
            id=row.id,
            tenant_id=row.tenant_id,
            name=row.name,
            version=row.version,
            system_prompt=row.system_prompt,
            loop=LoopSettings(**row.loop),
            tools=tuple(_tool(each) for each in capabilities),
        )

    def _create(self, tenant_id: UUID, name: str, loop: LoopSettings) -> UUID:
        capabilities = self._ensure_capabilities(tenant_id)
        document = manifest(name, 1, self._system_prompt, asdict(loop), [each.name for each in capabilities])
        capsule = CapsuleRow.objects.create(
            id=new_id(),
            tenant_id=tenant_id,
            name=name,
            version=1,
            status=CERTIFIED,
            system_prompt=self._system_prompt,
            loop=asdict(loop),
            signature=self._key.sign(canonical_bytes(document)),
            signer=self._key.public,
            created_at=clock.now(),
        )
        CapsuleCapabilityRow.objects.bulk_create(
            CapsuleCapabilityRow(id=new_id(), tenant_id=tenant_id, capsule=capsule, capability=each)
            for each in capabilities
        )
        names = [each.name for each in capabilities]
        self._relations.write(tenant_id, touch=ties_of_agent(tenant_id, capsule.id, names))
        return capsule.id

    def _ensure_capabilities(self, tenant_id: UUID) -> list[CapabilityRow]:
        CapabilityRow.objects.bulk_create(
            (_row(tenant_id, tool) for tool in self._tools), ignore_conflicts=True
        )
        names = [tool.name for tool in self._tools]
        return list(CapabilityRow.objects.filter(name__in=names).order_by("name"))


def named(name: str) -> CapsuleRow:
    """The newest version of the capsule called `name`, inside an open transaction. Raises NotFound."""
    row = _newest(name)
    if row is None:
        raise _unknown(name)
    return row


def _newest(name: str) -> CapsuleRow | None:
    return CapsuleRow.objects.filter(name=name).order_by("-version").first()


def _one_at_a_time(tenant_id: UUID) -> None:
    """Until the transaction ends nobody else certifies the tenant's first capsule."""
    with connections[APP].cursor() as cursor:
        cursor.execute(
            "SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"soma.first_capsule.{tenant_id}"]
        )


def _unknown(name: str) -> NotFound:
    return NotFound(f"there is no agent called {name!r}")


def _row(tenant_id: UUID, tool: ToolSpec) -> CapabilityRow:
    return CapabilityRow(
        id=new_id(),
        tenant_id=tenant_id,
        name=tool.name,
        description=tool.description,
        input_schema=tool.input_schema,
        output_schema=tool.output_schema,
        config={
            "triggers": list(tool.triggers),
            "examples": [asdict(example) for example in tool.examples],
            "timeout_seconds": tool.timeout_seconds,
        },
        idempotent=tool.idempotent,
        is_enabled=tool.enabled,
    )


def _tool(row: CapabilityRow) -> ToolSpec:
    return ToolSpec(
        name=row.name,
        description=row.description,
        input_schema=row.input_schema,
        output_schema=row.output_schema,
        triggers=tuple(row.config["triggers"]),
        examples=tuple(ToolExample(**example) for example in row.config["examples"]),
        idempotent=row.idempotent,
        enabled=row.is_enabled,
        timeout_seconds=row.config["timeout_seconds"],
    )
