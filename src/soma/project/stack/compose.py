"""Where the servers of compose.yaml are, which tells nobody: the default ports, and its default passwords."""

from soma.project.stack.ports import HOST
from soma.project.stack.servers import KINDS

PASSWORD = "soma-development"  # noqa: S105 - of servers for local development, as compose.yaml says


def compose_environment() -> dict[str, str]:
    """The variables that point the application at every server of compose.yaml as it stands."""
    places = {name: f"{HOST}:{kind.port}" for name, kind in KINDS.items()}
    return {
        "SOMAGENT_DATABASE_URL": f"postgresql://postgres:{PASSWORD}@{places['postgres']}/soma",
        "SOMAGENT_REDIS_URL": f"redis://{places['redis']}/0",
        "SOMAGENT_KAFKA_SERVERS": places["kafka"],
        "SOMAGENT_OPA_URL": f"http://{places['opa']}",
        "SOMAGENT_SPICEDB_ADDRESS": places["spicedb"],
        "SOMAGENT_SPICEDB_TOKEN": PASSWORD,
        "SOMAGENT_TEMPORAL_ADDRESS": places["temporal"],
        "SOMAGENT_MILVUS_URL": f"http://{places['milvus']}",
        "SOMAGENT_PROMETHEUS_URL": f"http://{places['prometheus']}",
    }
