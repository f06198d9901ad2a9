"""Events of every type, linked and signed."""

from uuid import UUID

from soma.base.database import tenant_transaction, worker_transaction
from soma.base.ids import new_id
from soma.events.api import AuditSigner, Event, EventLog, Relay, publish
from soma.events.audit.chain import AuditChain
from tests.events.samples import PAYLOADS, pending


def record(log: EventLog, signer: AuditSigner, *, amount: int, every: int) -> UUID:
    """A new tenant with `amount` events in `log`, of which every `every` are signed."""
    tenant, chain = new_id(), AuditChain(log)
    for start in range(0, amount, every):
        with worker_transaction():
            chain.append([pending(event(tenant, at)) for at in range(start, min(amount, start + every))])
        signer.sign([tenant])
    return tenant


def relay(log: EventLog, signer: AuditSigner, *, amount: int, every: int) -> UUID:
    """The same by way of the outbox."""
    tenant = new_id()
    relay = Relay(log)
    relay.start()
    for start in range(0, amount, every):
        publish_to(tenant, start, min(amount, start + every))
        assert relay.drain(30)
        signer.sign([tenant])
    relay.stop()
    return tenant


def publish_to(tenant: UUID, start: int, stop: int) -> None:
    """Publish the tenant's events from the number `start` to before `stop`."""
    with tenant_transaction(tenant):
        publish(*(event(tenant, number) for number in range(start, stop)))


def event(tenant: UUID, number: int) -> Event:
    """An event of one type after the other."""
    kind, payload = list(PAYLOADS.items())[number % len(PAYLOADS)]
    return Event(tenant_id=tenant, type=kind, key=f"key {number}", payload=payload, trace_id=f"t{number}")
