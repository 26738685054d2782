"""Item tables: the parameters of items as CSV, one row an item.

Columns: ``id, model`` and the parameters that the model needs; ``competence, topic, time_intensity,
time_discrimination, provisional`` and any ``se_*`` when known. Thresholds, and their standard errors, are separated by
``;``. An empty cell means unknown or not applicable. Files on another metric than D = 1 must say so, in a column ``D``
or by whoever reads them; they are converted once, on reading.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import log
from pathlib import Path
from typing import Final

from rapidfuzz.distance import OSA

from engine.adaptive import Design
from engine.errors import BankError
from engine.parameters import ItemParameters
from engine.table import Table, build_table
from engine.timing import TIME_DISCRIMINATION, TYPICAL_SECONDS
from itembank.bank import ItemBank
from itembank.csv_text import read_rows, table_text
from itembank.item_rows import ItemRow, cells_of_row, row_from_cells
from itembank.parameters import to_engine
from itembank.text_files import write_text

COLUMNS: Final = (
    *("id", "model", "discrimination", "difficulty", "guessing", "slipping", "thresholds"),
    *("competence", "topic", "time_intensity", "time_discrimination", "provisional"),
)
"""Columns of an item table, in the order in which they are written."""

OPTIONAL: Final = COLUMNS[7:]
"""Columns that are left out of a file in which no item has a value for them."""


@dataclass(frozen=True)
class ItemTable:
    """Items and their parameters, in the order of the file; ``where`` names the file in errors."""

    rows: tuple[ItemRow, ...]
    where: str = "the item table"

    def __post_init__(self) -> None:
        """Refuse an id used twice."""
        seen: set[str] = set()
        for row in self.rows:
            if row.id in seen:
                raise BankError(f"{self.where} has two rows for item {row.id}; keep one.")
            seen.add(row.id)

    @property
    def ids(self) -> tuple[str, ...]:
        """Ids of the I items."""
        return tuple(row.id for row in self.rows)

    @property
    def parameters(self) -> ItemParameters:
        """Parameters of the I items, on the metric D = 1."""
        return to_engine([row.parameters for row in self.rows])

    @property
    def competences(self) -> tuple[str, ...]:
        """Codes of the competences that the items measure, in the order of the file; empty when none is stated."""
        return tuple(dict.fromkeys(row.competence for row in self.rows if row.competence is not None))

    def table(self, design: Design, competences: Sequence[str] | None = None) -> Table:
        """Items as the adaptive loop sees them.

        Parameters
        ----------
        design : Design
        competences : codes, optional
            Which code is competence 0, 1, ...; those of the file, in its order, when left out. When the design has one
            competence only, all items measure it.
        """
        codes = self.competences if competences is None else tuple(competences)
        group = [0] * len(self.rows)
        if design.latent.competences > 1:
            group = [_place(row, codes, self.where) for row in self.rows]
        names = [(row.competence, row.topic) if row.topic is not None else row.id for row in self.rows]
        number = {name: place for place, name in enumerate(dict.fromkeys(names))}
        intensity = [row.parameters.time_intensity for row in self.rows]
        spread = [row.parameters.time_discrimination for row in self.rows]
        return build_table(
            self.parameters,
            design,
            competence=group,
            topic=[number[name] for name in names],
            time_intensity=[log(TYPICAL_SECONDS) if value is None else value for value in intensity],
            time_discrimination=[TIME_DISCRIMINATION if value is None else value for value in spread],
        )


def _place(row: ItemRow, codes: Sequence[str], where: str) -> int:
    if row.competence not in codes:
        raise BankError(
            f"{where} gives item {row.id} the competence {row.competence!r}; use one of {', '.join(codes) or 'none'}."
        )
    return codes.index(row.competence)


def bank_table(bank: ItemBank) -> ItemTable:
    """Item table of the parameters of a bank, items first in the order of the bank, then ids that it does not hold."""
    known = [item.id for item in bank.items if item.id in bank.parameters]
    rows = []
    for id in (*known, *sorted(set(bank.parameters) - set(known))):
        item = bank.by_id.get(id)
        place = (item.competence, item.topic) if item is not None else (None, None)
        rows.append(ItemRow(id, bank.parameters[id], *place))
    return ItemTable(tuple(rows))


def read_item_table(path: Path | str, scale: float | None = None) -> ItemTable:
    """Item table of a CSV file.

    Parameters
    ----------
    path : Path or str
    scale : float, optional
        D of the file: 1, 1.7 or 1.702. What the file says in its column ``D`` when left out, else 1.

    Returns
    -------
    ItemTable
        On the metric D = 1: discriminations (and their standard errors) are multiplied by D.

    Raises
    ------
    BankError
        One sentence that names the file, the line and the column.
    """
    header, rows = read_rows(path)
    for column in header:
        near = [known for known in (*COLUMNS, "D") if column != known and OSA.distance(column.lower(), known) <= 1]
        if column not in COLUMNS and near and near[0] not in header:
            raise BankError(f"{path} has a column {column!r}; if it is {near[0]!r}, write it so.")
    for column in ("id", "model"):
        if column not in header:
            raise BankError(f"{path} has no column {column!r}; an item table needs id and model at least.")
    return ItemTable(tuple(row_from_cells(row, scale) for row in rows), str(path))


def item_table_text(table: ItemTable) -> str:
    """CSV of an item table, always the same for the same table."""
    cells = [cells_of_row(row) for row in table.rows]
    filled = {column for row in cells for column, cell in row.items() if cell}
    errors = sorted({column for row in table.rows for column in row.errors}, key=_place_of_error)
    header = [*(column for column in COLUMNS if column not in OPTIONAL or column in filled), *errors]
    return table_text(header, ([row.get(column, "") for column in header] for row in cells))


def _place_of_error(column: str) -> tuple[int, str]:
    """Put standard errors in the order of what they are the errors of, then by name."""
    of = column.removeprefix("se_")
    return (COLUMNS.index(of) if of in COLUMNS else len(COLUMNS), column)


def write_item_table(table: ItemTable, path: Path | str) -> None:
    """Write an item table as CSV, on the metric D = 1."""
    write_text(path, item_table_text(table))
