"""CSV as it comes and as we write it: cells by column, with a sentence for each thing that is wrong."""

import csv
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from io import StringIO
from math import isfinite
from pathlib import Path

from engine.errors import BankError
from itembank.text_files import read_text


@dataclass(frozen=True)
class Row:
    """One line of a file: its cells by column, and how to name it in an error."""

    cells: Mapping[str, str]
    where: str

    def text(self, column: str) -> str | None:
        """Trimmed cell, None when empty or when there is no such column."""
        return self.cells.get(column, "").strip() or None

    def number(self, column: str) -> float | None:
        """Finite number, None when empty."""
        cell = self.text(column)
        if cell is None:
            return None
        try:
            value = float(cell)
        except ValueError:
            raise self.error(f"{column} {cell!r} is not a number; write it with a point, e.g. 1.25") from None
        if not isfinite(value):
            raise self.error(f"{column} is {cell}; write a finite number or leave the cell empty")
        return value

    def flag(self, column: str) -> bool:
        """Truth of ``true`` or ``false``; empty is false."""
        cell = (self.text(column) or "false").lower()
        if cell not in ("true", "false"):
            raise self.error(f"{column} is {cell!r}; write true or false")
        return cell == "true"

    def error(self, words: str) -> BankError:
        """Error about this line."""
        return BankError(f"{self.where}: {words}.")


def read_table(path: Path | str) -> tuple[list[str], Iterable[list[str]]]:
    """Header and lines of a comma-separated file in UTF-8; empty lines are skipped, ragged ones refused.

    Returns
    -------
    (list of str, iterable of list of str)
        Trimmed column names, then the cells of each line.
    """
    lines = csv.reader(StringIO(read_text(path), newline=""), strict=True)
    header = checked_header(next(lines, []), path)
    return header, _checked(lines, len(header), path)


def checked_header(cells: Sequence[str], path: Path | str) -> list[str]:
    """Trimmed column names, or a sentence about a file that has none, or the same twice, or is not comma-separated."""
    header = [column.strip() for column in cells]
    if not any(header):
        raise BankError(f"{path} is empty; it needs a header line.")
    for delimiter, name in ((";", "semicolons"), ("\t", "tabs")):
        if len(header) == 1 and delimiter in header[0]:
            raise BankError(f"{path} separates its columns with {name}; save it with commas.")
    if len(set(header)) < len(header):
        second = next(place for place, column in enumerate(header) if column in header[:place])
        name, first = header[second], header.index(header[second])
        raise BankError(f"{path} has two columns {name!r}, {first + 1} and {second + 1}; give each its own name.")
    return header


def _checked(lines: Iterable[list[str]], width: int, path: Path | str) -> Iterable[list[str]]:
    number = 1
    try:
        for number, cells in enumerate(lines, 2):
            if len(cells) == width:
                yield cells
            elif cells:
                raise BankError(f"{path}, line {number} has {len(cells)} cells for {width} columns; correct it.")
    except csv.Error as error:
        raise BankError(f"{path}, line {number + 1} is not CSV ({error}); correct it.") from error


def read_rows(path: Path | str) -> tuple[list[str], list[Row]]:
    """Header and rows of a comma-separated file."""
    header, lines = read_table(path)
    return header, [
        Row(dict(zip(header, cells, strict=True)), f"{path}, row {number}") for number, cells in enumerate(lines, 1)
    ]


def table_text(header: Sequence[str], rows: Iterable[Iterable[object]]) -> str:
    """CSV of a header and rows of cells; numbers are written as they print."""
    return rows_text([header]) + rows_text(rows)


def rows_text(rows: Iterable[Iterable[object]]) -> str:
    """CSV of rows of cells."""
    stream = StringIO()
    csv.writer(stream, lineterminator="\n").writerows(rows)
    return stream.getvalue()
