"""What a file is expected to hold: its columns, the field that each one fills, and the rule of its cells."""

import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

Rule = Callable[[str, date], str]
"""From a cell that is not empty, and today, to its value; raises `Refused`."""


class Refused(Exception):
    """A cell that breaks its rule: which kind of fault, what to write instead, the limit or the accepted values."""

    def __init__(self, code: str, instead: str, **more: Any) -> None:
        super().__init__(code)
        self.code = code
        self.instead = instead
        self.more = more


@dataclass(frozen=True)
class Needed:
    """When a cell must be filled, by the trimmed cells of its row per field, and why."""

    when: Callable[[Mapping[str, str]], bool]
    why: str


@dataclass(frozen=True)
class Column:
    """A column: its header, its field, the rule of its cells.

    ``required``: none of its cells may be empty; ``needed``: some may not; ``expected``: the header must have it.
    """

    header: str
    field: str
    rule: Rule
    required: bool = False
    needed: Needed | None = None
    expected: bool = False


@dataclass(frozen=True)
class Encoding:
    """A way to write characters: its name for people, and Python's codec."""

    name: str
    codec: str


UTF_8: Final = Encoding("UTF-8", "utf-8-sig")
WINDOWS_1252: Final = Encoding("Windows-1252", "cp1252")
MAC_ROMAN: Final = Encoding("Mac Roman", "mac-roman")
ENCODINGS: Final = (UTF_8, WINDOWS_1252, MAC_ROMAN)
"""In the order in which they are tried."""


@dataclass(frozen=True)
class Layout:
    """Columns of a kind of file.

    ``check`` is the header by which the encoding is recognised; in a ``closed`` layout no other column is accepted.
    """

    columns: tuple[Column, ...]
    check: str
    closed: bool
    encodings: tuple[Encoding, ...] = ENCODINGS

    def header_of(self, field: str) -> str:
        """Return the header of the column that fills a field; the field's own name when there is none."""
        return next((column.header for column in self.columns if column.field == field), field)


@dataclass(frozen=True, slots=True)
class LearnerLine:
    """What a row tells of a learner; a date is written YYYY-MM-DD, and nothing is None."""

    last_name: str
    first_name: str
    birth_date: str
    ine: str | None = None
    external_id: str | None = None
    usual_name: str | None = None
    second_name: str | None = None
    third_name: str | None = None
    sex: str | None = None
    birth_city_code: str | None = None
    birth_city: str | None = None
    birth_department: str | None = None
    birth_country: str | None = None
    status: str | None = None
    mef: str | None = None
    division: str | None = None


def header_name(cell: str) -> str:
    """Write a header in one way: composed accents, straight apostrophes, single spaces; stars stay.

    >>> header_name("  Nom  d’usage "), header_name("Premier pre\u0301nom*")
    ("Nom d'usage", 'Premier prénom*')
    """
    return " ".join(unicodedata.normalize("NFC", cell).replace("’", "'").split())
