"""`python -m tests.interfaces.cli.give_up DETAIL…`: gives up events of this installation's owner."""

import asyncio
import os
import sys

import django


async def main(details: list[str]) -> None:
    """Record them."""
    from soma.interfaces.cli.talk import local_owner
    from soma.project.main import Installation
    from tests.interfaces.given_up import given_up

    async with Installation().start(lambda step: None) as runtime:
        owner = await local_owner(runtime)
        for detail in details:
            await runtime.database.run(given_up, owner.tenant_id, detail)


if __name__ == "__main__":
    os.environ["DJANGO_SETTINGS_MODULE"] = "soma.project.settings"
    django.setup()
    asyncio.run(main(sys.argv[1:]))
