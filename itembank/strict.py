"""Strict frozen records: what every model of this package is built on, and the sentence made of a refusal."""

from collections.abc import Mapping
from typing import Annotated, Any, Final, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StrictBool, StrictInt, TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from engine.errors import BankError

Loaded = TypeVar("Loaded")


def _not_blank(text: str) -> str:
    if not text.strip():
        raise ValueError("is blank; write it or leave the field out")
    return text


Text = Annotated[str, Field(strict=True), AfterValidator(_not_blank)]
"""A string with something in it; numbers and booleans that YAML read from unquoted words are refused."""

Code = Annotated[str, Field(strict=True, pattern=r"^[a-z0-9][a-z0-9-]{0,63}$")]
"""A short name of lower-case letters, digits and hyphens."""

Titles = Mapping[Annotated[str, Field(strict=True, pattern=r"^[a-z]{2}$")], Text]
"""A text by locale, e.g. ``{"fr": "Interagir", "en": "Interacting"}``."""

Flag = StrictBool
Count = StrictInt


class Record(BaseModel):
    """A frozen model that knows no other field than its own."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


SENTENCES: Final[Mapping[str, str]] = {
    "extra_forbidden": "is not a field of this kind; remove it or correct its name",
    "missing": "is missing; add it",
    "string_type": "must be a text; quote it if it looks like a number, a date or yes/no",
    "bool_type": "must be true or false",
    "int_type": "must be a whole number",
    "union_tag_invalid": "has an unknown kind",
    "union_tag_not_found": "has no kind; add one",
}


def _sentence(detail: ErrorDetails) -> str:
    kind = detail["type"]
    place = ".".join(str(part) for part in detail["loc"])
    if kind == "value_error":
        words = str(detail["ctx"]["error"])
    else:
        words = SENTENCES.get(kind, f"is refused: {detail['msg'][0].lower()}{detail['msg'][1:]}")
    if kind == "union_tag_invalid":
        words += f" {detail['ctx']['tag']!r}; use one of {detail['ctx']['expected_tags']}"
    return f"{place} {words}" if place else words


def read(adapter: TypeAdapter[Loaded], data: Any, where: str) -> Loaded:
    """Validate plain data into a record.

    Parameters
    ----------
    adapter : TypeAdapter
        What the data must be.
    data : plain data
        As read from YAML or JSON.
    where : str
        How to name the data in an error, e.g. ``"item crcn-1.1-01"``.

    Raises
    ------
    BankError
        One sentence that names the place and every fault found there.
    """
    try:
        return adapter.validate_python(data)
    except ValidationError as error:
        faults = "; ".join(_sentence(detail) for detail in error.errors(include_url=False))
        raise BankError(f"{where[:1].upper()}{where[1:]}: {faults}.") from error
