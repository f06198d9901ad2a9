"""Open Policy Agent with the policies of soma.policy as its bundle."""

import json
import shutil
from pathlib import Path

from soma.base.errors import Unavailable
from soma.policy.adapters.policy_files import BUILT_IN, PolicyFiles
from soma.policy.errors import PolicyUnusable
from soma.project.stack import cache
from soma.project.stack.build_go import build_go, go_key
from soma.project.stack.cache import Progress
from soma.project.stack.checks import check_http
from soma.project.stack.kind import Kind, Program
from soma.project.stack.pins import go_version
from soma.project.stack.place import Place
from soma.project.stack.ports import HOST
from soma.project.stack.process import Launch

MODULE = "github.com/open-policy-agent/opa"


class Opa(Kind):
    """Logs each decision as a line of JSON. The revision of its bundle is the hash of our policy."""

    name = "opa"
    port = 28181
    variable = "SOMAGENT_OPA_URL"
    setting = "opa_url"
    start_seconds = 20.0

    def __init__(self, policies: Path | None = None) -> None:
        self._policies = policies or BUILT_IN

    def cached(self) -> bool:
        """See Kind."""
        return cache.cached(self.name, go_key("")) is not None

    def program(self, progress: Progress) -> Program:
        """See Kind."""
        path = build_go(self.name, module="", package=MODULE, progress=progress)
        return Program(path=path, version=go_version("go.mod", MODULE), how="built by Go")

    def prepare(self, place: Place, program: Program) -> None:
        """Lay the policies out as a bundle."""
        digest = self._digest()
        bundle = self._bundle(place, digest)
        shutil.rmtree(bundle.parent, ignore_errors=True)
        bundle.mkdir(parents=True)
        for path in [*self._policies.glob("*.rego"), *self._policies.glob("data.json")]:
            shutil.copyfile(path, bundle / path.name)
        manifest = {"revision": digest, "roots": [""], "rego_version": 1}
        (bundle / ".manifest").write_text(json.dumps(manifest))

    def launch(self, place: Place, program: Program) -> Launch:
        """See Kind."""
        command = (
            str(program.path), "run", "--server",
            "--addr", f"{HOST}:{place.port}",
            "--bundle", str(self._bundle(place, self._digest())),
            "--set", "decision_logs.console=true",
            "--log-format", "json",
            "--log-level", "error",
            "--skip-version-check",
            "--shutdown-grace-period", "5",
        )  # fmt: skip
        return Launch(command=command, directory=place.data)

    def check(self, address: str) -> None:
        """See Kind."""
        check_http(f"{address}/health")

    def address(self, place: Place) -> str:
        """See Kind."""
        return f"http://{HOST}:{place.port}"

    def _bundle(self, place: Place, digest: str) -> Path:
        """Named after its content: when the policies change, so does the command, and it is started again."""
        return place.directory / "bundle" / digest

    def _digest(self) -> str:
        try:
            return PolicyFiles.read(self._policies).digest
        except PolicyUnusable as error:
            raise Unavailable(error.detail) from error
