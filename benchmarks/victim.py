"""Turns in a process that somebody kills: `python -m benchmarks.victim TENANT SEED CONVERSATION…`.

It says a line for whatever it sees of them, so that whoever kills it knows how far it is.
"""

import asyncio
import os
import sys
from uuid import UUID

import django


async def main(slug: str, seed: int, conversations: list[str]) -> None:
    """Take a turn in each of the conversations, all at once."""
    from benchmarks.conversing import desk  # noqa: PLC0415 - they need Django set up
    from benchmarks.courses import CourseModel  # noqa: PLC0415
    from soma.agent.api import Models  # noqa: PLC0415
    from soma.project.configuration import CONFIGURATION  # noqa: PLC0415

    def say(event: str) -> None:
        sys.stdout.write(f"{event}\n")
        sys.stdout.flush()

    async with desk(CONFIGURATION, Models(primary=CourseModel()), take_over=False) as opened:
        principal = await opened.tenant(slug)
        async with asyncio.TaskGroup() as group:
            for number, conversation in enumerate(conversations):
                text = f"Question {seed + number}: what do they come to?"
                group.create_task(
                    opened.take(principal, UUID(conversation), text, seed=seed + number, told=say)
                )


if __name__ == "__main__":
    django.setup()
    asyncio.run(main(sys.argv[1], int(sys.argv[2]), sys.argv[3:]))
    sys.stdout.flush()
    os._exit(0)
