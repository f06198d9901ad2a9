"""`somagent up`: serve everything."""

import socket

import click
from rich.console import Console

from soma.interfaces.cli.boot import Boot
from soma.interfaces.cli.server import Server, address, bind, configured
from soma.interfaces.cli.signals import Signals, run
from soma.interfaces.cli.terminal import output
from soma.interfaces.runtime import Runtime


@click.command()
@click.option("--host", help="Address to listen on (default: SOMAGENT_HOST or 127.0.0.1).")
@click.option(
    "--port", type=click.IntRange(0, 65535), help="Port (default: SOMAGENT_PORT or 8000; 0: any free one)."
)
@click.pass_obj
def up(boot: Boot, host: str | None, port: int | None) -> None:
    """Serve everything on this machine, until Ctrl-C."""
    configuration = boot.configuration
    bound = bind(host or configuration.host, configuration.port if port is None else port)
    with bound:
        run(lambda signals: _up(boot, bound, output(), signals))


async def _up(boot: Boot, bound: socket.socket, console: Console, signals: Signals) -> None:
    async with boot.start(lambda step: _step(console, step), serve=True) as runtime:
        token = await _owner_token(runtime)
        server = Server(
            configured(boot.application()),
            closing=runtime.closing,
            listening=lambda: _welcome(console, address(bound), token),
        )
        signals.react = server.stop
        await server.serve(sockets=[bound])
        _step(console, "Stopping")


async def _owner_token(runtime: Runtime) -> str | None:
    owner = await runtime.database.run(runtime.identity.bootstrap_owner)
    return owner.token


def _step(console: Console, text: str) -> None:
    console.print(f"• {text}", style="dim")


def _welcome(console: Console, url: str, token: str | None) -> None:
    if token is None:
        console.print("Sign in with the owner's token; `somagent token new` makes another.", style="dim")
    else:
        console.print("\nThe owner's token, shown this once:")
        console.print(f"  {token}\n", style="bold")
        url = f"{url}#token={token}"
    console.print(f"Open {url}", style="bold green")
