"""Large CSV files, read once and block by block, so that a file of any size takes little memory beside what it says.

A block without quotes is a plain rectangle, and numpy finds all its cells at once. Any other block, and any block in
which something is wrong, is read by the csv module, which defines what a file says and tells where it is at fault.
"""

import csv
import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import BinaryIO, Final

import numpy as np

from engine.arrays import Ints
from engine.errors import BankError
from itembank.csv_text import checked_header
from itembank.text_files import unreadable

BLOCK: Final = 1 << 18
"""Bytes that are looked at together: they and what is found in them fit the processor's caches."""

LONGEST_LINE: Final = 1 << 24
"""Bytes; the ids of 100,000 items, of a hundred characters each, make ten million."""

MARK: Final = b"\xef\xbb\xbf"
"""What some programs put in front of UTF-8."""

COMMA, NEWLINE = b",\n"
CODEC: Final = ("utf-8", "surrogateescape")
"""Bytes that are not UTF-8 survive, so that whoever reads their cell can say where they are."""


@dataclass(frozen=True)
class Block:
    """Whole lines of a file; ``line`` is the number of the first, the header being line 1."""

    data: bytes
    line: int


@dataclass(frozen=True, eq=False)
class Rectangle:
    """Cells of a plain block: that of row r and column c is the bytes from ``starts[r, c]`` to ``ends[r, c]``.

    Parameters
    ----------
    data : bytes
    starts, ends : (n, W) int
    """

    data: bytes
    starts: Ints
    ends: Ints

    @classmethod
    def of(cls, data: bytes, width: int) -> "Rectangle | None":
        """Rectangle of W columns; None for a block with quotes, blank lines or lines of another width."""
        if b'"' in data:
            return None
        data = data.replace(b"\r\n", b"\n")
        if b"\r" in data:
            return None
        if not data.endswith(b"\n"):
            data += b"\n"
        octets = np.frombuffer(data, dtype=np.uint8)
        ends = np.flatnonzero((octets == COMMA) | (octets == NEWLINE))
        if ends.size != data.count(b"\n") * width or not (octets[ends[width - 1 :: width]] == NEWLINE).all():
            return None
        starts = np.concatenate(([0], ends[:-1] + 1))
        if width == 1 and (starts == ends).any():
            return None
        return cls(data, starts.reshape(-1, width), ends.reshape(-1, width))

    def column(self, place: int) -> list[str]:
        """Texts of a column."""
        pairs = zip(self.starts[:, place].tolist(), self.ends[:, place].tolist(), strict=True)
        return [self.data[start:end].decode("utf-8") for start, end in pairs]

    def only(self, places: Sequence[int]) -> "Rectangle":
        """Rectangle of some of the columns."""
        row = len(places) == places[-1] - places[0] + 1
        kept: slice | Ints = slice(places[0], places[-1] + 1) if row else np.array(places)
        return Rectangle(self.data, self.starts[:, kept], self.ends[:, kept])

    def cells(self, wanted: tuple[Ints, ...]) -> Iterator[bytes]:
        """Cells at these rows and columns."""
        pairs = zip(self.starts[wanted].tolist(), self.ends[wanted].tolist(), strict=True)
        return (self.data[start:end] for start, end in pairs)


class Sheet:
    """A CSV file being read: its header at once, then its blocks, then the hash of all its bytes.

    A pipe does as well as a file: nothing is read twice.

    Parameters
    ----------
    path : Path or str
    stream : binary stream
        The open file.
    """

    def __init__(self, path: Path | str, stream: BinaryIO) -> None:
        """Read the header."""
        self.path = path
        self._stream = stream
        self._hash = hashlib.sha256()
        self._pieces = self._whole_lines()
        text = StringIO(next(self._pieces, b"").removeprefix(MARK).decode(*CODEC), newline="")
        lines = csv.reader(text, strict=True)
        try:
            header = next(lines, [])
        except csv.Error as error:
            raise BankError(f"{path}, line 1 is not CSV ({error}); correct it.") from error
        for number, name in enumerate(header, 1):
            if not is_text(name):
                raise BankError(f"{path}, line 1, column {number} is not UTF-8 text; save the file in that encoding.")
        self.header = checked_header(header, path)
        self._rest = Block(text.read().encode(*CODEC), lines.line_num + 1)

    @property
    def data_hash(self) -> str:
        """SHA-256 of what was read, in hexadecimal."""
        return self._hash.hexdigest()

    def blocks(self) -> Iterator[Block]:
        """All that follows the header."""
        yield self._rest
        line = self._rest.line + self._rest.data.count(b"\n")
        for data in self._pieces:
            yield Block(data, line)
            line += data.count(b"\n")

    def _whole_lines(self) -> Iterator[bytes]:
        line, kept = 1, b""
        while True:
            try:
                read = self._stream.read(BLOCK)
            except OSError as error:
                raise unreadable(self.path, error) from error
            self._hash.update(read)
            data = kept + read
            if b"\0" in read:
                line += data.count(b"\n", 0, data.index(b"\0"))
                raise BankError(f"{self.path}, line {line} holds a NUL byte; save the file as text in UTF-8.")
            end = _end_of_lines(data) if read else len(data)
            kept = data[end:]
            if end:
                yield data[:end]
                line += data.count(b"\n", 0, end)
            if len(kept) > LONGEST_LINE:
                fault = "opens a quote that is not closed" if b'"' in kept else "is too long to be that of a learner"
                raise BankError(f"{self.path}, line {line} {fault}; give one line for each learner.")
            if not read:
                return


def _end_of_lines(data: bytes) -> int:
    """Where the last line that is complete ends: at a newline that no open quote holds."""
    end = data.rfind(b"\n") + 1
    odd = data.count(b'"', 0, end) % 2
    while odd and end:
        before = data.rfind(b"\n", 0, end - 1) + 1
        odd ^= data.count(b'"', before, end) % 2
        end = before
    return end


@contextmanager
def opened(path: Path | str) -> Iterator[Sheet]:
    """CSV file open for reading.

    Raises
    ------
    BankError
        When it cannot be read, or has no header.
    """
    try:
        stream = open(path, "rb")
    except OSError as error:
        raise unreadable(path, error) from error
    with stream:
        yield Sheet(path, stream)


def records(block: Block, width: int, path: Path | str) -> Iterator[tuple[int, list[str]]]:
    """Lines of a block as the csv module reads them, each with its number; blank ones are skipped.

    Raises
    ------
    BankError
        At a line that is not CSV or has another number of cells.
    """
    lines = csv.reader(StringIO(block.data.decode(*CODEC), newline=""), strict=True)
    while True:
        number = block.line + lines.line_num
        try:
            cells = next(lines, None)
        except csv.Error as error:
            fault = "opens a quote that is not closed" if "end of data" in str(error) else f"is not CSV ({error})"
            raise BankError(f"{path}, line {number} {fault}; correct it.") from error
        if cells is None:
            return
        if cells and len(cells) != width:
            raise BankError(f"{path}, line {number} has {len(cells)} cells for {width} columns; correct it.")
        if cells:
            yield number, cells


def is_text(cell: str) -> bool:
    """Whether a cell was UTF-8 in the file."""
    return cell.isascii() or not any("\udc80" <= letter <= "\udcff" for letter in cell)
