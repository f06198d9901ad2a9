"""`somagent audit verify`: look for whatever is not as it was recorded."""

from pathlib import Path

import click
import orjson

from soma.base.errors import NotFound
from soma.base.tenancy import Principal
from soma.events.api import AuditCheckpoint, AuditReport, audit_checkpoint_from
from soma.interfaces.cli.audit_commands.asked import AS_JSON, VERIFY, asked
from soma.interfaces.cli.boot import Boot, Progress
from soma.interfaces.cli.exits import Exit
from soma.interfaces.runtime import Runtime


@click.command()
@click.option(
    "--from-checkpoint",
    "path",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Only what follows the checkpoint in this file, which the log must still hold.",
)
@AS_JSON
@click.pass_obj
def verify(boot: Boot, *, path: Path | None, as_json: bool) -> None:
    """Verify every event and checkpoint; exit code 5 when one is not as it was recorded."""
    since = None if path is None else audit_checkpoint_from(path.read_bytes())

    def use(runtime: Runtime, owner: Principal, progress: Progress) -> AuditReport:
        return _verified(runtime, owner, progress, since)

    report = asked(boot, VERIFY, use)
    click.echo(orjson.dumps(report.as_json()) if as_json else _told(report))
    raise SystemExit(Exit.OK if report.intact else Exit.BROKEN)


def _verified(
    runtime: Runtime, owner: Principal, progress: Progress, since: AuditCheckpoint | None
) -> AuditReport:
    report = None
    for report in runtime.audit.verify(owner.tenant_id, since=since):
        progress(f"Verifying: {report.sequence:,} of {report.expected:,} events")
    if report is None:
        raise NotFound("nothing has been recorded yet")
    return report


def _told(report: AuditReport) -> str:
    if report.broken is not None:
        return f"BROKEN at {report.broken}"
    expired = f" ({report.expired:,} more are older than the log keeps)" if report.expired else ""
    return (
        f"intact: {report.events:,} events up to {report.sequence:,}{expired}; "
        f"{report.checkpoints:,} checkpoints, everything up to {report.proven:,} is signed"
    )
