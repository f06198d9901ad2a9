"""A kind of server small enough to show each way in which a server can misbehave."""

import sys
from pathlib import Path

from soma.project.stack.cache import Progress
from soma.project.stack.checks import check_http
from soma.project.stack.kind import Kind, Program
from soma.project.stack.place import Place
from soma.project.stack.ports import HOST
from soma.project.stack.process import Launch

SERVE = """
import http.server, sys
handler = http.server.SimpleHTTPRequestHandler
http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), handler).serve_forever()
"""
FAIL = "print('cannot find my configuration'); raise SystemExit(1)"
HANG = "import time; print('thinking', flush=True); time.sleep(600)"


class LittleServer(Kind):
    """Runs `script` with its port as argument; serves files unless the script says otherwise."""

    name = "little"
    port = 19999
    variable = "SOMAGENT_LITTLE_URL"
    setting = "little_url"
    start_seconds = 20.0
    stop_seconds = 5.0

    def __init__(
        self, script: str = SERVE, *, start_seconds: float = 20.0, path: str = sys.executable
    ) -> None:
        self.script = script
        self._path = path
        self.start_seconds = start_seconds  # type: ignore[misc]

    def program(self, progress: Progress) -> Program:
        """See Kind."""
        return Program(path=Path(self._path), version="1", how="written here")

    def launch(self, place: Place, program: Program) -> Launch:
        """See Kind."""
        command = (str(program.path), "-c", self.script, str(place.port))
        return Launch(command=command, directory=place.data)

    def check(self, address: str) -> None:
        """See Kind."""
        check_http(address)

    def address(self, place: Place) -> str:
        """See Kind."""
        return f"http://{HOST}:{place.port}"
