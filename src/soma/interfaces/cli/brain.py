"""`somagent brain`: what a message would meet."""

from uuid import UUID

import click
import orjson

from soma.agent.api import ContextBundle, EvaluateRequest
from soma.interfaces.cli.boot import Boot
from soma.interfaces.cli.brain_report import report
from soma.interfaces.cli.memory_commands.asked import AS_JSON, NAMESPACE, READ
from soma.interfaces.cli.signals import run
from soma.interfaces.cli.talk import id_of, local_owner, may
from soma.interfaces.cli.terminal import Spinner, notices, output


@click.group()
def brain() -> None:
    """What a message would meet, before it is sent."""


@brain.command()
@click.argument("query")
@click.option("--conversation", metavar="ID", help="As a further message of this conversation.")
@click.option("--agent", metavar="NAME", help="As the first message to this agent.")
@NAMESPACE
@click.option("--top-k", type=click.IntRange(1, 100), help="Recall at most so many.")
@click.option("--token-budget", type=click.IntRange(min=1), help="Share out so many tokens.")
@AS_JSON
@click.pass_obj
def evaluate(
    boot: Boot,
    query: str,
    *,
    conversation: str | None,
    agent: str | None,
    namespace: str,
    top_k: int | None,
    token_budget: int | None,
    as_json: bool,
) -> None:
    """What QUERY would be answered from, and what could be done about it: evidence, the lanes of the context
    and what they leave out, suggestions with the terms of their utility, what must not be done. Nothing is
    stored and no model runs."""
    request = EvaluateRequest(
        query=query,
        conversation_id=None if conversation is None else _conversation(conversation),
        agent=agent,
        namespace=namespace,
        top_k=top_k,
        token_budget=token_budget,
    )
    bundle = run(lambda _: _evaluated(boot, request))
    if as_json:
        # The roles of frames are names of an enumeration.
        click.echo(orjson.dumps(bundle.to_dict(), option=orjson.OPT_NON_STR_KEYS))
    else:
        report(output(), bundle)


def _conversation(text: str) -> UUID:
    return id_of(text, what="conversation")


async def _evaluated(boot: Boot, request: EvaluateRequest) -> ContextBundle:
    with Spinner(notices()) as spinner:
        async with boot.start(spinner) as runtime:
            owner = await local_owner(runtime)
            await may(runtime, owner, READ)
            spinner("Evaluating")
            return await runtime.agent.evaluate(owner, request)
