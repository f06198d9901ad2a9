"""`somagent memory recall`: ask memory something."""

from datetime import UTC, datetime

import click
import orjson

from soma.base.tenancy import Principal
from soma.brain.api import CapsuleReference, Recall, RecallRequest, owned_namespace
from soma.interfaces.cli.boot import Boot, Progress
from soma.interfaces.cli.memory_commands.asked import AS_JSON, NAMESPACE, READ, asked
from soma.interfaces.cli.memory_commands.evidence_report import document, report
from soma.interfaces.cli.terminal import output
from soma.interfaces.runtime import Runtime

MOMENTS = ["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M:%S%z"]


@click.command()
@click.argument("query")
@click.option("--top-k", type=click.IntRange(1, 100), default=8, show_default=True, help="At most so many.")
@NAMESPACE
@click.option("--explain", is_flag=True, help="Show what each score is made of.")
@click.option("--as-of", type=click.DateTime(MOMENTS), help="Leave out what happened later (UTC).")
@click.option("--min-score", type=click.FloatRange(0, 1), default=0.0, help="The least cosine.")
@click.option(
    "--capsule", "capsules", multiple=True, metavar="CAPSULE", help="From this memory capsule alone."
)
@AS_JSON
@click.pass_obj
def recall(
    boot: Boot,
    query: str,
    *,
    top_k: int,
    namespace: str,
    explain: bool,
    as_of: datetime | None,
    min_score: float,
    capsules: tuple[str, ...],
    as_json: bool,
) -> None:
    """What memory knows that bears on QUERY, best first. Nothing known is an answer, with exit code 0."""

    named = tuple(map(CapsuleReference.parse, capsules))

    def use(runtime: Runtime, owner: Principal, progress: Progress) -> Recall:
        progress("Recalling")
        return runtime.brain.recall(
            RecallRequest(
                tenant_id=owner.tenant_id,
                agent_id=None,
                namespace=owned_namespace(owner.user_id, namespace),
                query=query,
                top_k=top_k,
                min_score=min_score,
                as_of=_in_utc(as_of),
                kinds=None,
                capsule_ids=named,
                explain=explain,
            )
        )

    found = asked(boot, READ, use)
    if as_json:
        # The roles of frames are names of an enumeration.
        click.echo(orjson.dumps(document(found, explain=explain), option=orjson.OPT_NON_STR_KEYS))
    else:
        report(output(), found, explain=explain)


def _in_utc(moment: datetime | None) -> datetime | None:
    return moment if moment is None or moment.tzinfo else moment.replace(tzinfo=UTC)
