"""One row of an item table: cells of CSV and the parameters that they write."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import isfinite
from typing import Final

from engine.errors import BankError, ParameterError
from engine.parameters import Model
from itembank.csv_text import Row
from itembank.parameters import POLYTOMOUS, Parameters

SCALES: Final = (1.0, 1.7, 1.702)
"""Metrics in use: P = 1 / (1 + exp(-D a (theta - b)))."""

SE_THRESHOLDS: Final = "se_thresholds"

StatedErrors = Mapping[str, float | tuple[float, ...]]

MEAN_TOLERANCE: Final = 1e-3
"""A polytomous row may state its difficulty, which is the mean of its thresholds up to rounding."""


@dataclass(frozen=True)
class ItemRow:
    """One item of a table; ``errors`` are its standard errors by column, e.g. ``{"se_difficulty": 0.08}``.

    ``se_thresholds`` has one for each threshold, the other columns have one number.
    """

    id: str
    parameters: Parameters
    competence: str | None = None
    topic: str | None = None
    errors: StatedErrors = field(default_factory=dict)


def row_from_cells(row: Row, scale: float | None) -> ItemRow:
    """Item of a row, on the metric D = 1.

    Parameters
    ----------
    row : Row
    scale : float, optional
        D of the file; what the row says in its column ``D`` when left out, else 1.
    """
    id = row.text("id")
    if id is None:
        raise row.error("the id is empty; give one to every item")
    model = _model(row)
    factor = _scale(row, scale)
    thresholds = _several(row, "thresholds")
    slope = row.number("discrimination")
    if slope is None:
        if model != "1PL":
            raise row.error(f"item {id} has no discrimination, which the model {model} needs; add it")
        slope = 1.0
    difficulty = row.number("difficulty")
    if model in POLYTOMOUS and difficulty is not None and thresholds:
        if abs(difficulty - sum(thresholds) / len(thresholds)) > MEAN_TOLERANCE:
            raise row.error(f"the difficulty of {id} is not the mean of its thresholds; leave it empty")
        difficulty = None
    guessing, slipping = row.number("guessing"), row.number("slipping")
    try:
        parameters = Parameters(
            model=model,
            discrimination=slope,
            difficulty=difficulty,
            guessing=0.0 if guessing is None else guessing,
            slipping=1.0 if slipping is None else slipping,
            thresholds=thresholds,
            time_intensity=row.number("time_intensity"),
            time_discrimination=row.number("time_discrimination"),
            provisional=row.flag("provisional"),
        ).rescaled(factor)
    except BankError as error:
        raise BankError(f"{row.where}, item {id}: {error}") from error
    return ItemRow(id, parameters, row.text("competence"), row.text("topic"), _errors(row, len(thresholds), factor))


def _errors(row: Row, thresholds: int, factor: float) -> StatedErrors:
    """Read standard errors, on the metric D = 1; of the parameters, only the discrimination depends on the metric."""
    errors: dict[str, float | tuple[float, ...]] = {}
    for column in (column for column in row.cells if column.startswith("se_")):
        if column == SE_THRESHOLDS:
            several = _several(row, column)
            if several and len(several) != thresholds:
                raise row.error(f"there are {len(several)} {column} for {thresholds} thresholds; give one for each")
            if several:
                errors[column] = several
        elif (value := row.number(column)) is not None:
            errors[column] = value * (factor if column == "se_discrimination" else 1.0)
    return errors


def cells_of_row(row: ItemRow) -> dict[str, str]:
    """Cells of an item by column; what its model does not use stays empty."""
    parameters = row.parameters
    guesses, slips = parameters.model in ("3PL", "4PL"), parameters.model == "4PL"
    return {
        "id": row.id,
        "model": parameters.model,
        "discrimination": _cell(parameters.discrimination),
        "difficulty": _cell(parameters.difficulty),
        "guessing": _cell(parameters.guessing if guesses else None),
        "slipping": _cell(parameters.slipping if slips else None),
        "thresholds": _cell(parameters.thresholds),
        "competence": row.competence or "",
        "topic": row.topic or "",
        "time_intensity": _cell(parameters.time_intensity),
        "time_discrimination": _cell(parameters.time_discrimination),
        "provisional": "true" if parameters.provisional else "",
    } | {column: _cell(value) for column, value in row.errors.items()}


def _cell(value: float | tuple[float, ...] | None) -> str:
    if isinstance(value, tuple):
        return ";".join(_cell(part) for part in value)
    return "" if value is None else repr(float(value))


def _model(row: Row) -> str:
    name = row.text("model")
    if name is None:
        raise row.error("the model is empty; write one of 1PL, 2PL, 3PL, 4PL, GRM, GPCM")
    try:
        return Model.named(name).label
    except ParameterError as error:
        raise BankError(f"{row.where}: {error}") from error


def _scale(row: Row, scale: float | None) -> float:
    stated = row.number("D")
    if scale is not None and stated is not None and scale != stated:
        raise row.error(f"the file says D = {stated} and D = {scale} was asked for; keep the true one")
    factor = next((value for value in (scale, stated) if value is not None), 1.0)
    if factor not in SCALES:
        raise row.error(f"D = {factor} is no metric in use; D is 1, 1.7 or 1.702")
    return factor


def _several(row: Row, column: str) -> tuple[float, ...]:
    """Finite numbers separated by semicolons."""
    cell = row.text(column)
    if cell is None:
        return ()
    try:
        values = tuple(float(part) for part in cell.split(";"))
    except ValueError:
        raise row.error(f"{column} {cell!r} are not numbers separated by semicolons, e.g. -0.5;0.8") from None
    if not all(isfinite(value) for value in values):
        raise row.error(f"{column} are {cell}; write finite numbers")
    return values
