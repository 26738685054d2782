"""Calibrations: what an estimation of parameters said of the items, kept for ever, and which one is in force.

A bank keeps its calibrations in order. The last one that speaks of an item is in force for it: the parameters that the
bank serves are those. A record is immutable; its id is the hash of its content, so that an altered one is found.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cached_property
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal, NamedTuple

import numpy as np
from pydantic import Field, JsonValue, TypeAdapter, model_validator

from engine.arrays import Floats
from engine.errors import BankError
from itembank.estimates import ItemEstimates, Size, Value
from itembank.parameters import Parameters
from itembank.strict import Flag, Record, Text, read

if TYPE_CHECKING:
    from itembank.bank import ItemBank

FORMAT: Final = 1
"""Version of the JSON form; it is part of the id."""


class LeftOut(Record):
    """An item that got no parameters, and why."""

    id: Text
    status: Text


class Loading(Record):
    """An estimated loading and its standard error."""

    value: Value
    error: Value | None = None


class Loadings(Record):
    """Estimated loadings by code."""

    domains: Mapping[str, Loading] = {}
    competences: Mapping[str, Loading] = {}


class CalibrationRecord(Record):
    """A calibration, as a bank keeps it.

    Parameters
    ----------
    date : str
        In UTC, as ISO 8601 writes it: ``2026-01-31T12:00:00Z``.
    source : str
        Name of the file that was calibrated from.
    data_hash : str
        SHA-256 of that file, in hexadecimal.
    software : str
        Name and version.
    model : str
        Of all items, or ``"mixed"``; ``"imported"`` for a table of parameters estimated elsewhere.
    options : mapping of name to plain value
        What was chosen: policies, priors, grid, groups, anchors, fixed items.
    learners : int, optional
        Who gave an answer that is evidence. This and the four next ones are unknown for an imported table.
    log_likelihood : float, optional
    converged : bool, optional
    gradient : float, optional
        Largest gradient left, in standard errors.
    iterations : int, optional
    loadings : Loadings, optional
        Of the latent tree, when they were estimated.
    left_out : tuple of LeftOut
    items : tuple of ItemEstimates
        Kept in the order of their ids, like ``left_out``.
    """

    format: Literal[1] = FORMAT
    date: Text
    source: Text
    data_hash: Annotated[str, Field(strict=True, pattern=r"^[0-9a-f]{64}$")]
    software: Text
    model: Text
    options: Mapping[str, JsonValue] = {}
    learners: Size | None = None
    log_likelihood: Value | None = None
    converged: Flag | None = None
    gradient: Value | None = None
    iterations: Size | None = None
    loadings: Loadings | None = None
    left_out: tuple[LeftOut, ...] = ()
    items: tuple[ItemEstimates, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _coherent(self) -> "CalibrationRecord":
        try:
            date = datetime.fromisoformat(self.date)
        except ValueError:
            date = None
        if date is None or date.utcoffset() is None or date.utcoffset():
            raise ValueError(f"has a date {self.date!r} that is not in UTC; write it like 2026-01-31T12:00:00Z")
        ids = [*(entry.id for entry in self.items), *(entry.id for entry in self.left_out)]
        if len(set(ids)) < len(ids):
            raise ValueError("speaks twice of the same item; keep one entry")
        object.__setattr__(self, "items", tuple(sorted(self.items, key=lambda entry: entry.id)))
        object.__setattr__(self, "left_out", tuple(sorted(self.left_out, key=lambda entry: entry.id)))
        return self

    @cached_property
    def id(self) -> str:
        """First 12 hexadecimal digits of the SHA-256 of the content."""
        text = json.dumps(self._content(), ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False)
        return hashlib.sha256(text.encode("utf-8")).hexdigest()[:12]

    @cached_property
    def by_id(self) -> Mapping[str, ItemEstimates]:
        """Entries by item."""
        return {entry.id: entry for entry in self.items}

    def to_json(self) -> str:
        """Canonical JSON for people to compare: one line a field, one line an item."""
        fields = (f' "{name}": {_lines(value)}' for name, value in self._content().items())
        return "{\n" + ",\n".join(fields) + "\n}\n"

    def _content(self) -> dict[str, Any]:
        # Fields without a value are left out, so that a field added one day changes no id. Defaults are written.
        return self.model_dump(mode="json", exclude_none=True) | {"options": dict(self.options)}


def _lines(value: Any) -> str:
    if isinstance(value, list) and value:
        return "[\n" + ",\n".join(f"  {_line(entry)}" for entry in value) + "\n ]"
    return json.dumps(value, ensure_ascii=False, sort_keys=True, allow_nan=False)


def _line(entry: Any) -> str:
    return json.dumps(entry, ensure_ascii=False, allow_nan=False)


RECORD: Final = TypeAdapter(CalibrationRecord)


def calibration_from(data: Any, where: str = "the calibration") -> CalibrationRecord:
    """Record of plain data, or a BankError with a sentence."""
    return read(RECORD, data, where)


def read_calibration(text: str, where: str) -> CalibrationRecord:
    """Record of its JSON, or a BankError with a sentence; ``where`` names the text in it."""
    try:
        data = json.loads(text, object_pairs_hook=_once)
    except (ValueError, RecursionError) as error:
        raise BankError(f"{where} is not a calibration ({error}); restore it from a backup.") from error
    return calibration_from(data, where)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    content = dict(pairs)
    if len(content) < len(pairs):
        raise ValueError("a name is given twice")
    return content


def this_software() -> str:
    """Name and version of this program, as records state it."""
    try:
        return f"jalon {version('jalon')}"
    except PackageNotFoundError:
        return "jalon"


class InForce(NamedTuple):
    """The last calibration that speaks of an item, and the parameters that the history gives it."""

    record: CalibrationRecord
    parameters: Parameters


def in_force(records: Sequence[CalibrationRecord]) -> Mapping[str, InForce]:
    """Say what a history knows of each item; time parameters are those of the last record that has some."""
    found: dict[str, InForce] = {}
    for record in records:
        for entry in record.items:
            old = found.get(entry.id)
            found[entry.id] = InForce(record, entry.parameters.timed_as(old.parameters if old is not None else None))
    return found


def covariances(bank: "ItemBank", ids: Sequence[str]) -> list[Floats | None]:
    """How sure the parameters in force are, item by item.

    Parameters
    ----------
    bank : ItemBank
    ids : sequence of I str

    Returns
    -------
    list of I (P, P) float or None
        Covariance of the working parameters of each item (slope a, T intercepts, logit of guessing, logit of slipping:
        P = T + 3), NaN where a parameter was not estimated; None where the calibration in force gives none, or there is
        no calibration.
    """
    records = [bank.in_force(id) for id in ids]
    return [
        None if record is None else record.by_id[id].working_covariance for id, record in zip(ids, records, strict=True)
    ]


def stacked(thresholds: Sequence[int], matrices: Sequence[Floats | None]) -> Floats:
    """Covariances of I items in one array, (I, P, P); ``thresholds`` are how many each item has."""
    steps = max((*thresholds, 1))
    whole = np.full((len(matrices), steps + 3, steps + 3), np.nan)
    for row, matrix in enumerate(matrices):
        if matrix is not None:
            own = matrix.shape[0] - 3
            place = [*range(1 + own), steps + 1, steps + 2]
            whole[np.ix_([row], place, place)] = matrix
    return whole
