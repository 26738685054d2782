"""Verdicts on many items at once: p values adjusted for their number, flags, and what could not be tested."""

from dataclasses import dataclass
from enum import IntEnum
from typing import Final, Literal, get_args

import numpy as np
from numpy.typing import ArrayLike

from engine.arrays import Bools, Floats, Ints
from engine.errors import DesignError

Adjustment = Literal["benjamini-hochberg", "holm", "none"]
"""Benjamini-Hochberg bounds the share of false flags; Holm, the probability of any; none takes p values as they are."""


@dataclass(frozen=True)
class FlagRule:
    """When an item is flagged: adjusted p below ``level``, and an effect of at least the threshold of its kind.

    With many learners every difference is significant, and with few a large one may be chance: both are asked for.

    Parameters
    ----------
    adjustment : {"benjamini-hochberg", "holm", "none"}
        How p values are adjusted for the number of items tested.
    level : float
    delta : float
        Threshold of abs(MH D-DIF), in ETS delta units: 1 is the lower end of their class B (Zwick 2012).
    standardised : float
        Threshold of the standardised mean difference of polytomous items, in sds of the item score: 0.17 is the lower
        end of class BB of NAEP (Zwick, Thayer and Mazzeo 1997).
    area : float
        Threshold of the unsigned area between the curves of two groups, as a share of the item's highest score: 0.05 is
        where Dorans and Kulick (1986) begin to look at items.

    References
    ----------
    Dorans, N. J. and Kulick, E. (1986). Demonstrating the utility of the standardization approach to assessing
    unexpected differential item performance on the Scholastic Aptitude Test. Journal of Educational Measurement, 23,
    355-368.
    Zwick, R. (2012). A review of ETS differential item functioning assessment procedures. ETS Research Report RR-12-08.
    Zwick, R., Thayer, D. T. and Mazzeo, J. (1997). Describing and categorizing DIF in polytomous items. GRE Board
    Report 93-10P.
    """

    adjustment: Adjustment = "benjamini-hochberg"
    level: float = 0.05
    delta: float = 1.0
    standardised: float = 0.17
    area: float = 0.05

    def __post_init__(self) -> None:
        """Refuse what cannot be a rule."""
        if self.adjustment not in get_args(Adjustment):
            known = ", ".join(get_args(Adjustment))
            raise DesignError(f"There is no adjustment {self.adjustment!r}; use one of {known}.")
        if not 0.0 < self.level < 1.0 or not all(x >= 0.0 for x in (self.delta, self.standardised, self.area)):
            raise DesignError("The level of a flag is between 0 and 1, its thresholds not negative; correct them.")

    def adjusted(self, p: ArrayLike) -> Floats:
        """P values adjusted for their number, (I,); NaN for what was not tested."""
        if self.adjustment == "none":
            return np.array(p, dtype=np.float64)
        return holm(p) if self.adjustment == "holm" else benjamini_hochberg(p)

    def flagged(self, adjusted_p: Floats, ratio: Floats) -> Bools:
        """Items to look at, (I,), from their adjusted p and their effects over the thresholds."""
        with np.errstate(invalid="ignore"):
            return np.asarray((adjusted_p < self.level) & (np.abs(ratio) >= 1.0))


USUAL: Final = FlagRule()
LARGE: Final = 1.5
"""Smallest abs(MH D-DIF) of class C."""
LARGE_STANDARDISED: Final = 0.25
"""Largest standardised mean difference of class BB."""
SIGNIFICANT: Final = 0.05
ONE_SIDED: Final = 1.645


class EtsClass(IntEnum):
    """Classes of ETS: A negligible, B moderate, C large; AA, BB and CC for polytomous items."""

    NONE = -1
    A = 0
    B = 1
    C = 2


