"""Responses and scores as CSV.

Responses: a header; an optional first column ``learner``; then one column per item id. A cell is a category (0, 1,
...), empty when the item was not presented, ``S`` when it was skipped. Two more columns may be named by whoever reads
the file: one of groups, and one that counts the learners who gave the responses of a line. Scores:
``learner,ability,se``.
"""

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from engine.arrays import Ints
from engine.errors import BankError
from engine.responses import NOT_REACHED, SKIPPED
from itembank.csv_blocks import Rectangle
from itembank.csv_text import rows_text, table_text
from itembank.learner_rows import LEARNER, MOST_LEARNERS, Check, read_learner_rows, shown
from itembank.text_files import write_parts, write_text

SKIP: Final = "S"
MAX_CATEGORY: Final = 99
GROUP: Final = "group"
"""Name under which the column of groups is written."""

TOGETHER: Final = 4096
"""Learners whose lines are written together."""

Categories = NDArray[np.int8]


class _Codes(dict[str, int]):
    """Response code of each cell text; a text is parsed once, however many cells hold it."""

    def __missing__(self, cell: str) -> int:
        text = cell.strip()
        if text == "":
            code = NOT_REACHED
        elif text == SKIP:
            code = SKIPPED
        elif re.fullmatch(r"[0-9]{1,2}(\.0*)?", text):
            code = int(float(text))
        else:
            raise BankError(
                f"there is no response {shown(cell)}; write a category (0 to {MAX_CATEGORY}), {SKIP} for a skip or "
                "nothing"
            )
        self[cell] = code
        return code


class _Responses:
    """How cells become responses (a Kind of cells)."""

    dtype = np.dtype(np.int8)
    unknown: Final = np.int8(-128)

    def __init__(self) -> None:
        self.codes = _Codes()
        self.of_octet = np.full(256, self.unknown, dtype=np.int8)
        for text in (*"0123456789", SKIP):
            self.of_octet[ord(text)] = self.codes[text]
        # An empty cell starts where its separator stands.
        self.of_octet[[ord(","), ord("\n")]] = NOT_REACHED

    def exact(self, cell: str) -> int:
        return self.codes[cell]

    def plain(self, cells: Rectangle) -> Categories | None:
        lengths = cells.ends - cells.starts
        if lengths.max() <= 1:
            values = self.of_octet[np.frombuffer(cells.data, dtype=np.uint8)[cells.starts]]
            return None if (values == self.unknown).any() else values
        values = np.full(lengths.shape, NOT_REACHED, dtype=np.int8)
        filled = np.nonzero(lengths)
        values[filled] = [self.codes[cell.decode("utf-8")] for cell in cells.cells(filled)]
        return values


@dataclass(frozen=True, eq=False)
class ResponseTable:
    """Responses of N learners to I items.

    Parameters
    ----------
    learners : tuple of N str
    items : tuple of I str
        Ids.
    responses : (N, I) int8
        Categories, SKIPPED or NOT_REACHED (see engine.responses); one byte each, whatever type they are given in.
    groups : tuple of Q str
        Names of the groups, in the order in which they appear first; empty when there are none.
    group : (N,) int, optional
        Group of each learner, 0..Q-1.
    data_hash : str
        SHA-256 of the file that they were read from, in hexadecimal; empty when there is none.
    lines : (N,) int, optional
        Line of the file on which each learner stands.
    """

    learners: tuple[str, ...]
    items: tuple[str, ...]
    responses: Categories
    groups: tuple[str, ...] = ()
    group: Ints | None = None
    data_hash: str = ""
    lines: Ints | None = None

    def __post_init__(self) -> None:
        """Refuse a table whose sides do not fit, and make it read-only."""
        if self.responses.shape != (len(self.learners), len(self.items)):
            raise BankError(
                f"There are {len(self.learners)} learners and {len(self.items)} items for responses of shape "
                f"{self.responses.shape}; give one row for each learner and one column for each item."
            )
        if self.group is not None and self.group.shape != (len(self.learners),):
            raise BankError(
                f"There are {len(self.learners)} learners and groups of shape {self.group.shape}; give one for each."
            )
        object.__setattr__(self, "responses", _one_byte(self.responses))
        self.responses.setflags(write=False)
        if self.group is not None:
            self.group.setflags(write=False)

    def for_items(self, ids: Sequence[str]) -> Categories:
        """Responses with one column for each of these items, in this order, (N, len(ids)).

        Items that the table does not hold were not presented.

        Raises
        ------
        BankError
            When the table holds an item that is not among them.
        """
        if tuple(ids) == self.items:
            return self.responses
        place = {id: column for column, id in enumerate(ids)}
        unknown = [id for id in self.items if id not in place]
        if unknown:
            raise BankError(f"The responses are to an item {unknown[0]!r} without parameters; add its row or drop it.")
        arranged = np.full((len(self.learners), len(ids)), NOT_REACHED, dtype=np.int8)
        arranged[:, [place[id] for id in self.items]] = self.responses
        return arranged


def _one_byte(responses: NDArray[np.signedinteger]) -> Categories:
    if responses.dtype == np.int8:
        return responses.astype(np.int8, copy=False)
    limits = np.iinfo(np.int8)
    if responses.size and not limits.min <= responses.min() <= responses.max() <= limits.max:
        raise BankError(f"A response is a category up to {MAX_CATEGORY} or a code of engine.responses; correct them.")
    return responses.astype(np.int8)


