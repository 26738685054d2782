"""The rows of a delimited file, one by one: no more than one row is ever in memory."""

import csv
from collections.abc import Generator
from dataclasses import dataclass
from io import TextIOWrapper
from typing import IO, Final

from api.organisations.importing.faults import BAD_CSV_FORMAT, Fault, truncated

LONGEST_ROW: Final = 65_536
"""Characters of a row; below the limit of a cell in the csv module, which is global."""


@dataclass(frozen=True, slots=True)
class Cells:
    """Trimmed cells of a row that is not empty; ``line`` is where it starts."""

    line: int
    cells: list[str]


class _RowTooLongError(Exception):
    pass


class _Lines:
    """Physical lines of a text; refuses to give more than a row may hold."""

    def __init__(self, text: TextIOWrapper) -> None:
        self._text = text
        self.left = LONGEST_ROW
        self.ended = False

    def __iter__(self) -> "_Lines":
        return self

    def __next__(self) -> str:
        line = self._text.readline(self.left + 1)
        if not line:
            self.ended = True
            raise StopIteration
        self.left -= len(line)
        if self.left < 0:
            raise _RowTooLongError
        return line


def rows(file: IO[bytes], codec: str, delimiter: str) -> Generator[Cells | Fault, None, None]:
    """Read the rows of a file that are not empty, in order.

    Parameters
    ----------
    file : IO[bytes]
        Seekable; read from its start and left open.
    codec : str
        Encoding of the file, under which it was found valid except perhaps for a character cut at its end.
    delimiter : str
        One character.

    Yields
    ------
    Cells or Fault
        A fault for a row that is not CSV. Its line is the physical one; the first of the file is 1.
    """
    file.seek(0)
    text = TextIOWrapper(file, encoding=codec, errors="ignore", newline="")  # what may be ignored: see Parameters
    try:
        yield from _split(_Lines(text), delimiter)
    finally:
        text.detach()  # else the wrapper closes the file


def _split(lines: _Lines, delimiter: str) -> Generator[Cells | Fault, None, None]:
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    while True:
        first = reader.line_num + 1
        lines.left = LONGEST_ROW
        try:
            cells = [cell.strip() for cell in next(reader)]
        except StopIteration:
            return
        except _RowTooLongError:
            yield _too_long(first)
            return
        except csv.Error as error:
            if lines.ended:
                yield truncated(first, "a quote is opened there and never closed")
                return
            lone = reader.line_num == first
            yield _not_csv(first, error, lone)
            if not lone:  # where the next row starts is anybody's guess
                return
            continue
        if any(cells):
            yield Cells(first, cells)


def _too_long(line: int) -> Fault:
    sentence = (
        f"The row that starts at line {line} has more than {LONGEST_ROW} characters: "
        "look there for a quote that is never closed. Nothing below it was read."
    )
    return Fault(line, None, BAD_CSV_FORMAT, sentence, {"limit": LONGEST_ROW})


def _not_csv(line: int, error: csv.Error, lone: bool) -> Fault:
    below = "" if lone else " Nothing below it was read."
    return Fault(line, None, BAD_CSV_FORMAT, f"Line {line} is not CSV ({error}): correct its quotes.{below}")
