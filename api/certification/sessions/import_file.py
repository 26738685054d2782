"""Reading a list of candidates from a CSV file as schools have them: everything that is wrong is found in one reading.

UTF-8 (with or without its mark), UTF-16 with its mark and Windows-1252 are read, commas, semicolons and tabs; the
encoding and the delimiter are those under which the header makes sense. Column names may be French. Pure: who the
learners are is looked up later.
"""

import csv
from codecs import BOM_UTF16_BE, BOM_UTF16_LE
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from io import StringIO
from typing import Any, Final

from api.certification.sessions.candidate_schemas import MOST_EXTRA_TIME
from api.certification.texts import LONGEST
from api.organisations.importing.faults import Fault
from itembank.items import FLAGS

REQUIRED: Final = ("last_name", "first_name", "birth_date")
LEARNER: Final = ("learner", "code")
COLUMNS: Final = (*REQUIRED, *LEARNER, "extra_time", "accessible", "equipment", "locale")
ALIASES: Final[Mapping[str, str]] = {
    "nom": "last_name",
    "nom de famille": "last_name",
    "prénom": "first_name",
    "prenom": "first_name",
    "date de naissance": "birth_date",
    "naissance": "birth_date",
    "apprenant": "learner",
    "identifiant": "learner",
    "code d'accès": "code",
    "temps majoré": "extra_time",
    "temps supplémentaire": "extra_time",
    "accessibilité": "accessible",
    "matériel": "equipment",
    "équipement": "equipment",
    "langue": "locale",
}
_LONGEST: Final[Mapping[str, int]] = {"equipment": 2_000, "code": 32, "learner": LONGEST}


@dataclass(frozen=True)
class Entry:
    """One line of the file, its learner still to be found; a cell that is wrong, or has no column, is left empty."""

    line: int
    last_name: str
    first_name: str
    birth_date: str
    learner: str | None
    code: str | None
    extra_time: float
    accessible: tuple[str, ...]
    equipment: str
    locale: str
    columns: Mapping[str, str]
    """Name in the file of each column."""


def read_candidates(content: bytes) -> tuple[list[Entry], list[Fault]]:
    """Read a file: its lines, and everything that is wrong with them or with the header.

    Parameters
    ----------
    content : bytes
        The whole file.

    Returns
    -------
    (list of Entry, list of Fault)
        The entries of wrong lines too, so that what only the database can tell of them is told in the same go.
    """
    text = _decoded(content)
    if text is None:
        return [], [Fault(1, None, "ENCODING_NOT_SUPPORTED", "The file is neither UTF-8 nor Windows-1252: save it so.")]
    lines, faults = _lines(text)
    if not lines:
        return [], faults or [Fault(1, None, "HEADER_REQUIRED", "The file is empty: give it a header and lines.")]
    (first, header), *rows = lines
    columns, wrong = _columns(first, header)
    faults += wrong
    entries = []
    for line, cells in rows:
        entry, found = _entry(line, cells, columns)
        faults += found
        entries += [] if entry is None else [entry]
    if not rows and not faults:
        faults = [Fault(first, None, "FIELD_REQUIRED", "The file has a header and nothing else: add a line each.")]
    return entries, sorted(faults, key=lambda fault: fault.line)


def _decoded(content: bytes) -> str | None:
    marked = content.startswith((BOM_UTF16_LE, BOM_UTF16_BE))
    for encoding in ("utf-16",) if marked else ("utf-8-sig", "cp1252"):
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        return None if "\x00" in text else text
    return None


def _lines(text: str) -> tuple[list[tuple[int, list[str]]], list[Fault]]:
    """Cells of each line that is not empty, with its number, under the delimiter that makes most of the header."""
    best: list[tuple[int, list[str]]] = []
    known = -1
    wrong: list[Fault] = []
    for delimiter in (",", ";", "\t"):
        lines, faults = _split(text, delimiter)
        count = sum(column_name(cell) in COLUMNS for cell in lines[0][1]) if lines else 0
        if count > known:
            best, known, wrong = lines, count, faults
    return best, wrong


def _split(text: str, delimiter: str) -> tuple[list[tuple[int, list[str]]], list[Fault]]:
    reader = csv.reader(StringIO(text, newline=""), delimiter=delimiter, strict=True)
    lines: list[tuple[int, list[str]]] = []
    while True:
        line = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return lines, []
        except csv.Error as error:
            sentence = f"Line {line} is not CSV ({error}): correct its quotes. Nothing below it was read."
            return lines, [Fault(line, None, "BAD_CSV_FORMAT", sentence)]
        if any(cell.strip() for cell in cells):
            lines.append((line, [cell.strip() for cell in cells]))


def column_name(cell: str) -> str:
    """Name of a column as it is known here.

    >>> column_name("Prénom*"), column_name("first_name"), column_name("Code MEF")
    ('first_name', 'first_name', 'code mef')
    """
    plain = " ".join(cell.replace("’", "'").rstrip("* ").casefold().split())
    return ALIASES.get(plain, plain)


def _columns(line: int, header: Sequence[str]) -> tuple[list[tuple[str, str]], list[Fault]]:
    """Known and written name of each column, and what is wrong with them."""
    names = [column_name(cell) for cell in header]
    faults = []
    for place, (name, cell) in enumerate(zip(names, header, strict=True)):
        accepted = {"accepted": list(COLUMNS)}
        if name not in COLUMNS and cell:
            sentence = f"There is no column {cell[:LONGEST]!r}: use {', '.join(COLUMNS)}."
            faults.append(Fault(line, cell[:LONGEST], "HEADER_UNKNOWN", sentence, accepted))
        elif cell and name in names[:place]:
            sentence = f"The column {cell!r} comes twice: keep one."
            faults.append(Fault(line, cell, "HEADER_TWICE", sentence))
    for name in REQUIRED:
        if name not in names:
            faults.append(Fault(line, name, "HEADER_REQUIRED", f"The column {name} is missing: add it."))
    if not set(LEARNER) & set(names):
        faults.append(
            Fault(line, LEARNER[0], "HEADER_REQUIRED", "A column learner, or code, is missing: add one of them.")
        )
    return list(zip(names, header, strict=True)), faults


