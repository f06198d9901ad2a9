"""`somagent relations`: who is related to what, and what that permits."""

from collections.abc import Callable
from dataclasses import asdict
from typing import Any, TypeVar

import click
import orjson

from soma.base.tenancy import Principal
from soma.interfaces.audit import record_decision
from soma.interfaces.cli.boot import Boot
from soma.interfaces.cli.exits import Exit
from soma.interfaces.cli.signals import run
from soma.interfaces.cli.talk import FACE, local_owner
from soma.interfaces.cli.terminal import Spinner, notices
from soma.interfaces.grant import grant as granted
from soma.interfaces.runtime import Runtime
from soma.policy.api import (
    ObjectRef,
    PermissionCheck,
    PermissionDecision,
    Relationship,
    RelationshipFilter,
    SubjectRef,
    Synchronised,
)

T = TypeVar("T")
AS_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON and nothing else.")
LIST_LIMIT = 1000


@click.group()
def relations() -> None:
    """Who is related to what, and what that permits.

    RESOURCE is type:id. SUBJECT is type:id, type:* for everyone, or type:id#relation for a set.
    """


@relations.command(name="list")
@click.option("--resource", metavar="TYPE[:ID]", help="Of this thing, or of things of this type.")
@click.option("--relation", help="With this relation.")
@click.option("--subject", metavar="TYPE[:ID]", help="To this subject, or to subjects of this type.")
@click.option("--limit", type=click.IntRange(1), default=LIST_LIMIT, show_default=True)
@AS_JSON
@click.pass_obj
def list_relations(
    boot: Boot, *, resource: str | None, relation: str | None, subject: str | None, limit: int, as_json: bool
) -> None:
    """List relations."""
    resource_type, resource_id = _parted(resource)
    subject_type, subject_id = _parted(subject)
    wanted = RelationshipFilter(
        resource_type=resource_type,
        resource_id=resource_id,
        relation=relation,
        subject_type=subject_type,
        subject_id=subject_id,
    )
    found = _asked(
        boot, "relation:read", lambda runtime, owner: runtime.relations.read(owner, wanted, limit=limit)
    )
    if len(found) == limit:
        click.echo(f"These are the first {limit}; --limit shows more.", err=True)
    if as_json:
        click.echo(orjson.dumps([_document(each) for each in found]))
    else:
        for each in found:
            click.echo(str(each))


@relations.command()
@click.argument("resource")
@click.argument("permission")
@click.argument("subject")
@AS_JSON
@click.pass_obj
def check(boot: Boot, resource: str, permission: str, subject: str, *, as_json: bool) -> None:
    """Check whether SUBJECT has PERMISSION on RESOURCE; exit code 3 when not."""
    asked = PermissionCheck(
        resource=ObjectRef.parse(resource), permission=permission, subject=SubjectRef.parse(subject)
    )
    decision: PermissionDecision = _asked(
        boot, "relation:read", lambda runtime, owner: runtime.relations.decide(owner, asked)
    )
    if as_json:
        click.echo(orjson.dumps(_decision(decision)))
    else:
        click.echo(f"{'allowed' if decision.allow else 'denied'}: {decision.reason}")
    raise SystemExit(Exit.OK if decision.allow else Exit.DENIED)


@relations.command()
@click.argument("resource")
@click.argument("relation")
@click.argument("subject")
@AS_JSON
@click.pass_obj
def grant(boot: Boot, resource: str, relation: str, subject: str, *, as_json: bool) -> None:
    """Make SUBJECT the RELATION of RESOURCE."""
    wanted = _relationship(resource, relation, subject)
    _asked(boot, "relation:write", lambda runtime, owner: runtime.relations.grant(owner, wanted))
    _tell(wanted, "granted", as_json=as_json)


@relations.command()
@click.argument("resource")
@click.argument("relation")
@click.argument("subject")
@AS_JSON
@click.pass_obj
def revoke(boot: Boot, resource: str, relation: str, subject: str, *, as_json: bool) -> None:
    """Let SUBJECT no longer be the RELATION of RESOURCE."""
    unwanted = _relationship(resource, relation, subject)
    _asked(boot, "relation:write", lambda runtime, owner: runtime.relations.revoke(owner, unwanted))
    _tell(unwanted, "revoked", as_json=as_json)


@relations.command()
@AS_JSON
@click.pass_obj
def sync(boot: Boot, *, as_json: bool) -> None:
    """Compare SpiceDB with the database, relation by relation, and bring it level."""
    done: Synchronised = _asked(
        boot, "relation:write", lambda runtime, owner: runtime.relations.synchronise(owner)
    )
    if as_json:
        click.echo(orjson.dumps(asdict(done)))
    else:
        click.echo(
            f"{done.relationships} relations: {done.touched} were lacking, {done.deleted} were too many"
        )


def _asked(boot: Boot, action: str, use: Callable[[Runtime, Principal], T]) -> T:
    """What `use` gives for this installation's owner, if the policy allows `action`. Raises Denied."""

    async def ask() -> T:
        with Spinner(notices()) as spinner:
            async with boot.start(spinner) as runtime:
                owner = await local_owner(runtime)
                return await runtime.database.run(decided, runtime, owner)

    def decided(runtime: Runtime, owner: Principal) -> T:
        leave = granted(runtime, owner, action, face=FACE)
        if action.endswith(":write"):
            record_decision(leave.asked, leave.decision)
        return use(runtime, owner)

    return run(lambda _: ask())


def _relationship(resource: str, relation: str, subject: str) -> Relationship:
    return Relationship(
        resource=ObjectRef.parse(resource), relation=relation, subject=SubjectRef.parse(subject)
    )


def _parted(text: str | None) -> tuple[str | None, str | None]:
    """Type and id of `type:id`; the id may be missing, as both may."""
    object_type, _, key = (text or "").partition(":")
    return object_type or None, key or None


def _tell(relationship: Relationship, change: str, *, as_json: bool) -> None:
    if as_json:
        click.echo(orjson.dumps({"change": change, **_document(relationship)}))
    else:
        click.echo(f"{change}: {relationship}")


def _document(relationship: Relationship) -> dict[str, str]:
    return {
        "resource": str(relationship.resource),
        "relation": relationship.relation,
        "subject": str(relationship.subject),
    }


def _decision(decision: PermissionDecision) -> dict[str, Any]:
    return {
        "allow": decision.allow,
        "permission": decision.check.name,
        "resource": str(decision.check.resource),
        "subject": str(decision.check.subject),
        "reason": decision.reason,
        "engine": decision.engine,
        "latency_ms": decision.latency_ms,
    }
