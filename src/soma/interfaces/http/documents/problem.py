"""The error document, as the API's description shows it; `http.problem` writes it."""

from pydantic import BaseModel, ConfigDict


class Finding(BaseModel):
    """One thing that the validation found: where, and what."""

    pointer: str
    message: str
    code: str


class Problem(BaseModel):
    """Problem details (RFC 9457). Further members say more of some problems, such as the limit."""

    model_config = ConfigDict(extra="allow")

    type: str
    title: str
    status: int
    detail: str
    instance: str
    code: str
    trace_id: str
    errors: list[Finding] = []
