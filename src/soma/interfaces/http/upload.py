"""A document on its way in: as the body of a request, or as the one file of a form."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from shutil import copyfileobj
from tempfile import SpooledTemporaryFile
from typing import BinaryIO, cast

from django.http import HttpRequest, QueryDict
from django.http.multipartparser import MultiPartParserError

from soma.brain.api import DEFAULT, MediaType, media_type_named, media_type_of
from soma.interfaces.http.failures import Refusal
from soma.interfaces.http.problem import BAD_REQUEST, INVALID, UNSUPPORTED_MEDIA_TYPE

FORM = "multipart/form-data"
UNKNOWN_TYPES = frozenset({"", "application/octet-stream"})
"""What clients say of a file whose kind they do not know; its name may."""

SPOOL_BYTES = 1024 * 1024
"""A body longer than this is on disk."""

FIELDS = frozenset({"title", "key", "name", "namespace"})


@dataclass(frozen=True, kw_only=True, slots=True)
class Upload:
    """What came: `content` can be sought in, and is on disk where it is long."""

    content: BinaryIO
    media_type: MediaType
    charset: str
    name: str
    title: str
    key: str
    namespace: str


@contextmanager
def upload_of(request: HttpRequest) -> Iterator[Upload]:
    """The document that `request` brings, as long as the context lasts. Raises Refusal. Blocking: use it on a
    database thread."""
    if request.content_type == FORM:
        try:
            upload = _of_form(request)
        except MultiPartParserError as error:
            raise Refusal(BAD_REQUEST, f"the form cannot be read: {error}") from None
        yield upload
    else:
        with SpooledTemporaryFile(max_size=SPOOL_BYTES) as spooled:
            copyfileobj(request, spooled)
            yield _of_body(request, cast(BinaryIO, spooled))


def _of_form(request: HttpRequest) -> Upload:
    files = [file for name in request.FILES for file in request.FILES.getlist(name)]
    if len(files) != 1:
        raise Refusal(INVALID, f"the form must bring one file, and brings {len(files)}")
    [file] = files
    parameters = file.content_type_extra or {}
    charset = file.charset or parameters.get("charset", b"")
    return _upload(
        cast(BinaryIO, file.file),
        fields={**_fields(request.GET), **_fields(request.POST)},
        said=file.content_type or "",
        charset=charset.decode("ascii", "replace") if isinstance(charset, bytes) else str(charset),
        name=file.name or "",
    )


def _of_body(request: HttpRequest, content: BinaryIO) -> Upload:
    return _upload(
        content,
        fields=_fields(request.GET),
        said=request.content_type or "",
        charset=(request.content_params or {}).get("charset", ""),
        name="",
    )


def _fields(given: QueryDict) -> dict[str, str]:
    """The values of a query or a form. Raises Refusal for what is unknown, or given twice."""
    for name in given:
        if name not in FIELDS or len(given.getlist(name)) > 1:
            known = ", ".join(sorted(FIELDS))
            raise Refusal(INVALID, f"{name[:40]!r} is unknown or given twice; known are {known}")
    return {name: str(given[name]) for name in given}


def _upload(content: BinaryIO, *, fields: Mapping[str, str], said: str, charset: str, name: str) -> Upload:
    name = fields.get("name") or name
    return Upload(
        content=content,
        media_type=_media_type(said, name),
        charset=charset,
        name=name,
        title=fields.get("title", ""),
        key=fields.get("key") or name,
        namespace=fields.get("namespace") or DEFAULT,
    )


def _media_type(said: str, name: str) -> MediaType:
    found = media_type_of(name) if said in UNKNOWN_TYPES else media_type_named(said)
    # Many clients call every text plain; the name knows better which.
    if found is MediaType.TEXT and media_type_of(name) in {MediaType.MARKDOWN, MediaType.HTML}:
        found = media_type_of(name)
    if found is None:
        known = ", ".join(MediaType)
        raise Refusal(UNSUPPORTED_MEDIA_TYPE, f"documents are {known}; this one is {said or 'nameless'}")
    return found
