"""The snapshot: a frozen, hashed bank that a run pins.

Rows are items, in the order of competence then id. The hash covers everything that matters for serving and marking,
and nothing else: two banks that serve the same questions in the same way have the same hash, and a run can be replayed
years later from the snapshot that it pins.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from math import isnan, log
from typing import Any, Final, Self

import numpy as np

from engine.adaptive import Design
from engine.arrays import Bools, Floats, Ints
from engine.errors import BankError
from engine.parameters import ItemParameters
from engine.table import Table, build_table
from engine.timing import TIME_DISCRIMINATION
from itembank.bank import ItemBank
from itembank.calibrations import covariances, stacked
from itembank.framework import Framework, framework_from
from itembank.items import FLAGS, Item, item_from, plain
from itembank.parameters import Parameters, to_engine

Covariance = tuple[tuple[float | None, ...], ...]

FORMAT: Final = 1
"""Version of the JSON form; it is part of the hash."""


@dataclass(frozen=True, eq=False)
class Snapshot:
    """Items ready to be served, by row.

    Parameters
    ----------
    framework : Framework
    locale : str
    items : tuple of I Item
        Without their ``why``.
    rows : tuple of I Parameters
    errors : tuple of I covariances
        Of the working parameters of each item (:mod:`engine.working`), as rows of numbers, None where a
        parameter was not estimated; None for an item of whose errors nothing is known. Empty when none are known:
        designs that take parameters as uncertain need some.
    """

    framework: Framework
    locale: str
    items: tuple[Item, ...]
    rows: tuple[Parameters, ...]
    errors: tuple[Covariance | None, ...] = ()

    @classmethod
    def of(cls, bank: ItemBank, locale: str = "fr") -> Self:
        """Snapshot of what a bank can serve in a locale: operational items that have parameters."""
        items = bank.served(locale)
        if not items:
            raise BankError(
                f"The bank has no operational item with parameters in locale {locale!r}; `jalon bank check` says why."
            )
        served = tuple(item.model_copy(update={"why": ""}) for item in items)
        known = covariances(bank, [item.id for item in items])
        errors = tuple(None if matrix is None else _told(matrix) for matrix in known)
        rows = tuple(bank.parameters[item.id] for item in items)
        return cls(bank.framework, locale, served, rows, errors if any(errors) else ())

    def __len__(self) -> int:
        """Return the number of items."""
        return len(self.items)

    def __eq__(self, other: object) -> bool:
        """Two snapshots of the same content are equal."""
        return isinstance(other, Snapshot) and self.hash == other.hash

    def __hash__(self) -> int:
        """Hash of the content hash."""
        return hash(self.hash)

    @cached_property
    def ids(self) -> tuple[str, ...]:
        """Id of each row."""
        return tuple(item.id for item in self.items)

    @cached_property
    def _row_of(self) -> Mapping[str, int]:
        return {id: row for row, id in enumerate(self.ids)}

    def row(self, id: str) -> int:
        """Row of an item."""
        if id not in self._row_of:
            raise BankError(f"There is no item {id!r} in this snapshot; it serves {len(self)} others.")
        return self._row_of[id]

    @cached_property
    def parameters(self) -> ItemParameters:
        """Parameters of the I items."""
        return to_engine(self.rows)

    @cached_property
    def provisional(self) -> Bools:
        """Where the parameters are expert judgement, (I,)."""
        return np.array([row.provisional for row in self.rows])

    @cached_property
    def competence(self) -> Ints:
        """Competence of each item, (I,), as the framework numbers them."""
        return np.array([self.framework.index(item.competence) for item in self.items], dtype=np.int64)

    @cached_property
    def topics(self) -> tuple[tuple[str, str], ...]:
        """Competence and topic codes of the T topics that have items; the place is the topic's number."""
        return tuple(dict.fromkeys((item.competence, item.topic) for item in self.items))

    @cached_property
    def topic(self) -> Ints:
        """Topic of each item, (I,), 0..T-1."""
        number = {topic: place for place, topic in enumerate(self.topics)}
        return np.array([number[item.competence, item.topic] for item in self.items], dtype=np.int64)

    @cached_property
    def enemies(self) -> tuple[tuple[int, int], ...]:
        """Pairs of rows, each once, of which a test asks at most one."""
        pairs = (
            (self._row_of[item.id], self._row_of[enemy])
            for item in self.items
            for enemy in item.enemies
            if enemy in self._row_of
        )
        return tuple(sorted({(min(pair), max(pair)) for pair in pairs}))

    def table(self, design: Design) -> Table:
        """Items as the adaptive loop sees them under a design."""
        return build_table(
            self.parameters,
            design,
            competence=self.competence,
            topic=self.topic,
            enemies=self.enemies,
            timed=[item.limit is not None for item in self.items],
            time_intensity=[
                row.time_intensity if row.time_intensity is not None else log(item.time)
                for item, row in zip(self.items, self.rows, strict=True)
            ],
            time_discrimination=[
                row.time_discrimination if row.time_discrimination is not None else TIME_DISCRIMINATION
                for row in self.rows
            ],
            cuts=self.framework.cuts,
            covariance=self.covariance,
        )

    @cached_property
    def covariance(self) -> Floats | None:
        """Covariances of the working parameters, (I, P, P), NaN where nothing is known; None when none are known."""
        if not self.errors:
            return None
        matrices = [None if told is None else np.array(told, dtype=np.float64) for told in self.errors]
        return stacked([len(row.thresholds) for row in self.rows], matrices)

    def allowed(
        self,
        accessible: Iterable[str] = (),
        exclude: Iterable[str] = (),
        competences: Sequence[str] | None = None,
    ) -> Bools:
        """Which items a learner may be asked.

        Parameters
        ----------
        accessible : names of flags
            ``blind``, ``colour_blind``, ``deaf``: only items that suit all of them.
        exclude : item ids
            Items to leave out; ids that this snapshot does not serve are of no consequence.
        competences : codes, optional
            Only items of these competences.

        Returns
        -------
        (I,) bool
        """
        flags = tuple(accessible)
        unknown = set(flags) - set(FLAGS)
        if unknown:
            raise BankError(f"There is no accessibility flag {min(unknown)!r}; use {', '.join(FLAGS)}.")
        wanted = np.ones(len(self), dtype=bool)
        if competences is not None:
            wanted = np.isin(self.competence, [self.framework.index(code) for code in competences])
        left_out = set(exclude)
        for row, item in enumerate(self.items):
            if item.id in left_out or not all(getattr(item.accessible, flag) for flag in flags):
                wanted[row] = False
        return wanted

    @cached_property
    def hash(self) -> str:
        """SHA-256 of the canonical JSON, in hexadecimal."""
        return hashlib.sha256(self.to_json().encode("utf-8")).hexdigest()

    def to_json(self) -> str:
        """Canonical JSON: the same content always gives the same text, and the hash is the hash of that text."""
        content = {
            "format": FORMAT,
            "framework": self.framework.model_dump(mode="json"),
            "locale": self.locale,
            "items": [_item_json(item) for item in self.items],
            "parameters": [asdict(row) for row in self.rows],
        } | ({"errors": self.errors} if self.errors else {})
        return json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False)

    @classmethod
    def from_json(cls, text: str, expected: str | None = None) -> Self:
        """Read a snapshot back.

        Parameters
        ----------
        text : str
            What ``to_json`` wrote.
        expected : str, optional
            The hash that the content must have.

        Raises
        ------
        BankError
            When the text is no snapshot, or its content is not the one expected.
        """
        try:
            content = json.loads(text)
        except json.JSONDecodeError as error:
            raise BankError(f"The snapshot is not JSON ({error}); restore it from a backup.") from error
        if not isinstance(content, dict) or content.get("format") != FORMAT:
            raise BankError(f"The text is not a snapshot of format {FORMAT}; read it with the version that wrote it.")
        snapshot = cls(
            framework_from(content["framework"]),
            content["locale"],
            tuple(item_from(item) for item in content["items"]),
            tuple(Parameters(**(row | {"thresholds": tuple(row["thresholds"])})) for row in content["parameters"]),
            tuple(None if told is None else tuple(map(tuple, told)) for told in content.get("errors", ())),
        )
        if expected is not None and snapshot.hash != expected:
            raise BankError(
                f"The snapshot has the hash {snapshot.hash[:12]}, not {expected[:12]}: its content was altered; "
                "restore it from a backup."
            )
        return snapshot


def _told(matrix: Floats) -> Covariance:
    return tuple(tuple(None if isnan(value) else value for value in row) for row in matrix.tolist())


def _item_json(item: Item) -> dict[str, Any]:
    """Plain item whose choices are pairs, because their order is served and objects in JSON have none."""
    content = plain(item)
    for name in ("choices", "options"):
        if name in content:
            content[name] = [list(pair) for pair in content[name].items()]
    return content
