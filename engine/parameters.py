"""Item parameters: one frozen struct of arrays, validated once."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import IntEnum
from typing import Final

import numpy as np
from numpy.typing import ArrayLike

from engine.arrays import Floats, Ints
from engine.errors import ParameterError

MAX_DISCRIMINATION: Final = 50.0
"""Steeper than any calibrated item; beyond it a file is wrong, not an item."""


class Model(IntEnum):
    """Response models, on the logistic metric (D = 1)."""

    ONE_PL = 1
    TWO_PL = 2
    THREE_PL = 3
    FOUR_PL = 4
    GRM = 5
    GPCM = 6

    @property
    def label(self) -> str:
        """Name used in files, e.g. ``"2PL"``."""
        return f"{int(self)}PL" if self <= Model.FOUR_PL else self.name

    @classmethod
    def named(cls, label: str) -> "Model":
        """Model of a name used in files.

        Raises
        ------
        ParameterError
            When no model has that name.

        Examples
        --------
        >>> Model.named("3PL")
        <Model.THREE_PL: 3>
        """
        for model in cls:
            if model.label == label.strip().upper():
                return model
        names = ", ".join(model.label for model in cls)
        raise ParameterError(f"There is no response model {label!r}; use one of {names}.")


POLYTOMOUS: Final = (Model.GRM, Model.GPCM)


@dataclass(frozen=True, eq=False)
class ItemParameters:
    """Parameters of I items on the logistic metric, D = 1.

    A dichotomous item has P(1 | theta) = c + (d - c) / (1 + exp(-a (theta - b))).

    Parameters
    ----------
    model : (I,) int
        Codes of :class:`Model`.
    discrimination, difficulty, guessing, slipping : (I,) float
        a, b, c and d. Here ``slipping`` is the upper asymptote d, 1 for an item without slips. The difficulty of a
        polytomous item is the mean of its thresholds.
    thresholds : (I, T) float
        Ability at which each step is taken (GRM: P(at least k) = 1/2; GPCM: categories k - 1 and k equally likely);
        NaN where an item has fewer steps. T may be 0.

    Examples
    --------
    >>> bank = ItemParameters.of(["2PL", "GRM"], [1.2, 0.9], [0.0, None], thresholds=[None, (-1.0, 0.5)])
    >>> bank.categories.tolist()
    [2, 3]
    """

    model: Ints
    discrimination: Floats
    difficulty: Floats
    guessing: Floats
    slipping: Floats
    thresholds: Floats

    def __post_init__(self) -> None:
        """Refuse what no model accepts, naming the first item at fault, and make the arrays read-only."""
        _validate(self)
        for array in (self.model, self.discrimination, self.difficulty, self.guessing, self.slipping, self.thresholds):
            array.setflags(write=False)

    @classmethod
    def of(
        cls,
        models: Sequence[str] | str,
        discrimination: ArrayLike,
        difficulty: Sequence[float | None] | ArrayLike | None = None,
        guessing: ArrayLike | None = None,
        slipping: ArrayLike | None = None,
        thresholds: Sequence[Sequence[float] | None] | None = None,
    ) -> "ItemParameters":
        """Parameters from plain sequences; what a model does not use may be left out (None or NaN).

        Parameters
        ----------
        models : sequence of I names, or one name for all
            ``1PL`` ... ``4PL``, ``GRM``, ``GPCM``.
        discrimination, difficulty, guessing, slipping : (I,) float, optional
            A 1PL may have any common discrimination.
        thresholds : sequence of I sequences, optional
            None for a dichotomous item.

        Returns
        -------
        ItemParameters

        Raises
        ------
        ParameterError
            When the lengths differ or a value is impossible.
        """
        slopes = np.array(discrimination, dtype=np.float64).reshape(-1)
        count = slopes.size
        names = [models] * count if isinstance(models, str) else list(models)
        steps = [tuple(t) if t is not None else () for t in (thresholds if thresholds is not None else [None] * count)]
        if len(names) != count or len(steps) != count:
            raise ParameterError(
                f"There are {count} discriminations, {len(names)} models and {len(steps)} lists of thresholds; "
                "give one of each for every item."
            )
        padded = np.full((count, max((len(t) for t in steps), default=0)), np.nan)
        for row, step in enumerate(steps):
            padded[row, : len(step)] = step
        model = np.array([Model.named(name) for name in names], dtype=np.int64)
        location = np.array([np.nan] * count if difficulty is None else difficulty, dtype=np.float64).reshape(-1)
        has_steps = np.isfinite(padded).any(axis=1) if padded.shape[1] else np.zeros(count, dtype=bool)
        if location.size == count and has_steps.any():
            location[has_steps] = np.nanmean(padded[has_steps], axis=1)
        lower = np.zeros(count) if guessing is None else np.nan_to_num(np.array(guessing, dtype=np.float64), nan=0.0)
        upper = np.ones(count) if slipping is None else np.nan_to_num(np.array(slipping, dtype=np.float64), nan=1.0)
        return cls(model, slopes, location, lower.reshape(-1), upper.reshape(-1), padded)

    def __len__(self) -> int:
        """Return the number of items."""
        return int(self.model.size)

    @property
    def categories(self) -> Ints:
        """Number of response categories of each item, (I,)."""
        steps = np.isfinite(self.thresholds).sum(axis=1, dtype=np.int64)
        return np.where(np.isin(self.model, POLYTOMOUS), steps + 1, 2).astype(np.int64)

    def take(self, rows: ArrayLike) -> "ItemParameters":
        """Parameters of the items at ``rows``, in that order."""
        index = np.asarray(rows)
        return ItemParameters(
            self.model[index],
            self.discrimination[index],
            self.difficulty[index],
            self.guessing[index],
            self.slipping[index],
            self.thresholds[index],
        )

    def joined(self, others: "ItemParameters") -> "ItemParameters":
        """Parameters of these items, then of the others.

        Examples
        --------
        >>> easy, graded = ItemParameters.of("1PL", [1.0], [-1.0]), ItemParameters.of("GRM", [1.0], thresholds=[(0, 1)])
        >>> easy.joined(graded).categories.tolist()
        [2, 3]
        """
        width = max(self.thresholds.shape[1], others.thresholds.shape[1])
        steps = [
            np.pad(part.thresholds, ((0, 0), (0, width - part.thresholds.shape[1])), constant_values=np.nan)
            for part in (self, others)
        ]
        return ItemParameters(
            np.concatenate([self.model, others.model]),
            np.concatenate([self.discrimination, others.discrimination]),
            np.concatenate([self.difficulty, others.difficulty]),
            np.concatenate([self.guessing, others.guessing]),
            np.concatenate([self.slipping, others.slipping]),
            np.concatenate(steps),
        )

    def without_guessing(self, rows: slice = slice(None)) -> "ItemParameters":
        """Parameters with no lucky guess possible at ``rows``: a skip that says "I do not know" is read with them."""
        guessing = self.guessing.copy()
        guessing[rows] = 0.0
        return replace(self, guessing=guessing)


def _validate(items: ItemParameters) -> None:
    shape = items.model.shape
    fields = {
        "discrimination": items.discrimination,
        "difficulty": items.difficulty,
        "guessing": items.guessing,
        "slipping": items.slipping,
    }
    for name, values in fields.items():
        if values.shape != shape:
            raise ParameterError(f"There are {shape[0]} models and {values.size} values of {name}; give one for each.")
    if items.thresholds.ndim != 2 or items.thresholds.shape[0] != shape[0]:
        raise ParameterError("Thresholds must be a table with one row for each item.")
    polytomous = np.isin(items.model, POLYTOMOUS)
    a, c, d = items.discrimination, items.guessing, items.slipping
    steps = items.thresholds
    finite = np.isfinite(steps)
    gap = (np.diff(finite.astype(np.int8), axis=1) > 0).any(axis=1)
    order = np.nan_to_num(np.diff(steps, axis=1), nan=1.0)
    disordered = (items.model == Model.GRM) & (order <= 0).any(axis=1)
    rules = (
        (
            ~(np.isfinite(a) & (a > 0) & (a <= MAX_DISCRIMINATION)),
            f"a discrimination outside ]0, {MAX_DISCRIMINATION}]",
        ),
        (~polytomous & ~np.isfinite(items.difficulty), "no finite difficulty"),
        (polytomous & ~finite.any(axis=1), "no thresholds, which its model needs"),
        (gap | np.isinf(steps).any(axis=1), "thresholds with a hole or an infinite value"),
        (~polytomous & finite.any(axis=1), "thresholds, which its model does not have"),
        (disordered, "thresholds that do not increase"),
        (~((c >= 0) & (c < d) & (d <= 1)), "a guessing and a slipping that are not 0 <= guessing < slipping <= 1"),
        ((items.model != Model.THREE_PL) & (items.model != Model.FOUR_PL) & (c != 0), "a guessing, unlike its model"),
        ((items.model != Model.FOUR_PL) & (d != 1), "a slipping, unlike its model"),
    )
    for wrong, words in rules:
        if wrong.any():
            raise ParameterError(f"Item number {int(np.argmax(wrong)) + 1} has {words}; correct it.")
