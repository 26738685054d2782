"""Reading a list of learners from a CSV file: one row after the other, everything that is wrong in place of its row.

How the file is written is found first (`encoding`), then the header is read, then the rows; what is wrong with one
stage stops the next. The file is read several times and never held. That an identifier comes once only is left to
the caller, who has somewhere to keep the identifiers.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import IO, Final

from api.organisations.importing.delimited import Cells, rows
from api.organisations.importing.encoding import Written, written
from api.organisations.importing.faults import (
    BAD_CSV_FORMAT,
    FIELD_REQUIRED,
    HEADER_REQUIRED,
    HEADER_UNKNOWN,
    Fault,
    truncated,
)
from api.organisations.importing.layout import Column, Layout, LearnerLine, Refused, header_name

_SHOWN: Final = 80


@dataclass(frozen=True, slots=True)
class Row:
    """A learner, and the line of the file where the row starts."""

    line: int
    values: LearnerLine


@dataclass(frozen=True)
class Reading:
    """How a file is written and what it holds.

    ``rows`` may be gone through once, while the file is open, and is empty when there are ``faults``: those of the
    encoding or of the header. A row that is wrong gives its faults instead, all of them. Lines count from the header,
    which is line 1.
    """

    encoding: str | None
    delimiter: str | None
    faults: tuple[Fault, ...]
    rows: Iterator[Row | Fault]


@dataclass(frozen=True)
class _Header:
    line: int
    """Physical, from 1."""
    width: int
    columns: tuple[tuple[Column, int | None], ...]
    """Columns of the layout and their places in the file."""
    last: int
    """The last place whose cells may not be empty; -1 when none."""


def read(file: IO[bytes], layout: Layout, today: date) -> Reading:
    """Read a list of learners.

    Parameters
    ----------
    file : IO[bytes]
        Seekable, such as a temporary file; must stay open, and be left alone, until the rows are read.
    layout : Layout
        What the file should hold.
    today : date
        Births are before it.

    Returns
    -------
    Reading
        Its rows in the order of the file.
    """
    how = written(file, layout)
    if isinstance(how, Fault):
        return Reading(None, None, (how,), iter(()))
    found = rows(file, how.encoding.codec, how.delimiter)
    first = next(found, None)
    if isinstance(first, Cells):
        faults = _header_faults(first.cells, layout)
    elif first is None:
        accepted = {"accepted": [column.header for column in layout.columns]}
        sentence = "The file is empty: give it a header and a row for each learner."
        faults = [Fault(1, None, HEADER_REQUIRED, sentence, accepted)]
    else:
        faults = [first]
    if faults or not isinstance(first, Cells):
        return Reading(how.encoding.name, how.delimiter, tuple(faults), iter(()))
    learners = _rows(found, _header(first, layout), how, today)
    return Reading(how.encoding.name, how.delimiter, (), learners)


def _header_faults(cells: list[str], layout: Layout) -> list[Fault]:
    names = [header_name(cell) for cell in cells]
    known = {header_name(column.header) for column in layout.columns}
    accepted = {"accepted": [column.header for column in layout.columns]}
    faults = []
    for place, name in enumerate(names):
        shown = name[:_SHOWN]
        if name in known and name in names[:place]:
            sentence = f"The column {shown} comes twice: keep one."
            faults.append(Fault(1, shown, HEADER_UNKNOWN, sentence, accepted))
        elif name and name not in known and layout.closed:
            sentence = f"There is no column {shown!r} in this kind of file: take it out, or correct its header."
            faults.append(Fault(1, shown, HEADER_UNKNOWN, sentence, accepted))
    missing = [column for column in layout.columns if column.expected and header_name(column.header) not in names]
    return faults + [_missing(column) for column in missing]


def _missing(column: Column) -> Fault:
    sentence = f"The column {column.header} is missing: add it, its header written just so."
    return Fault(1, column.header, HEADER_REQUIRED, sentence, {"accepted": [column.header]})


def _header(row: Cells, layout: Layout) -> _Header:
    names = [header_name(cell) for cell in row.cells]
    while not names[-1]:  # a spreadsheet may end all lines with delimiters
        names.pop()
    places = {name: place for place, name in enumerate(names)}
    columns = tuple((column, places.get(header_name(column.header))) for column in layout.columns)
    filled = [place for column, place in columns if column.required and place is not None]
    return _Header(row.line, len(names), columns, max(filled, default=-1))


def _rows(found: Iterator[Cells | Fault], header: _Header, how: Written, today: date) -> Iterator[Row | Fault]:
    offset = header.line - 1
    line = 1
    for item, last in _with_last(found):
        line = item.line - offset
        if isinstance(item, Fault):
            yield Fault(line, item.column, item.code, item.sentence, item.more)
            continue
        wrong = _shape(line, item.cells, header, last, how.cut)
        if wrong is None:
            yield from _row(line, item.cells, header, today)
        else:
            yield wrong
    if line == 1:
        sentence = "The file has a header and nothing else: add a row for each learner."
        yield truncated(1, "it ends inside a character") if how.cut else Fault(1, None, FIELD_REQUIRED, sentence)


def _with_last(found: Iterator[Cells | Fault]) -> Iterator[tuple[Cells | Fault, bool]]:
    """Each item, and whether it is the last."""
    before = next(found, None)
    for item in found:
        if before is not None:
            yield before, False
        before = item
    if before is not None:
        yield before, True


def _shape(line: int, cells: list[str], header: _Header, last: bool, cut: bool) -> Fault | None:
    """Tell what is wrong with a row as a whole."""
    count, width = len(cells), header.width
    if last and cut:
        return truncated(line, "it ends inside a character")
    if last and count < width:
        return truncated(line, f"it has {count} cells for {width} columns")
    if count <= header.last:
        sentence = f"Line {line} has {count} cells for {width} columns: add the delimiters or the cells that lack."
        return Fault(line, None, BAD_CSV_FORMAT, sentence, {"limit": width})
    if any(cells[width:]):
        sentence = f"Line {line} has {count} cells for {width} columns: quote those that hold the delimiter."
        return Fault(line, None, BAD_CSV_FORMAT, sentence, {"limit": width})
    return None


def _row(line: int, cells: list[str], header: _Header, today: date) -> Iterator[Row | Fault]:
    count = len(cells)
    found = {column.field: "" if place is None or place >= count else cells[place] for column, place in header.columns}
    values: dict[str, str] = {}
    right = True
    for column, _ in header.columns:
        cell = found[column.field]
        if cell:
            try:
                values[column.field] = column.rule(cell, today)
                continue
            except Refused as refused:
                yield _refused(line, column.header, cell, refused)
        elif column.required or (column.needed is not None and column.needed.when(found)):
            yield _empty(line, column)
        else:
            continue
        right = False
    if right:
        yield Row(line, LearnerLine(**values))


def _refused(line: int, header: str, cell: str, refused: Refused) -> Fault:
    shown = repr(cell) if len(cell) <= _SHOWN else f"{cell[:_SHOWN]!r}..."
    sentence = f"{header} is {shown} on line {line}: {refused.instead}."
    return Fault(line, header, refused.code, sentence, refused.more)


def _empty(line: int, column: Column) -> Fault:
    who = "" if column.needed is None else f", for a learner {column.needed.why}"
    sentence = f"{column.header} is empty on line {line}{who}: fill it in."
    return Fault(line, column.header, FIELD_REQUIRED, sentence)
