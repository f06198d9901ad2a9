"""Where the real servers of `developer-full` are: as the environment says, else as `somagent stack up` noted,
else where compose.yaml publishes them."""

import socket
from collections.abc import Mapping

from soma.base.configuration import Configuration, DeploymentMode
from soma.base.errors import InvalidInput, Unavailable

NEEDED = ("postgres", "redis", "kafka", "opa", "spicedb", "milvus")
"""What the application uses itself; the others of the stack it can do without."""

PROBE_SECONDS = 0.5


def with_servers(environment: Mapping[str, str]) -> Configuration:
    """The configuration that `environment` spells, with the addresses that its deployment mode adds.

    Raises InvalidInput naming the servers that `developer-full` lacks.
    """
    configuration = Configuration.from_environment(environment)
    if configuration.deployment_mode is not DeploymentMode.DEVELOPER_FULL:
        return configuration
    # Imported here: no other mode has use for it, and every command would wait for it.
    from soma.project.stack.servers import KINDS

    found = _found(configuration)
    said = {name: value for name, value in environment.items() if value}
    configuration = Configuration.from_environment({**found, **said})
    lacking = [name for name in NEEDED if not getattr(configuration, KINDS[name].setting)]
    if lacking:
        raise InvalidInput(
            f"SOMAGENT_DEPLOYMENT_MODE=developer-full needs {', '.join(lacking)}: "
            "start all of them with `make stack`, or name each by its variable"
        )
    return configuration


def _found(configuration: Configuration) -> dict[str, str]:
    from soma.project.stack.compose import compose_environment
    from soma.project.stack.servers import KINDS
    from soma.project.stack.state import stack_environment

    try:
        noted = stack_environment(configuration.home)
    except Unavailable as error:
        raise InvalidInput(error.detail) from error
    return noted or {
        variable: value
        for name in NEEDED
        if _listens(KINDS[name].port)
        for variable, value in compose_environment().items()
        if variable in {KINDS[name].variable, "SOMAGENT_SPICEDB_TOKEN"}
    }


def _listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=PROBE_SECONDS).close()
    except OSError:
        return False
    return True
