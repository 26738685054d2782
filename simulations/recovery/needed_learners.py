"""How many learners a calibration needs: RMSE against the number of learners, measured and expected."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np

from engine.arrays import Floats, Ints
from engine.errors import SettingError
from simulations.recovery.figures import Figure, Figures, cells_of
from simulations.recovery.truth import Truth

WANTED: Final = (0.2, 0.15, 0.1, 0.05)
"""RMSE for which the number of learners is told when nobody says otherwise."""


class Needed(NamedTuple):
    """Learners needed for an RMSE of one kind of parameter."""

    kind: str
    rmse: float
    learners: float
    """From the replications; NaN when there are none."""
    beyond: bool
    """Outside the sizes that were tried: carried on from the nearest one as one over the root."""
    expected: float
    """From the expected information; NaN when it cannot be said."""


@dataclass(frozen=True, eq=False)
class Curve:
    """RMSE of studies that differ in their number of learners only.

    Parameters
    ----------
    learners : (S,) int
        Increasing.
    rmse : mapping of kind to S Figure
    expected : mapping of kind to float
        RMSE that the expected information predicts for a single learner.
    converged : (S,) float
        Share of the replications.
    """

    learners: Ints
    rmse: Mapping[str, Sequence[Figure]]
    expected: Mapping[str, float]
    converged: Floats

    def needed(self, wanted: Sequence[float] = WANTED) -> list[Needed]:
        """Learners needed for each RMSE, of each kind of parameter."""
        return [self._needed(kind, rmse) for kind in self.rmse for rmse in wanted]

    def _needed(self, kind: str, wanted: float) -> Needed:
        found = np.array([figure.value for figure in self.rmse[kind]])
        learners, beyond = interpolated(self.learners, found, wanted)
        expected = self.expected.get(kind, float("nan"))
        return Needed(kind, wanted, learners, beyond, (expected / wanted) ** 2)


def curve_of(truth: Truth, studies: Mapping[int, Figures], expected_errors: Floats) -> Curve:
    """Join studies of several sizes with the errors (I, P) expected from one learner."""
    sizes = sorted(studies)
    kinds = list(studies[sizes[-1]].kinds)
    missing = Figure(float("nan"), float("nan"))
    rmse = {
        kind: [studies[n].kinds[kind].rmse if kind in studies[n].kinds else missing for n in sizes] for kind in kinds
    }
    converged = np.array([studies[n].converged.mean() for n in sizes])
    return Curve(np.array(sizes, dtype=np.int64), rmse, expected_rmse(truth, expected_errors), converged)


def expected_rmse(truth: Truth, expected_errors: Floats) -> dict[str, float]:
    """Root mean square of the errors expected from one learner, by kind of parameter; without what has none."""
    found = {}
    for kind, cells in cells_of(truth).items():
        known = expected_errors[cells & np.isfinite(expected_errors)]
        if known.size:
            found[kind] = float(np.sqrt(np.mean(known**2)))
    return found


def interpolated(learners: Ints, rmse: Floats, wanted: float) -> tuple[float, bool]:
    """Learners at which the RMSE falls to what is wanted, on straight lines between the logs of both.

    Parameters
    ----------
    learners : (S,) int
        Increasing.
    rmse : (S,) float
        NaN is left out.
    wanted : float

    Returns
    -------
    learners : float
    beyond : bool
        Outside the sizes given: carried on from the nearest one as one over the root.

    Examples
    --------
    >>> interpolated(np.array([100, 400]), np.array([0.2, 0.1]), 0.05)
    (1600.0, True)
    """
    if wanted <= 0:
        raise SettingError(f"An RMSE of {wanted} is never reached; give e.g. 0.1.")
    known = np.isfinite(rmse) & (rmse > 0)
    if not known.any():
        return float("nan"), True
    x, y = np.log(learners[known].astype(np.float64)), np.log(rmse[known]) - np.log(wanted)
    low = np.flatnonzero(y <= 0)
    if low.size == 0 or low[0] == 0:
        end = 0 if low.size else -1
        return float(np.round(np.exp(x[end] + 2.0 * y[end]), 6)), bool(y[end] != 0)
    at = int(low[0])
    share = y[at - 1] / (y[at - 1] - y[at])
    return float(np.exp(x[at - 1] + share * (x[at] - x[at - 1]))), False
