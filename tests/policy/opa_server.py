"""OPA with a bundle that a test writes and may replace while the server runs."""

import io
import json
import socket
import tarfile
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from soma.base.errors import Unavailable
from soma.policy.adapters.policy_files import PolicyFiles
from soma.policy.errors import PolicyUnusable
from soma.project.stack.kind import Program
from soma.project.stack.opa import Opa
from soma.project.stack.place import Place
from soma.project.stack.ports import HOST
from soma.project.stack.process import Launch

Files = Mapping[str, str | bytes]


class WatchedOpa(Opa):
    """Serves the bundle at `bundle` and follows its changes. `flags` are added to its command."""

    def __init__(self, bundle: Path, *flags: str) -> None:
        super().__init__()
        self._bundle_path = bundle
        self._flags = flags

    def prepare(self, place: Place, program: Program) -> None:
        """The bundle is the test's."""

    def launch(self, place: Place, program: Program) -> Launch:
        """See Kind."""
        command = (
            str(program.path), "run", "--server", "--watch",
            "--addr", f"{HOST}:{place.port}",
            "--bundle", str(self._bundle_path),
            "--set", "decision_logs.console=true",
            "--skip-version-check",
            *self._flags,
        )  # fmt: skip
        return Launch(command=command, directory=place.data)


class BareOpa(Opa):
    """Holds no policy but what is put into it by its API."""

    def prepare(self, place: Place, program: Program) -> None:
        """There is nothing to prepare."""

    def launch(self, place: Place, program: Program) -> Launch:
        """See Kind."""
        command = (str(program.path), "run", "--server", "--addr", f"{HOST}:{place.port}")
        return Launch(command=(*command, "--skip-version-check"), directory=place.data)


class TlsOpa(WatchedOpa):
    """Serves HTTPS with the key and certificate in one file."""

    def __init__(self, bundle: Path, certificate: Path) -> None:
        super().__init__(
            bundle, "--tls-cert-file", str(certificate), "--tls-private-key-file", str(certificate)
        )

    def address(self, place: Place) -> str:
        """See Kind."""
        return f"https://localhost:{place.port}"

    def check(self, address: str) -> None:
        """It listens; whom it lets in is the test's question."""
        port = int(address.rpartition(":")[2])
        try:
            socket.create_connection((HOST, port), timeout=1).close()
        except OSError as error:
            raise Unavailable(str(error)) from error


def self_signed(directory: Path) -> Path:
    """A key and a certificate for localhost that nobody else has signed."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    today = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(today - timedelta(days=1))
        .not_valid_after(today + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = directory / "certificate.pem"
    encoding = serialization.Encoding.PEM
    private = key.private_bytes(encoding, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    path.write_bytes(private + certificate.public_bytes(encoding))
    return path


def write_bundle(path: Path, files: Files, *, revision: str | None = None) -> str:
    """Put a bundle of `files` at `path` in one step; its revision, by default the digest that our own engine
    gives the same files."""
    revision = _digest(path.parent / "files", files) if revision is None else revision
    draft = path.with_name(f".{path.name}")
    with tarfile.open(draft, "w:gz") as archive:
        _add(archive, ".manifest", json.dumps({"revision": revision, "roots": [""], "rego_version": 1}))
        for name, content in files.items():
            _add(archive, name, content)
    draft.replace(path)
    return revision


def write_files(directory: Path, files: Files) -> None:
    """Have `directory` hold `files` and nothing else."""
    directory.mkdir(exist_ok=True)
    for path in directory.iterdir():
        path.unlink()
    for name, content in files.items():
        (directory / name).write_bytes(content if isinstance(content, bytes) else content.encode())


def read_files(directory: Path) -> dict[str, bytes]:
    """The policy files of `directory`."""
    return {path.name: path.read_bytes() for path in sorted(directory.glob("*.*"))}


def _digest(directory: Path, files: Files) -> str:
    write_files(directory, files)
    try:
        return PolicyFiles.read(directory).digest
    except PolicyUnusable:
        return "0" * 64


def _add(archive: tarfile.TarFile, name: str, content: str | bytes) -> None:
    raw = content if isinstance(content, bytes) else content.encode()
    entry = tarfile.TarInfo(f"/{name}")
    entry.size = len(raw)
    archive.addfile(entry, io.BytesIO(raw))
