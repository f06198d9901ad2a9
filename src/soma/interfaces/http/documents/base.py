"""What every document has in common."""

from typing import Annotated

from pydantic import AfterValidator, AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field
from pydantic_core import PydanticCustomError


class Sent(BaseModel):
    """A document of a client: exactly these members, of exactly these types."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class Given(BaseModel):
    """A document of ours, filled from the record of the same member names."""

    model_config = ConfigDict(from_attributes=True, frozen=True)


def storable(text: str) -> str:
    """`text`, if a database and UTF-8 can hold it. Raises a validation error."""
    if "\x00" in text:
        raise PydanticCustomError("text_nul", "Text must not hold the NUL character")
    if any("\ud800" <= character <= "\udfff" for character in text):
        raise PydanticCustomError("text_surrogate", "Text must not hold half of a surrogate pair")
    return text


def visible(text: str) -> str:
    """`text`, if it holds more than white space. Raises a validation error."""
    if not text.strip():
        raise PydanticCustomError("text_empty", "Text must hold more than white space")
    return text


def is_text(value: object) -> object:
    """`value`, if it is text: a number would be read as seconds. Raises a validation error."""
    if not isinstance(value, str):
        raise PydanticCustomError("time_text", "A time must be RFC 3339 text")
    return value


Text = Annotated[str, AfterValidator(storable)]
FilledText = Annotated[Text, AfterValidator(visible)]
Time = Annotated[AwareDatetime, Field(strict=False), BeforeValidator(is_text)]
"""A moment as RFC 3339 text with its offset."""
