"""`somagent doctor`: the command around `doctor`'s checks."""

import click

from soma.interfaces.cli import doctor as checkup
from soma.interfaces.cli.boot import Boot


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print one JSON list and nothing else.")
@click.option("--deep", is_flag=True, help="Load the local model as well.")
@click.pass_obj
def doctor(boot: Boot, as_json: bool, deep: bool) -> None:
    """Check this machine; name what is missing and the one command that mends it."""
    configuration = boot.configuration
    raise SystemExit(checkup.run(configuration.home, configuration.port, as_json, deep=deep))
