"""Responses and scores as CSV.

Responses: a header; an optional first column ``learner``; then one column per item id. A cell is a category (0, 1,
...), empty when the item was not presented, ``S`` when it was skipped. Scores: ``learner,ability,se``.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import ArrayLike

from engine.arrays import Ints
from engine.errors import BankError
from engine.responses import NOT_REACHED, SKIPPED
from itembank.csv_text import read_table, table_text
from itembank.text_files import write_text

LEARNER: Final = "learner"
SKIP: Final = "S"
MAX_CATEGORY: Final = 99


class _Codes(dict[str, int]):
    """Response code of each cell text; a text is parsed once, however many cells hold it."""

    def __missing__(self, cell: str) -> int:
        text = cell.strip()
        if text == "":
            code = NOT_REACHED
        elif text == SKIP:
            code = SKIPPED
        elif re.fullmatch(r"\d{1,2}(\.0*)?", text):
            code = int(float(text))
        else:
            raise BankError(
                f"there is no response {text!r}; write a category (0 to {MAX_CATEGORY}), {SKIP} for a skip or nothing"
            )
        self[cell] = code
        return code


@dataclass(frozen=True, eq=False)
class ResponseTable:
    """Responses of N learners to I items.

    Parameters
    ----------
    learners : tuple of N str
    items : tuple of I str
        Ids.
    responses : (N, I) int
        Categories, SKIPPED or NOT_REACHED (see engine.responses).
    """

    learners: tuple[str, ...]
    items: tuple[str, ...]
    responses: Ints

    def __post_init__(self) -> None:
        """Refuse a table whose sides do not fit, and make it read-only."""
        if self.responses.shape != (len(self.learners), len(self.items)):
            raise BankError(
                f"There are {len(self.learners)} learners and {len(self.items)} items for responses of shape "
                f"{self.responses.shape}; give one row for each learner and one column for each item."
            )
        self.responses.setflags(write=False)

    def for_items(self, ids: Sequence[str]) -> Ints:
        """Responses with one column for each of these items, in this order, (N, len(ids)).

        Items that the table does not hold were not presented.

        Raises
        ------
        BankError
            When the table holds an item that is not among them.
        """
        place = {id: column for column, id in enumerate(ids)}
        unknown = [id for id in self.items if id not in place]
        if unknown:
            raise BankError(f"The responses are to an item {unknown[0]!r} without parameters; add its row or drop it.")
        arranged = np.full((len(self.learners), len(ids)), NOT_REACHED, dtype=np.int64)
        arranged[:, [place[id] for id in self.items]] = self.responses
        return arranged


def read_responses(path: Path | str) -> ResponseTable:
    """Responses of a CSV file; learners are numbered from 1 when there is no column ``learner``."""
    header, lines = read_table(path)
    first = 1 if header[0] == LEARNER else 0
    if "" in header:
        raise BankError(f"{path} has a column without a name; give each column the id of its item.")
    if len(header) == first:
        raise BankError(f"{path} has no item column; give one column for each item.")
    codes = _Codes()
    learners: list[str] = []
    rows: list[Ints] = []
    for number, cells in enumerate(lines, 1):
        try:
            rows.append(np.array([codes[cell] for cell in cells[first:]], dtype=np.int64))
        except BankError as error:
            raise BankError(f"{path}, learner number {number}: {error}.") from None
        learners.append(cells[0].strip() if first else str(number))
    if not rows:
        raise BankError(f"{path} has no learner; give one line for each.")
    if len(set(learners)) < len(learners):
        twice = next(name for name in learners if learners.count(name) > 1)
        raise BankError(f"{path} has two lines for learner {twice!r}; give each learner one line.")
    return ResponseTable(tuple(learners), tuple(header[first:]), np.array(rows))


def write_responses(table: ResponseTable, path: Path | str) -> None:
    """Write responses as CSV, with a column ``learner``."""
    known = {NOT_REACHED: "", SKIPPED: SKIP} | {category: str(category) for category in range(MAX_CATEGORY + 1)}
    foreign = set(np.unique(table.responses).tolist()) - set(known)
    if foreign:
        raise BankError(f"A file of responses cannot hold the code {min(foreign)}; choose what it becomes first.")
    rows = (
        [name, *(known[code] for code in row)]
        for name, row in zip(table.learners, table.responses.tolist(), strict=True)
    )
    write_text(path, table_text([LEARNER, *table.items], rows))


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
