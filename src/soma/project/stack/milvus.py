"""Milvus Lite: Milvus's protocol in one Python process."""

import signal
import sys

from soma.project.stack.build_wheel import wheel_directory, wheel_version
from soma.project.stack.cache import Progress
from soma.project.stack.checks import check_grpc, host_and_port
from soma.project.stack.kind import Kind, Program
from soma.project.stack.place import Place
from soma.project.stack.ports import HOST
from soma.project.stack.process import Launch

WHEEL = "milvus-lite"


class Milvus(Kind):
    """Closes its files when it is interrupted; to be told to terminate ends it at once."""

    name = "milvus"
    port = 29530
    variable = "SOMAGENT_MILVUS_URL"
    setting = "milvus_url"
    stop_signal = signal.SIGINT

    def program(self, progress: Progress) -> Program:
        """See Kind."""
        return Program(
            path=wheel_directory("milvus_lite"), version=wheel_version(WHEEL), how=f"wheel {WHEEL}"
        )

    def launch(self, place: Place, program: Program) -> Launch:
        """See Kind."""
        command = (
            sys.executable, "-m", "milvus_lite", "server",
            "--data-dir", str(place.data),
            "--host", HOST,
            "--port", str(place.port),
        )  # fmt: skip
        return Launch(command=command, directory=place.data, environment={"PYTHONUNBUFFERED": "1"})

    def check(self, address: str) -> None:
        """See Kind."""
        host, port = host_and_port(address)
        check_grpc(f"{host}:{port}", "/milvus.proto.milvus.MilvusService/GetVersion")

    def address(self, place: Place) -> str:
        """See Kind."""
        return f"http://{HOST}:{place.port}"
