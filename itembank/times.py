"""Response times as CSV: a header; an optional first column ``learner``; then one column per item id.

A cell is the seconds that the learner took, empty when there are none.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from math import inf, nan
from pathlib import Path

import numpy as np

from engine.arrays import Floats
from engine.errors import BankError
from itembank.csv_blocks import Rectangle
from itembank.learner_rows import read_learner_rows, shown


class _Seconds:
    """How cells become seconds (a Kind of cells)."""

    dtype = np.dtype(np.float64)

    def exact(self, cell: str) -> float:
        text = cell.strip()
        if not text:
            return nan
        try:
            seconds = float(text)
        except ValueError:
            raise BankError(f"{shown(cell)} is not a number of seconds; write it with a point, e.g. 12.5") from None
        if not 0 < seconds < inf:
            raise BankError(f"{shown(cell)} is no time; write seconds above 0, or nothing when there are none")
        return seconds

    def plain(self, cells: Rectangle) -> Floats | None:
        lengths = cells.ends - cells.starts
        filled = np.nonzero(lengths)
        found = np.fromiter(map(float, cells.cells(filled)), dtype=np.float64, count=filled[0].size)
        if not ((found > 0) & (found < inf)).all():
            return None
        values = np.full(lengths.shape, nan)
        values[filled] = found
        return values


@dataclass(frozen=True, eq=False)
class TimesTable:
    """Response times of N learners on I items.

    Parameters
    ----------
    learners : tuple of N str
    items : tuple of I str
        Ids.
    seconds : (N, I) float
        NaN where there is none.
    data_hash : str
        SHA-256 of the file that they were read from, in hexadecimal; empty when there is none.
    """

    learners: tuple[str, ...]
    items: tuple[str, ...]
    seconds: Floats
    data_hash: str = ""

    def __post_init__(self) -> None:
        """Refuse a table whose sides do not fit, and make it read-only."""
        if self.seconds.shape != (len(self.learners), len(self.items)):
            raise BankError(
                f"There are {len(self.learners)} learners and {len(self.items)} items for times of shape "
                f"{self.seconds.shape}; give one row for each learner and one column for each item."
            )
        self.seconds.setflags(write=False)


def read_times(path: Path | str, *, items: Collection[str] | None = None, ignored: Sequence[str] = ()) -> TimesTable:
    """Response times of a CSV file; learners are numbered from 1 when there is no column ``learner``.

    Parameters
    ----------
    path : Path or str
    items : collection of str, optional
        Items that there are; any when left out.
    ignored : sequence of str
        Names of columns that are left out.

    Raises
    ------
    BankError
        One sentence that names the line and the column at fault, where there is one.
    """
    rows = read_learner_rows(path, _Seconds(), ignored=tuple(ignored), items=items)
    return TimesTable(rows.learners, rows.items, rows.values, rows.data_hash)
