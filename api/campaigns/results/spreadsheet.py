"""Tables for spreadsheets: UTF-8 with its mark, semicolons, decimal commas, and no cell that is taken for a formula."""

import csv
from collections.abc import Iterable
from io import StringIO
from typing import Final

MARK: Final = "\ufeff"
"""What tells spreadsheets that a file is UTF-8."""
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""Beginnings of a cell that a spreadsheet may carry out, the wide forms too."""

Cell = str | int | float | None


def harmless(text: str) -> str:
    """Write a text so that no spreadsheet takes it for a formula: an apostrophe before it says that it is text.

    >>> harmless("=1+1"), harmless("Anne"), harmless("-")
    ("'=1+1", 'Anne', "'-")
    """
    return f"'{text}" if text.lstrip(" \u00a0").startswith(_FORMULA) else text


def row_text(cells: Iterable[Cell]) -> str:
    r"""Write a row of a table.

    >>> row_text(["Anne; dite @Nine", 3, 0.25, None, "@x"])
    '"Anne; dite @Nine";3;0,25;;\'@x\r\n'
    """
    written = StringIO(newline="")
    csv.writer(written, delimiter=";", lineterminator="\r\n").writerow([_cell(cell) for cell in cells])
    return written.getvalue()


def _cell(cell: Cell) -> str:
    match cell:
        case None:
            return ""
        case float():
            return f"{cell:g}".replace(".", ",")
        case int():
            return str(cell)
        case _:
            return harmless(cell)
