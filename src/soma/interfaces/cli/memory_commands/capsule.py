"""`somagent memory capsule`: knowledge in signed bundles."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import click
import orjson

from soma.base.clock import now
from soma.base.errors import InvalidInput, SomaError
from soma.base.tenancy import Principal
from soma.brain.api import (
    CapsuleBlock,
    CapsuleMetadata,
    CapsulePlan,
    CapsuleReference,
    CapsuleVersion,
    SignedCapsule,
    UploadedCapsule,
    blocks_of_file,
    owned_namespace,
)
from soma.interfaces.capsule_admission import admission
from soma.interfaces.cli.boot import Boot, Progress
from soma.interfaces.cli.exits import exit_of, explained
from soma.interfaces.cli.memory_commands.asked import AS_JSON, READ, WRITE, asked
from soma.interfaces.cli.talk import FACE
from soma.interfaces.cli.terminal import printable
from soma.interfaces.runtime import Runtime

FILE = click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))


@click.group()
def capsule() -> None:
    """Knowledge in signed bundles, to hand around and to recall from.

    CAPSULE is ID, or ID@VERSION for one version.
    """


@capsule.command()
@click.option("--name", required=True, help="What it is called; the same name again is its next version.")
@click.option(
    "--from", "files", multiple=True, type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="JSON Lines (.jsonl), Markdown or text; may be given several times.",
)  # fmt: skip
@click.option("--namespace", metavar="NAME", help="Memories of this namespace of yours.")
@click.option(
    "--key", "keys", multiple=True, help="Of those the one of this key; may be given several times."
)
@click.option("--description", default="", help="What it is about.")
@click.option("--version", type=click.IntRange(1), help="Instead of the one after the last that you have.")
@click.option("--id", "capsule_id", type=click.UUID, help="Instead of the id that follows from the name.")
@click.option("--at", metavar="TIME", help="Instead of now, as the time it was made (RFC 3339).")
@click.option("-o", "--output", required=True, type=click.Path(dir_okay=False, path_type=Path))
@AS_JSON
@click.pass_obj
def build(
    boot: Boot,
    *,
    name: str,
    files: tuple[Path, ...],
    namespace: str | None,
    keys: tuple[str, ...],
    description: str,
    version: int | None,
    capsule_id: UUID | None,
    at: str | None,
    output: Path,
    as_json: bool,
) -> None:
    """Make a capsule of files or of memories, signed with this installation's key."""
    if not files and namespace is None:
        raise click.UsageError("name what it is made of: --from FILE or --namespace")
    moment = _moment(at)
    read = [block for file in files for block in blocks_of_file(file.name, file.read_bytes(), at=moment)]

    def make(runtime: Runtime, owner: Principal, progress: Progress) -> bytes:
        progress("Making the capsule")
        capsules = runtime.memory_capsules
        plan = CapsulePlan(
            name=name,
            version=version or capsules.next_version(owner.tenant_id, name, capsule_id),
            description=description,
            policy_hash=runtime.policy.policy_hash,
            created_at=moment,
            id=capsule_id,
            blocks=[*read, *(_memories(runtime, owner, namespace, keys) if namespace else [])],
        )
        return capsules.build(plan)

    data: bytes = asked(boot, READ, make)
    output.write_bytes(data)
    made = orjson.loads(data)
    told = {
        "id": made["id"],
        "version": made["version"],
        "digest": made["digest"],
        "blocks": len(made["blocks"]),
        "bytes": len(data),
        "file": str(output),
    }
    _tell(told, "{file}: {id}@{version}, {blocks} blocks, {bytes} bytes", as_json=as_json)


@capsule.command()
@FILE
@AS_JSON
@click.pass_obj
def verify(boot: Boot, file: Path, *, as_json: bool) -> None:
    """Check signature, issuer, digests and limits of FILE; a failure is named."""
    data = file.read_bytes()

    def check(runtime: Runtime, owner: Principal, progress: Progress) -> SignedCapsule | SomaError:
        try:
            return runtime.memory_capsules.verify(owner.tenant_id, data)
        except SomaError as error:
            if "reason" not in error.extra:
                raise
            return error

    found: SignedCapsule | SomaError = asked(boot, READ, check)
    if isinstance(found, SomaError):
        told = {"valid": False, "detail": found.detail, **found.extra}
        click.echo(orjson.dumps(told) if as_json else f"{found.extra['reason']}: {explained(found)}")
        raise SystemExit(exit_of(found))
    _tell(
        {
            "valid": True,
            "id": str(found.capsule.id),
            "name": found.capsule.name,
            "version": found.capsule.version,
            "issuer": found.capsule.issuer,
            "policy_hash": found.capsule.policy_hash,
            "digest": found.digest,
            "blocks": len(found.capsule.blocks),
            "bytes": found.size,
        },
        "valid: {name}, {id}@{version}, {blocks} blocks, issued by {issuer}",
        as_json=as_json,
    )


