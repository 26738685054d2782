"""True items: what the responses of a study are drawn from and what its estimates are held against."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np
from scipy.special import ndtri

from engine.adaptive import Design
from engine.arrays import Floats, Ints
from engine.errors import BankError, SettingError
from engine.latent import Independent, Latent
from engine.parameters import POLYTOMOUS, ItemParameters, Model
from engine.table import Table, build_table
from engine.uniform import derive, uniform
from itembank.files import load_bank, shipped_bank
from itembank.framework import Framework
from itembank.snapshot import Snapshot
from itembank.tables import read_item_table

COUNT: Final = 40
"""Made-up items."""
CATEGORIES: Final = 4
"""Categories of a made-up GRM or GPCM item."""
_ITEMS: Final = 2**41
"""Stream of the numbers that made-up items come from, apart from those of learners."""


@dataclass(frozen=True, eq=False)
class Truth:
    """True items.

    Parameters
    ----------
    ids : tuple of I str
    parameters : ItemParameters
    competences : tuple of C str
        Codes.
    competence : (I,) int
        0 .. C - 1.
    latent : Independent or LatentTree
        How the abilities of the learners hang together.
    origin : str
        Words that say where the items come from.
    snapshot : Snapshot, optional
        The bank, where all of its competences are studied together.
    """

    ids: tuple[str, ...]
    parameters: ItemParameters
    competences: tuple[str, ...]
    competence: Ints
    latent: Latent
    origin: str
    snapshot: Snapshot | None = None

    def __len__(self) -> int:
        """Return the number of items."""
        return len(self.ids)

    @property
    def framework(self) -> Framework | None:
        """Framework of a bank that is studied whole."""
        return None if self.snapshot is None else self.snapshot.framework

    def table(self, design: Design) -> Table:
        """Items as the adaptive loop sees them."""
        if self.snapshot is not None:
            return self.snapshot.table(design)
        return build_table(self.parameters, design, competence=self.competence)


def true_items(
    items: Path | None = None,
    bank: Path | None = None,
    competence: str | None = None,
    scale: float | None = None,
    model: str = "2PL",
    count: int = COUNT,
    seed: int = 1,
) -> Truth:
    """Items of a table or of a bank, or made up when neither is given.

    Parameters
    ----------
    items : Path, optional
        Item table.
    bank : Path, optional
        Folder of a bank.
    competence : str, optional
        Code. Without one, all items of a table measure one ability, and a bank is taken whole, on its tree. With one
        and neither table nor bank, the items come from the bank that ships.
    scale : float, optional
        D of the item table.
    model, count, seed
        Of made-up items (:func:`made_up_items`).
    """
    if items is not None and bank is not None:
        raise BankError("Items come from --items or from --bank, not from both; leave one out.")
    if items is not None:
        return _of_table(items, scale, competence)
    if bank is None and competence is None:
        parameters = made_up_items(model, count, seed)
        ids = tuple(f"item-{row + 1:0{len(str(count))}d}" for row in range(count))
        where = f"{count} made-up {model.upper()} items, seed {seed}"
        return Truth(ids, parameters, ("all",), np.zeros(count, dtype=np.int64), Independent(), where)
    return _of_bank(bank, competence)


def _of_table(path: Path, scale: float | None, competence: str | None) -> Truth:
    table = read_item_table(path, scale)
    if competence is not None:
        table = replace(table, rows=tuple(row for row in table.rows if row.competence == competence))
    if not table.rows:
        what = "items" if competence is None else f"item of competence {competence}"
        raise BankError(f"{table.where} has no {what}; a calibration needs at least one.")
    label = competence or (table.competences[0] if len(table.competences) == 1 else "all")
    return Truth(
        table.ids, table.parameters, (label,), np.zeros(len(table.ids), dtype=np.int64), Independent(), table.where
    )


def _of_bank(bank: Path | None, competence: str | None) -> Truth:
    snapshot = Snapshot.of(shipped_bank() if bank is None else load_bank(bank))
    name = "the bank that ships" if bank is None else str(bank)
    if competence is None:
        codes, tree = snapshot.framework.codes, snapshot.framework.tree()
        where = f"{name}, {len(codes)} competences on the tree"
        return Truth(snapshot.ids, snapshot.parameters, codes, snapshot.competence, tree, where, snapshot)
    chosen = np.flatnonzero(snapshot.competence == snapshot.framework.index(competence))
    if chosen.size == 0:
        raise BankError(f"The bank serves no item of competence {competence}; choose another.")
    return Truth(
        tuple(snapshot.ids[row] for row in chosen.tolist()),
        snapshot.parameters.take(chosen),
        (competence,),
        np.zeros(chosen.size, dtype=np.int64),
        Independent(),
        f"{name}, competence {competence}",
    )


def made_up_items(model: str = "2PL", count: int = COUNT, seed: int = 1) -> ItemParameters:
    """Items of one model: a ~ lognormal(0, 0.3), b ~ N(0, 1), c ~ U(0.1, 0.3) and d ~ U(0.88, 0.98).

    The slope of 1PL items is 1. GRM and GPCM items have four categories; their thresholds lie at N(0, 0.7) plus -s, 0
    and s, with s ~ U(0.7, 1.3).

    Parameters
    ----------
    model : str
        ``1PL`` ... ``4PL``, ``GRM``, ``GPCM``.
    count, seed : int

    Examples
    --------
    >>> made_up_items("GRM", 2).categories.tolist()
    [4, 4]
    """
    code = Model.named(model)
    if count < 1:
        raise SettingError(f"There cannot be {count} items; ask for at least 1.")
    first, second, third, fourth = (
        np.maximum(uniform(derive(derive(seed, _ITEMS), stream), np.arange(count)), 2.0**-54) for stream in range(4)
    )
    slope = np.ones(count) if code is Model.ONE_PL else np.exp(0.3 * ndtri(first))
    if code in POLYTOMOUS:
        spread = (0.7 + 0.6 * third)[:, None] * (np.arange(1, CATEGORIES) - 0.5 * CATEGORIES)
        return ItemParameters.of(code.label, slope, thresholds=(0.7 * ndtri(second)[:, None] + spread).tolist())
    return ItemParameters.of(
        code.label,
        slope,
        ndtri(second),
        0.1 + 0.2 * third if code in (Model.THREE_PL, Model.FOUR_PL) else None,
        0.88 + 0.1 * fourth if code is Model.FOUR_PL else None,
    )


def reported(parameters: ItemParameters) -> Floats:
    """Parameters as one table (I, P): a, each b or threshold, c, d; NaN where an item has no such step.

    Examples
    --------
    >>> reported(ItemParameters.of("2PL", [2.0], [0.5])).tolist()
    [[2.0, 0.5, 0.0, 1.0]]
    """
    steps = parameters.thresholds if parameters.thresholds.shape[1] else np.full((len(parameters), 1), np.nan)
    steps = steps.copy()
    plain = ~np.isin(parameters.model, POLYTOMOUS)
    steps[plain, 0] = parameters.difficulty[plain]
    return np.column_stack([parameters.discrimination, steps, parameters.guessing, parameters.slipping])