def read_responses(
    path: Path | str,
    *,
    group: str | None = None,
    counts: str | None = None,
    ignored: Sequence[str] = (),
    items: Collection[str] | None = None,
) -> ResponseTable:
    """Responses of a CSV file; learners are numbered from 1 when there is no column ``learner``.

    Parameters
    ----------
    path : Path or str
        Read once, from beginning to end, so that it may be a pipe; it may be larger than the memory, of which one byte
        a cell is needed.
    group : str, optional
        Name of a column that says to which group a learner belongs.
    counts : str, optional
        Name of a column that says how many learners gave the responses of its line.
    ignored : sequence of str
        Names of columns that are left out.
    items : collection of str, optional
        Items that there are; any when left out.

    Raises
    ------
    BankError
        One sentence that names the line and the column at fault, where there is one.
    """
    named: dict[str, Check] = {}
    for name, check in ((group, _label), (counts, _count)):
        if name is not None:
            if name == LEARNER or name in named:
                raise BankError(f"Column {name!r} says one thing only; name other columns for groups and counts.")
            named[name] = check
    left_out = tuple(ignored)
    rows = read_learner_rows(path, _Responses(), named, left_out, items)
    learners, responses, lines = rows.learners, rows.values, rows.lines
    labels: list[str] | None = None if group is None else rows.said[group]
    if counts is not None:
        times = np.array(rows.said[counts], dtype=np.int64)
        learners = _numbered(path, counts, times)
        responses, lines = np.repeat(responses, times, axis=0), np.repeat(lines, times)
        labels = None if labels is None else np.repeat(np.array(labels, dtype=object), times).tolist()
    if labels is None:
        return ResponseTable(learners, rows.items, responses, data_hash=rows.data_hash, lines=lines)
    number = {label: code for code, label in enumerate(dict.fromkeys(labels))}
    codes = np.array([number[label] for label in labels], dtype=np.int64)
    return ResponseTable(learners, rows.items, responses, tuple(number), codes, rows.data_hash, lines)


def _label(cell: str) -> str:
    if not cell.strip():
        raise BankError("there is no group; write one, or leave the line out")
    return cell.strip()


def _count(cell: str) -> int:
    text = cell.strip()
    if not re.fullmatch(r"[0-9]{1,9}(\.0*)?", text):
        raise BankError(f"{shown(cell)} is not a number of learners; write a whole number")
    return int(float(text))


def _numbered(path: Path | str, counts: str, times: Ints) -> tuple[str, ...]:
    learners = int(times.sum())
    if not 0 < learners <= MOST_LEARNERS:
        raise BankError(
            f"The column {counts!r} of {path} counts {learners:,} learners; there are 1 to {MOST_LEARNERS:,} of them."
        )
    return tuple(str(number) for number in range(1, learners + 1))


def write_responses(table: ResponseTable, path: Path | str) -> None:
    """Write responses as CSV, with a column ``learner``, and a column ``group`` when there are groups."""
    known = {NOT_REACHED: "", SKIPPED: SKIP} | {category: str(category) for category in range(MAX_CATEGORY + 1)}
    present = np.zeros(256, dtype=bool)
    for start in range(0, len(table.learners), TOGETHER):
        present[table.responses[start : start + TOGETHER].astype(np.int64) + 128] = True
    foreign = set((np.flatnonzero(present) - 128).tolist()) - set(known)
    if foreign:
        raise BankError(f"A file of responses cannot hold the code {min(foreign)}; choose what it becomes first.")
    if table.group is not None and GROUP in table.items:
        raise BankError(f"An item is called {GROUP!r}, as the column of groups is; give it another id.")
    write_parts(path, _lines(table, known))


def _lines(table: ResponseTable, known: dict[int, str]) -> Iterator[str]:
    head = [LEARNER] if table.group is None else [LEARNER, GROUP]
    yield table_text([*head, *table.items], ())
    for start in range(0, len(table.learners), TOGETHER):
        some = slice(start, start + TOGETHER)
        who = [[name] for name in table.learners[some]]
        if table.group is not None:
            who = [[*names, table.groups[code]] for names, code in zip(who, table.group[some].tolist(), strict=True)]
        rows = ([known[code] for code in row] for row in table.responses[some].tolist())
        yield rows_text([*names, *cells] for names, cells in zip(who, rows, strict=True))


def write_scores(learners: Sequence[str], ability: ArrayLike, se: ArrayLike, path: Path | str) -> None:
    """Write abilities and their standard errors as CSV.

    Parameters
    ----------
    learners : sequence of N str
    ability, se : (N,) float
        A value that is not finite is written as an empty cell.
    path : Path or str
    """
    values = np.column_stack([np.asarray(ability, dtype=np.float64), np.asarray(se, dtype=np.float64)])
    rows = (
        [name, *(repr(value) if np.isfinite(value) else "" for value in pair)]
        for name, pair in zip(learners, values.tolist(), strict=True)
    )
    write_text(path, table_text([LEARNER, "ability", "se"], rows))