class DifStatus(IntEnum):
    """What became of the test of one item."""

    TESTED = 0
    SEPARATED = 1
    """Tested, but all learners of a group gave the same response: there is no odds ratio."""
    AT_BOUND = 2
    """Tested, but a parameter is at a bound, such as the slope of an item that does not discriminate: read the p value
    and the standardised figure with care."""
    NOT_STUDIED = 3
    """Nobody asked for it."""
    ONE_GROUP = 4
    """Too few answers in one of the groups, or in both."""
    CONSTANT = 5
    """The same response from everybody, or from everybody in one group where each group needs parameters."""
    NO_MATCH = 6
    """No learners of the two groups with the same score and different responses."""
    EMPTY_CATEGORY = 7
    """A category that one of the groups never gave, so that parameters of its own do not exist there."""
    NOT_CONVERGED = 8
    """A fit that did not converge."""


def benjamini_hochberg(p: ArrayLike) -> Floats:
    """P values adjusted to control the false discovery rate: min over j >= i of m p_(j) / j.

    Parameters
    ----------
    p : (I,) float
        NaN for what was not tested, which does not count among the m tests.

    Returns
    -------
    (I,) float
        Flagging what is below 0.05 leaves at most 5 % of false flags among the flags, on average.

    References
    ----------
    Benjamini, Y. and Hochberg, Y. (1995). Controlling the false discovery rate: a practical and powerful approach to
    multiple testing. Journal of the Royal Statistical Society B, 57, 289-300.

    Examples
    --------
    >>> benjamini_hochberg([0.01, 0.04, 0.03, np.nan]).round(3).tolist()
    [0.03, 0.04, 0.04, nan]
    """
    values = np.asarray(p, dtype=np.float64)
    order = np.argsort(values)[: np.count_nonzero(np.isfinite(values))]
    raised = values[order] * order.size / np.arange(1, order.size + 1)
    result = np.full(values.shape, np.nan)
    result[order] = np.minimum(np.minimum.accumulate(raised[::-1])[::-1], 1.0)
    return result


def holm(p: ArrayLike) -> Floats:
    """P values adjusted to control the probability of any false flag: max over j <= i of (m - j + 1) p_(j).

    Parameters
    ----------
    p : (I,) float
        NaN for what was not tested, which does not count among the m tests.

    Returns
    -------
    (I,) float

    References
    ----------
    Holm, S. (1979). A simple sequentially rejective multiple test procedure. Scandinavian Journal of Statistics, 6,
    65-70.

    Examples
    --------
    >>> holm([0.01, 0.04, 0.03, np.nan]).round(3).tolist()
    [0.03, 0.06, 0.06, nan]
    """
    values = np.asarray(p, dtype=np.float64)
    order = np.argsort(values)[: np.count_nonzero(np.isfinite(values))]
    raised = values[order] * np.arange(order.size, 0, -1)
    result = np.full(values.shape, np.nan)
    result[order] = np.minimum(np.maximum.accumulate(raised), 1.0)
    return result


def ets_classes(p: Floats, delta: Floats, delta_error: Floats, standardised: Floats) -> Ints:
    """Classes of ETS, of the MH D-DIF where there is one, else of the standardised mean difference, (I,).

    Parameters
    ----------
    p : (I,) float
        Of each item alone.
    delta, delta_error : (I,) float
        MH D-DIF and its standard error, NaN for an item that has none.
    standardised : (I,) float
        Mean difference in sds of the item score.

    Examples
    --------
    >>> none = np.full(3, np.nan)
    >>> ets_classes(np.full(3, 0.01), np.array([0.9, -1.4, -2.0]), np.full(3, 0.3), none).tolist()
    [0, 1, 2]
    """
    size = np.where(np.isnan(delta), np.abs(standardised), np.abs(delta))
    with np.errstate(invalid="ignore"):
        small = np.where(np.isnan(delta), size <= USUAL.standardised, size < USUAL.delta)
        certain = (size >= LARGE) & (size - ONE_SIDED * delta_error > USUAL.delta)
        large = np.where(np.isnan(delta), size > LARGE_STANDARDISED, certain)
        return np.select(
            [np.isnan(p), (p >= SIGNIFICANT) | small, large], [EtsClass.NONE, EtsClass.A, EtsClass.C], EtsClass.B
        ).astype(np.int64)
