"""`somagent audit key`: the public key that checkpoints are signed with."""

from dataclasses import asdict

import click
import orjson

from soma.interfaces.cli.audit_commands.asked import AS_JSON, VERIFY, asked
from soma.interfaces.cli.boot import Boot


@click.command()
@AS_JSON
@click.pass_obj
def key(boot: Boot, *, as_json: bool) -> None:
    """Print the public key: 32 bytes of Ed25519 in hex."""
    public = asked(boot, VERIFY, lambda runtime, _owner, _progress: runtime.audit.public_key())
    click.echo(orjson.dumps(asdict(public)) if as_json else public.public)
