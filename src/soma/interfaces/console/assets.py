"""The page's scripts and styles, served under a path that names their content.

A browser may then keep them for ever, and after an upgrade never mixes old modules with new ones: modules
import one another by relative paths, so all of a page's come from the version that the page names.
"""

import mimetypes
from collections.abc import Mapping
from functools import cache
from hashlib import sha256
from pathlib import Path

import django_htmx
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from soma.base.errors import NotFound
from soma.interfaces.console.edge import refusal

HTMX = "django_htmx/htmx-2.min.js"
FOR_EVER = "public, max-age=31536000, immutable"
_OWN = Path(__file__).resolve().parents[1] / "static"
_HTMX_STATIC = Path(django_htmx.__file__).resolve().parent / "static"


@cache
def contents() -> Mapping[str, bytes]:
    """Every asset by its name, read once."""
    own = {path.relative_to(_OWN).as_posix(): path for path in sorted(_OWN.rglob("*")) if path.is_file()}
    return {name: path.read_bytes() for name, path in (own | {HTMX: _HTMX_STATIC / HTMX}).items()}


@cache
def version() -> str:
    """A digest of all names and contents: 16 hex digits."""
    digest = sha256()
    for name, content in contents().items():
        digest.update(f"{name}\0{len(content)}\0".encode() + content)
    return digest.hexdigest()[:16]


def root() -> str:
    """The path that the page's assets are under."""
    return f"/console/assets/{version()}"


@require_safe
async def asset(request: HttpRequest, named: str, name: str) -> HttpResponse:
    """One asset. A page that is older than this process gets the present one, to keep for no time."""
    content = contents().get(name)
    if content is None:
        return refusal(request, NotFound(f"there is no asset {name}"))
    response = HttpResponse(content, content_type=_content_type(name))
    response["Cache-Control"] = FOR_EVER if named == version() else "no-store"
    return response


def _content_type(name: str) -> str:
    if name.endswith(".js"):
        return "text/javascript; charset=utf-8"
    return f"{mimetypes.guess_type(name)[0] or 'application/octet-stream'}; charset=utf-8"
