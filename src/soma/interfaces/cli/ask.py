"""`somagent ask`: one turn, no server needed."""

import sys
from dataclasses import dataclass

import click
import orjson
from rich.console import Console

from soma.agent.api import Frame
from soma.base.errors import InvalidInput
from soma.interfaces.cli.boot import Boot
from soma.interfaces.cli.exits import Exit
from soma.interfaces.cli.signals import run
from soma.interfaces.cli.talk import Talk, id_of, local_owner
from soma.interfaces.cli.terminal import Spinner, notices, output
from soma.interfaces.cli.transcript import Transcript
from soma.interfaces.cli.turn_result import TurnResult, turn_result

SEED_LIMIT = 2**32 - 1


@dataclass(frozen=True, kw_only=True, slots=True)
class Question:
    """What is asked, of whom and where."""

    text: str
    seed: int | None
    agent: str | None
    conversation: str | None


@click.command()
@click.argument("text")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object and nothing else.")
@click.option(
    "--seed",
    type=click.IntRange(0, SEED_LIMIT),
    help="Seed of the sampling; repeats the first such answer.",
)
@click.option("--agent", help="The agent (capsule) that answers.")
@click.option("--conversation", metavar="ID", help="Go on with this conversation.")
@click.pass_obj
def ask(
    boot: Boot, text: str, *, as_json: bool, seed: int | None, agent: str | None, conversation: str | None
) -> None:
    """Ask one question and print the answer. TEXT may be - to read standard input."""
    asked = _standard_input() if text == "-" else text
    question = Question(text=asked, seed=seed, agent=agent, conversation=conversation)
    console = output()
    result = run(lambda _: _ask(boot, question, console, live=console.is_terminal and not as_json))
    if as_json:
        click.echo(orjson.dumps(result.to_dict()))
    elif not console.is_terminal:
        click.echo(result.turn.answer or "")
        for reason in result.degraded_reasons:
            click.echo(f"degraded: {reason}", err=True)
    raise SystemExit(Exit.FAILED if result.failed else Exit.OK)


def _standard_input() -> str:
    try:
        return sys.stdin.buffer.read().decode()
    except UnicodeDecodeError as error:
        raise InvalidInput(f"standard input is not UTF-8: byte {error.start} is out of place") from None


async def _ask(boot: Boot, question: Question, console: Console, *, live: bool) -> TurnResult:
    conversation = id_of(question.conversation, what="conversation") if question.conversation else None
    show = Transcript(console).show if live else _unseen
    with Spinner(notices()) as spinner:
        async with boot.start(spinner, talks=True) as runtime:
            spinner.stop()
            owner = await local_owner(runtime)
            talk = Talk(runtime, owner, agent=question.agent, conversation=conversation)
            turn = await talk.say(question.text, show, seed=question.seed)
            return await turn_result(runtime, owner, turn)


def _unseen(frame: Frame) -> None:
    """The answer is printed once it is whole."""
