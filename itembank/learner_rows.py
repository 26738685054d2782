"""Files with one line a learner: a header, columns that say who, and one column for each item, of cells of one kind."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Generic, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from engine.arrays import Ints
from engine.errors import BankError
from itembank.csv_blocks import Block, Rectangle, Sheet, is_text, opened, records

LEARNER: Final = "learner"
"""Name of the first column, when learners have names."""

MOST_LEARNERS: Final = 10_000_000
"""A file with more is a mistake, or is to be calibrated from a sample; their names alone would fill the memory."""

Number = TypeVar("Number", bound=np.generic)
Check = Callable[[str], object]


class Kind(Protocol[Number]):
    """How the cells of the item columns are read."""

    dtype: np.dtype[Number]
    """Type of the values."""

    def plain(self, cells: Rectangle) -> NDArray[Number] | None:
        """Values of a plain block, (n, I); None when a cell is not plain, or wrong."""

    def exact(self, cell: str) -> Any:
        """Value of one cell; a ValueError whose words go on after "line 2, column 'i1': " when it has none."""


@dataclass(frozen=True, eq=False)
class LearnerRows(Generic[Number]):
    """What a file says of N learners and I items.

    Parameters
    ----------
    learners : tuple of N str
        Numbered from 1 when the file has no column ``learner``.
    items : tuple of I str
        Ids.
    values : (N, I)
    said : mapping of column name to N values
        Of the columns that were asked for by name.
    data_hash : str
        SHA-256 of the bytes of the file, in hexadecimal.
    lines : (N,) int
        Line of the file on which each learner stands.
    """

    learners: tuple[str, ...]
    items: tuple[str, ...]
    values: NDArray[Number]
    said: Mapping[str, list[Any]]
    data_hash: str
    lines: Ints


@dataclass(frozen=True)
class _Layout(Generic[Number]):
    """Which columns are what."""

    path: Path | str
    header: Sequence[str]
    places: Sequence[int]  # of the items
    said: Mapping[str, tuple[int, Check]]  # place and reading of the columns with a name of ours
    kind: Kind[Number]


@dataclass(frozen=True, eq=False)
class _Part(Generic[Number]):
    """What one block says, and the number of each of its lines."""

    values: NDArray[Number]
    said: Mapping[str, list[Any]]
    lines: Sequence[int]


def read_learner_rows(
    path: Path | str,
    kind: Kind[Number],
    named: Mapping[str, Check] | None = None,
    ignored: Sequence[str] = (),
    items: Collection[str] | None = None,
) -> LearnerRows[Number]:
    """Read a file with one line a learner, in one pass and in little memory beside the values.

    Parameters
    ----------
    path : Path or str
    kind : Kind
        How cells are read.
    named : mapping of column name to function of text
        Columns that are not items, and how their cells are read.
    ignored : sequence of str
        Columns that are left out.
    items : collection of str, optional
        Items that there are; any when left out.

    Raises
    ------
    BankError
        One sentence that names the line and the column at fault, where there is one.
    """
    with opened(path) as sheet:
        layout = _layout(sheet, kind, dict(named or {}), ignored, items)
        said: dict[str, list[Any]] = {name: [] for name in layout.said}
        names: set[str] = set()
        values = np.empty((0, len(layout.places)), dtype=kind.dtype)
        learners, lines = 0, []
        for block in sheet.blocks():
            part = _plain(block, layout) or _exact(block, layout)
            _refuse_twice(part, names, path)
            end = learners + len(part.lines)
            if end > MOST_LEARNERS:
                raise BankError(f"{path} has more than {MOST_LEARNERS:,} learners; draw a sample of them.")
            # The memory is grown in place: no view of it exists yet, and pages are moved, not bytes.
            values.resize((end, len(layout.places)), refcheck=False)
            values[learners:] = part.values
            learners = end
            lines.append(np.asarray(part.lines, dtype=np.int64))
            for name in said:
                said[name] += part.said[name]
        if not learners:
            raise BankError(f"{path} has no learner; give one line for each.")
        who = said.pop(LEARNER, None) or [str(number) for number in range(1, learners + 1)]
        found = tuple(layout.header[place] for place in layout.places)
        return LearnerRows(tuple(who), found, values, said, sheet.data_hash, np.concatenate(lines))


def _layout(
    sheet: Sheet,
    kind: Kind[Number],
    named: dict[str, Check],
    ignored: Sequence[str],
    items: Collection[str] | None,
) -> _Layout[Number]:
    path, header = sheet.path, sheet.header
    for name in (*named, *ignored):
        if name not in header:
            raise BankError(f"{path} has no column {name!r}; correct the name, or leave the option out.")
    if "" in header:
        number = header.index("") + 1
        raise BankError(f"{path}, column {number} is a column without a name; give each column the id of its item.")
    if header[0] == LEARNER and LEARNER not in ignored:
        named = {LEARNER: str.strip} | named
    twice = [name for name in named if name in ignored]
    if twice:
        raise BankError(f"Column {twice[0]!r} of {path} cannot be used and left out; choose one.")
    places = [place for place, name in enumerate(header) if name not in named and name not in ignored]
    if not places:
        raise BankError(f"{path} has no item column; give one column for each item.")
    for place in places:
        if items is not None and header[place] not in items:
            raise BankError(
                f"{path}, column {place + 1}: there is no item {header[place]!r}; correct its name, or leave the "
                "column out."
            )
    return _Layout(path, header, places, {name: (header.index(name), check) for name, check in named.items()}, kind)


def _plain(block: Block, layout: _Layout[Number]) -> _Part[Number] | None:
    """Read a block that is plain and right; None when it is not."""
    cells = Rectangle.of(block.data, len(layout.header)) if block.data else None
    if cells is None:
        return None
    try:
        values = layout.kind.plain(cells.only(layout.places))
        said = {name: [check(text) for text in cells.column(at)] for name, (at, check) in layout.said.items()}
    except ValueError:
        return None  # it is read again, cell by cell, to say where
    return None if values is None else _Part(values, said, range(block.line, block.line + values.shape[0]))


def _exact(block: Block, layout: _Layout[Number]) -> _Part[Number]:
    """Read any block, or raise a sentence about the first cell that says nothing."""
    rows: list[list[Any]] = []
    lines: list[int] = []
    said: dict[str, list[Any]] = {name: [] for name in layout.said}
    exact, places = layout.kind.exact, layout.places
    for line, cells in records(block, len(layout.header), layout.path):
        for name, (place, check) in layout.said.items():
            said[name].append(_read(check, cells[place], layout, line, place))
        try:
            rows.append([exact(cells[place]) for place in places])
        except ValueError:
            rows.append([_read(exact, cells[place], layout, line, place) for place in places])
        lines.append(line)
    values = np.array(rows, dtype=layout.kind.dtype).reshape(len(rows), len(places))
    return _Part(values, said, lines)


def _read(check: Check, cell: str, layout: _Layout[Number], line: int, place: int) -> object:
    where = f"{layout.path}, line {line}, column {layout.header[place]!r}"
    if not is_text(cell):
        raise BankError(f"{where} is not UTF-8 text; save the file in that encoding.")
    try:
        return check(cell)
    except ValueError as error:
        raise BankError(f"{where}: {error}.") from None


def _refuse_twice(part: _Part[Number], names: set[str], path: Path | str) -> None:
    """Refuse a learner with an earlier line, and note these names."""
    here: list[str] = part.said.get(LEARNER, [])
    if len(set(here)) == len(here) and names.isdisjoint(here):
        names.update(here)
        return
    for line, name in zip(part.lines, here, strict=True):
        if name in names:
            raise BankError(f"{path}, line {line}: there are two lines for learner {name!r}; give each learner one.")
        names.add(name)


def shown(cell: str) -> str:
    """Cell as an error shows it: quoted, and not longer than it helps."""
    text = cell.strip()
    return repr(text if len(text) <= 40 else f"{text[:40]}...")
