"""The rules of cells: what each kind may hold, and how its value is written."""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Final

from api.organisations.importing.faults import (
    FIELD_BAD_VALUES,
    FIELD_DATE_FORMAT,
    FIELD_LENGTH,
    FIELD_MAX_LENGTH,
    FIELD_MIN_LENGTH,
    INSEE_CODE_INVALID,
)
from api.organisations.importing.layout import Refused, Rule

LONGEST: Final = 255
FRANCE: Final = "99100"
_UNREADABLE: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ufffd]")
_COMMUNE: Final = re.compile(r"[0-9]{5}|2[AB][0-9]{3}")
_COUNTRY: Final = re.compile(r"99[1-5][0-9]{2}")
_SEXES: Final[Mapping[str, str]] = {"féminin": "F", "masculin": "M", "f": "F", "m": "M"}
_PARTS: Final[Mapping[str, str]] = {
    "DD": r"(?P<day>[0-9]{2})",
    "MM": r"(?P<month>[0-9]{2})",
    "YYYY": r"(?P<year>[0-9]{4})",
    "YY": r"(?P<short>[0-9]{2})",
}


def text(cell: str, today: date) -> str:
    """Accept up to 255 characters that can be read.

    >>> text("Zoé", date(2026, 9, 1))
    'Zoé'
    """
    if not cell.isascii():
        cell = unicodedata.normalize("NFC", cell)  # an accent typed apart is the same letter
    if len(cell) > LONGEST:
        raise Refused(FIELD_MAX_LENGTH, f"write {LONGEST} characters at most", limit=LONGEST)
    if _UNREADABLE.search(cell):
        raise Refused(FIELD_BAD_VALUES, "it has characters that cannot be read: type it again", accepted=["text"])
    return cell


def one_spaced(cell: str, today: date) -> str:
    """Accept a text; write its inner spaces as one.

    >>> one_spaced("2NDE  A", date(2026, 9, 1))
    '2NDE A'
    """
    return text(" ".join(cell.split()), today)


def sex(cell: str, today: date) -> str:
    """Accept Féminin, Masculin, F or M, in any case; write F or M.

    >>> sex("FÉMININ", date(2026, 9, 1))
    'F'
    """
    found = _SEXES.get(unicodedata.normalize("NFC", cell.casefold()))
    if found is None:
        accepted = ["Féminin", "Masculin", "F", "M"]
        raise Refused(FIELD_BAD_VALUES, f"write {' or '.join(accepted)}", accepted=accepted)
    return found


def one_of(*accepted: str) -> Rule:
    """Make the rule of cells that hold one of these values, written so."""

    def rule(cell: str, today: date) -> str:
        if cell not in accepted:
            raise Refused(FIELD_BAD_VALUES, f"write {' or '.join(accepted)}", accepted=list(accepted))
        return cell

    return rule


def commune(cell: str, today: date) -> str:
    """Accept the INSEE code of a commune: 5 digits, or 2A or 2B and 3 digits.

    >>> commune("2A004", date(2026, 9, 1))
    '2A004'
    """
    _of_five(cell)
    if not _COMMUNE.fullmatch(cell):
        accepted = ["5 digits", "2A and 3 digits", "2B and 3 digits"]
        raise Refused(INSEE_CODE_INVALID, f"write {', or '.join(accepted)}", accepted=accepted)
    return cell


def department(cell: str, today: date) -> str:
    """Accept 2 or 3 characters.

    >>> department("974", date(2026, 9, 1))
    '974'
    """
    if len(cell) < 2:
        raise Refused(FIELD_MIN_LENGTH, "write 2 or 3 characters, such as 01", limit=2)
    if len(cell) > 3:
        raise Refused(FIELD_MAX_LENGTH, "write 2 or 3 characters, such as 01", limit=3)
    return text(cell, today)


def country(cell: str, today: date) -> str:
    """Accept the INSEE code of a country: 99, a digit from 1 to 5, and two digits.

    >>> country(FRANCE, date(2026, 9, 1))
    '99100'
    """
    _of_five(cell)
    if not _COUNTRY.fullmatch(cell):
        raise Refused(
            INSEE_CODE_INVALID,
            f"write 99, a digit from 1 to 5 and two digits, such as {FRANCE} for France",
            accepted=["99, a digit from 1 to 5, two digits"],
        )
    return cell


def birth_date(formats: Sequence[str]) -> Rule:
    """Make the rule of dates in the past, written as one of ``formats`` (of DD, MM and YYYY or YY) or else the next.

    A year of two digits is of the century that puts the date in the past, the latest one.

    >>> rule = birth_date(["DD/MM/YYYY", "DD/MM/YY"])
    >>> [rule(day, date(2026, 11, 24)) for day in ("05/11/2008", "05/11/08", "25/11/26")]
    ['2008-11-05', '2008-11-05', '1926-11-25']
    """
    patterns = [_pattern(form) for form in formats]
    written = " or ".join(formats)

    def rule(cell: str, today: date) -> str:
        match = next(filter(None, (pattern.fullmatch(cell) for pattern in patterns)), None)
        day = None if match is None else _day(match.groupdict(), today)
        if day is None:
            instead = f"write a date that exists as {written}"
            raise Refused(FIELD_DATE_FORMAT, instead, accepted=list(formats))
        if day >= today:
            instead = f"write a date in the past, before {today.isoformat()}"
            raise Refused(FIELD_BAD_VALUES, instead, accepted=list(formats), limit=today.isoformat())
        return day.isoformat()

    return rule


def _of_five(cell: str) -> None:
    if len(cell) != 5:
        raise Refused(FIELD_LENGTH, "write 5 characters", limit=5)


def _pattern(form: str) -> re.Pattern[str]:
    return re.compile(re.sub("DD|MM|YYYY|YY", lambda part: _PARTS[part.group()], re.escape(form)))


def _day(parts: Mapping[str, str], today: date) -> date | None:
    month, day = int(parts["month"]), int(parts["day"])
    if "year" in parts:
        return _real(int(parts["year"]), month, day)
    this = today.year - today.year % 100 + int(parts["short"])
    found = _real(this, month, day)
    return found if found is not None and found < today else _real(this - 100, month, day)


def _real(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None
