"""A document as it was sent."""

from dataclasses import dataclass
from pathlib import Path

from soma.brain.domain.documents.media_type import MediaType


@dataclass(frozen=True, kw_only=True, slots=True)
class Source:
    """The file at `path`, to be read as `media_type`. `charset` is what its sender says of its encoding, ""
    for nothing. `title`, where given, stands before what the document calls itself; `name`, that of its file,
    behind it."""

    path: Path
    media_type: MediaType
    charset: str = ""
    name: str = ""
    title: str = ""
