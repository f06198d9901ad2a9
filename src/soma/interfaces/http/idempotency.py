"""The header by which a client sends a request again without its being done again."""

from typing import Annotated

from ninja import Header

IdempotencyKey = Annotated[str | None, Header(alias="Idempotency-Key", max_length=200, pattern=r"^[!-~]+$")]