@capsule.command()
@FILE
@AS_JSON
@click.pass_obj
def upload(boot: Boot, file: Path, *, as_json: bool) -> None:
    """Take in the capsule FILE; the same again changes nothing."""
    data = file.read_bytes()

    def take(runtime: Runtime, owner: Principal, progress: Progress) -> UploadedCapsule:
        progress("Taking the capsule in")
        return runtime.memory_capsules.upload(owner, data, admission(runtime, owner, face=FACE))

    done: UploadedCapsule = asked(boot, WRITE, take)
    told = {**asdict(done.capsule), "new": done.new}
    _tell(told, "taken in: {id}@{version}" if done.new else "stands already: {id}@{version}", as_json=as_json)


@capsule.command(name="list")
@click.option("--after", metavar="CAPSULE", help="Those behind this version: ID@VERSION.")
@click.option("--limit", type=click.IntRange(1, 200), default=200, show_default=True)
@AS_JSON
@click.pass_obj
def list_capsules(boot: Boot, *, after: str | None, limit: int, as_json: bool) -> None:
    """List capsules, version by version."""
    place = None if after is None else CapsuleReference.parse(after)
    found: list[CapsuleVersion] = asked(
        boot,
        READ,
        lambda runtime, owner, _: runtime.memory_capsules.page(owner.tenant_id, after=place, limit=limit),
    )
    if len(found) == limit:
        click.echo(f"These are {limit}; --after {found[-1].id}@{found[-1].version} shows more.", err=True)
    _tell_versions(found, as_json=as_json)


@capsule.command()
@click.argument("reference", metavar="CAPSULE")
@AS_JSON
@click.pass_obj
def show(boot: Boot, reference: str, *, as_json: bool) -> None:
    """Show what was signed of CAPSULE, without the contents."""
    named = CapsuleReference.parse(reference)
    found: CapsuleMetadata = asked(
        boot, READ, lambda runtime, owner, _: runtime.memory_capsules.find(owner.tenant_id, named)
    )
    if as_json:
        click.echo(orjson.dumps(asdict(found)))
        return
    _tell_versions([found.version], as_json=False)
    click.echo(f"{'the signature holds' if found.intact else 'THE SIGNATURE DOES NOT HOLD'}")
    for each in found.blocks:
        click.echo(f"{each.digest}  {each.bytes:6d}  {printable(each.key)}")


@capsule.command()
@click.argument("reference", metavar="CAPSULE")
@click.option("--reason", required=True, help="Is kept and told in the event.")
@AS_JSON
@click.pass_obj
def revoke(boot: Boot, reference: str, *, reason: str, as_json: bool) -> None:
    """Recall nothing more from CAPSULE, and delete its memories."""
    named = CapsuleReference.parse(reference)
    found: list[CapsuleVersion] = asked(
        boot,
        WRITE,
        lambda runtime, owner, _: runtime.memory_capsules.revoke(owner, named, reason),
    )
    _tell_versions(found, as_json=as_json)


@capsule.command()
@click.argument("key", required=False)
@click.option("--label", default="", help="Whose it is.")
@click.option(
    "--remove", is_flag=True, help="Take no more of KEY; what was taken stands until it is revoked."
)
@AS_JSON
@click.pass_obj
def trust(boot: Boot, key: str | None, *, label: str, remove: bool, as_json: bool) -> None:
    """Take capsules that KEY issues: 64 hexadecimal digits. Without KEY, list whom you trust."""

    def change(runtime: Runtime, owner: Principal, progress: Progress) -> list[dict[str, Any]]:
        capsules = runtime.memory_capsules
        if key is not None and remove:
            capsules.distrust(owner, key)
        elif key is not None:
            capsules.trust(owner, key, label)
        return [asdict(issuer) for issuer in capsules.issuers(owner.tenant_id)]

    if remove and key is None:
        raise click.UsageError("name the KEY to remove")
    found = asked(boot, READ if key is None else "admin:memory-capsules", change)
    if as_json:
        click.echo(orjson.dumps(found))
        return
    for each in found:
        click.echo(f"{each['public_key']}  {printable(each['label'])}")


def _moment(at: str | None) -> datetime:
    if at is None:
        return now()
    try:
        moment = datetime.fromisoformat(at)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise InvalidInput(f"{at!r} is no time with its offset, like 2026-01-31T12:00:00Z")
    return moment


def _memories(runtime: Runtime, owner: Principal, name: str, keys: Sequence[str]) -> list[CapsuleBlock]:
    namespace = owned_namespace(owner.user_id, name)
    return runtime.memory_capsules.blocks_of(owner.tenant_id, namespace, keys=list(keys) or None)


def _tell(told: dict[str, Any], text: str, *, as_json: bool) -> None:
    click.echo(orjson.dumps(told) if as_json else printable(text.format(**told)))


def _tell_versions(versions: Sequence[CapsuleVersion], *, as_json: bool) -> None:
    if as_json:
        click.echo(orjson.dumps([asdict(each) for each in versions]))
        return
    for each in versions:
        mark = f"revoked: {each.revocation_reason}" if each.revoked_at else f"{each.blocks} blocks"
        click.echo(printable(f"{each.id}@{each.version}  {each.name}  {mark}"))
