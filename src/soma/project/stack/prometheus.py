"""Prometheus: the machine's own, or Debian's unpacked."""

import re
import shutil
import subprocess
from pathlib import Path

from soma.base.errors import Unavailable
from soma.project.stack.build_debian import unpack_debian
from soma.project.stack.cache import Progress
from soma.project.stack.checks import check_http
from soma.project.stack.kind import Kind, Program
from soma.project.stack.place import Place
from soma.project.stack.ports import HOST
from soma.project.stack.process import Launch

VERSION = re.compile(r"prometheus, version (\d+\.\d+\.\d+)")
CONFIGURATION = """\
global:
  scrape_interval: 5s
scrape_configs:
  - job_name: somagent
    metrics_path: /metrics
    static_configs:
      - targets: ["{target}"]
"""


class Prometheus(Kind):
    """Collects what the application measures. `scraped_port` is where that serves `/metrics`."""

    name = "prometheus"
    port = 29090
    variable = "SOMAGENT_PROMETHEUS_URL"
    setting = "prometheus_url"
    start_seconds = 30.0

    def __init__(self, scraped_port: int = 8000) -> None:
        self._scraped_port = scraped_port

    def program(self, progress: Progress) -> Program:
        """See Kind."""
        path = shutil.which("prometheus")
        if path is not None:
            return Program(path=Path(path), version=_version(Path(path)), how=f"this machine's, {path}")
        found = unpack_debian("prometheus", progress=progress)
        return Program(
            path=found.root / "usr/bin/prometheus", version=found.version, how="Debian's prometheus"
        )

    def prepare(self, place: Place, program: Program) -> None:
        """Write what is scraped."""
        self._settings(place).write_text(CONFIGURATION.format(target=f"{HOST}:{self._scraped_port}"))

    def launch(self, place: Place, program: Program) -> Launch:
        """See Kind."""
        command = (
            str(program.path),
            f"--config.file={self._settings(place)}",
            f"--storage.tsdb.path={place.data}",
            "--storage.tsdb.retention.time=15d",
            f"--web.listen-address={HOST}:{place.port}",
            "--log.level=warn",
        )
        return Launch(command=command, directory=place.data)

    def check(self, address: str) -> None:
        """See Kind."""
        check_http(f"{address}/-/ready")

    def address(self, place: Place) -> str:
        """See Kind."""
        return f"http://{HOST}:{place.port}"

    def _settings(self, place: Place) -> Path:
        """Named after what it says: another scraped port is another command."""
        return place.directory / f"prometheus-{self._scraped_port}.yml"


def _version(path: Path) -> str:
    try:
        said = subprocess.run([path, "--version"], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError) as error:
        raise Unavailable(f"{path} does not run: {error}") from error
    match = VERSION.search(said.stdout + said.stderr)
    return match[1] if match else "unknown"