def _entry(line: int, cells: Sequence[str], columns: Sequence[tuple[str, str]]) -> tuple[Entry | None, list[Fault]]:
    """One line and what is wrong in it, None when its cells are not those of the columns."""
    if any(cells[len(columns) :]):
        sentence = (
            f"Line {line} has {len(cells)} cells for {len(columns)} columns: quote those that hold the delimiter."
        )
        return None, [Fault(line, None, "BAD_CSV_FORMAT", sentence, {"limit": len(columns)})]
    written = dict(columns)
    padded = [*cells, *[""] * (len(columns) - len(cells))]
    found = {name: cell for (name, _), cell in zip(columns, padded, strict=False) if name in COLUMNS}
    if any(cell and not name for (name, _), cell in zip(columns, padded, strict=False)):
        return None, [
            Fault(line, None, "BAD_CSV_FORMAT", f"Line {line} has a cell in a column without a name: name it.")
        ]
    values, faults = _values(line, found, written)
    entry = Entry(
        line=line,
        last_name=found.get("last_name", ""),
        first_name=found.get("first_name", ""),
        birth_date=values.get("birth_date", ""),
        learner=found.get("learner") or None,
        code=found.get("code") or None,
        extra_time=values.get("extra_time", 0.0),
        accessible=values.get("accessible", ()),
        equipment=found.get("equipment", ""),
        locale=values.get("locale", "" if found.get("locale") else "fr"),
        columns=written,
    )
    return entry, faults


def _values(line: int, found: Mapping[str, str], written: Mapping[str, str]) -> tuple[dict[str, Any], list[Fault]]:
    """Values of the cells of a line that can be read, and everything that is wrong in it, by column."""
    values: dict[str, Any] = {}
    return values, list(_faults(line, found, written, values))


def _faults(line: int, found: Mapping[str, str], written: Mapping[str, str], values: dict[str, Any]) -> Iterator[Fault]:
    named = {name: written.get(name, name) for name in COLUMNS}
    for name in REQUIRED:
        if found.get(name) == "":
            yield Fault(line, named[name], "FIELD_REQUIRED", f"{named[name]} is empty on line {line}: fill it in.")
    given = [name for name in LEARNER if found.get(name)]
    columns = [named[name] for name in LEARNER if name in found]
    if columns and not given:
        column = columns[0]
        yield Fault(
            line,
            column,
            "FIELD_REQUIRED",
            f"{' and '.join(columns)} {'is' if len(columns) == 1 else 'are'} empty on line {line}: name the learner.",
        )
    if len(given) > 1:
        sentence = f"Line {line} names the learner twice, by {named['learner']} and {named['code']}: keep one."
        yield Fault(line, named["code"], "FIELD_BAD_VALUES", sentence)
    for name, cell in found.items():
        limit = _LONGEST.get(name, LONGEST)
        if len(cell) > limit:
            sentence = f"{named[name]} has {len(cell)} characters on line {line}: write {limit} at most."
            yield Fault(line, named[name], "FIELD_MAX_LENGTH", sentence, {"limit": limit})
        elif not all(character.isprintable() or character in "\n\r\t" for character in cell):
            yield Fault(
                line, named[name], "FIELD_BAD_VALUES", f"{named[name]} on line {line} cannot be read: type it again."
            )
        elif cell and name in _READ:
            try:
                values[name] = _READ[name](cell)
            except ValueError:
                code, accepted = _ACCEPTED[name]
                sentence = f"{named[name]} is {cell[:80]!r} on line {line}: write {accepted}."
                yield Fault(line, named[name], code, sentence, {"accepted": accepted})


def _birth_date(cell: str) -> str:
    if len(cell) != 10 or not cell.isascii():
        raise ValueError
    day = date.fromisoformat(cell) if cell[4] == "-" else datetime.strptime(cell, "%d/%m/%Y").date()
    return day.isoformat()


def _extra_time(cell: str) -> float:
    value = float(cell.removesuffix("%").strip().replace(",", "."))
    if not 0 <= value <= MOST_EXTRA_TIME:
        raise ValueError
    return value


def _accessible(cell: str) -> tuple[str, ...]:
    given = cell.replace("-", "_").lower().split()
    if not set(given) <= set(FLAGS):
        raise ValueError
    return tuple(flag for flag in FLAGS if flag in given)


def _locale(cell: str) -> str:
    if len(cell) != 2 or not (cell.isascii() and cell.isalpha() and cell.islower()):
        raise ValueError
    return cell


_READ: Final[Mapping[str, Callable[[str], Any]]] = {
    "birth_date": _birth_date,
    "extra_time": _extra_time,
    "accessible": _accessible,
    "locale": _locale,
}
_ACCEPTED: Final[Mapping[str, tuple[str, str]]] = {
    "birth_date": ("FIELD_DATE_FORMAT", "a date as 2009-05-17 or 17/05/2009"),
    "extra_time": ("FIELD_BAD_VALUES", f"a percentage from 0 to {MOST_EXTRA_TIME:.0f}"),
    "accessible": ("FIELD_BAD_VALUES", f"some of {', '.join(FLAGS)}, separated by spaces, or nothing"),
    "locale": ("FIELD_BAD_VALUES", "the two letters of a language, such as fr"),
}
