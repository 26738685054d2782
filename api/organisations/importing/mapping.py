"""The files of organisations that have no layout of their own here: which column holds what."""

from typing import Annotated, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from api.certification.texts import Line
from api.organisations.importing.layout import ENCODINGS, Column, Layout, Needed, header_name
from api.organisations.importing.rules import (
    birth_date,
    commune,
    country,
    department,
    one_of,
    one_spaced,
    sex,
    text,
)

DateFormat = Literal["DD/MM/YYYY", "DD/MM/YY", "DD-MM-YYYY", "DD.MM.YYYY", "YYYY-MM-DD"]
"""The day always comes before the month, or after it and the year: no date can be read in two ways."""

_RULES: Final = {
    "ine": text,
    "external_id": text,
    "last_name": text,
    "usual_name": text,
    "first_name": text,
    "second_name": text,
    "third_name": text,
    "sex": sex,
    "birth_city_code": commune,
    "birth_city": text,
    "birth_department": department,
    "birth_country": country,
    "status": one_of("ST", "AP"),
    "mef": text,
    "division": one_spaced,
}
_REQUIRED: Final = ("last_name", "first_name", "birth_date")
_KEYS: Final = ("ine", "external_id")
_FIELDS: Final = (*_RULES, "birth_date")


class Mapping(BaseModel):
    """Header of the column that holds each field; other columns of the file are left alone."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    last_name: Line
    first_name: Line
    birth_date: Line
    ine: Line | None = None
    external_id: Line | None = None
    usual_name: Line | None = None
    second_name: Line | None = None
    third_name: Line | None = None
    sex: Line | None = None
    birth_city_code: Line | None = None
    birth_city: Line | None = None
    birth_department: Line | None = None
    birth_country: Line | None = None
    status: Line | None = None
    mef: Line | None = None
    division: Line | None = None
    date_formats: Annotated[list[DateFormat], Field(min_length=1, max_length=5)] = ["DD/MM/YYYY", "DD/MM/YY"]
    encoding: Annotated[
        Literal["UTF-8", "Windows-1252", "Mac Roman"] | None,
        Field(description="Only where no header mapped here has an accent, by which it would be found."),
    ] = None

    @model_validator(mode="after")
    def _check(self) -> Self:
        if all(getattr(self, key) is None for key in _KEYS):
            raise ValueError(f"name the column of {' or '.join(_KEYS)}: learners are known by it from file to file")
        names = [header_name(header) for header in self.headers().values()]
        twice = next((name for place, name in enumerate(names) if name in names[:place]), None)
        if twice is not None:
            raise ValueError(f"the column {twice!r} is named for two fields: name it for one")
        return self

    def headers(self) -> dict[str, str]:
        """Return the header of each field that has one."""
        return {field: header for field in _FIELDS if (header := getattr(self, field)) is not None}


def layout_of(mapping: Mapping) -> Layout:
    """Make the layout of the files that a mapping describes.

    Every column that it names must be there. The check column is the first that can tell encodings apart, by an
    accent in its header; the last name's when there is none.
    """
    headers = mapping.headers()
    rules = {**_RULES, "birth_date": birth_date(mapping.date_formats)}
    keys = [key for key in _KEYS if key in headers]
    columns = tuple(
        Column(
            header,
            field,
            rules[field],
            required=field in _REQUIRED or [field] == keys,
            needed=_other_key(headers) if field == "ine" and len(keys) > 1 else None,
            expected=True,
        )
        for field, header in headers.items()
    )
    accented = [header for header in headers.values() if not header.isascii()]
    encodings = tuple(one for one in ENCODINGS if mapping.encoding in (None, one.name))
    return Layout(columns, accented[0] if accented else mapping.last_name, closed=False, encodings=encodings)


def _other_key(headers: dict[str, str]) -> Needed:
    return Needed(lambda cells: not cells["external_id"], f"whose {headers['external_id']} is empty too")
