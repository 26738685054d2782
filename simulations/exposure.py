"""Sympson-Hetter exposure parameters, fitted by simulating the test again and again."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from engine.adaptive import Design
from engine.arrays import Floats
from engine.errors import DesignError
from engine.picks import SympsonHetter
from engine.table import Table
from engine.uniform import derive
from simulations.behaviours import Behaviour, ModelTrue
from simulations.learners import draw
from simulations.run import simulate
from simulations.use import exposure_rates

_LEAST: Final = 1e-3
"""Smallest exposure parameter: an item that is hardly ever let through still comes back."""

_MOST: Final = 0.999
"""Probabilities are taken to be no larger than this where their complement is used."""


@dataclass(frozen=True)
class Fit:
    """What the fit found.

    Parameters
    ----------
    pick : SympsonHetter
        With the parameters of the round whose largest exposure was smallest.
    history : tuple of float
        Largest exposure in each round, the first being that of the best items unhindered.
    target : float
    reached : bool
        Whether the largest exposure came down to the target plus the tolerance.
    """

    pick: SympsonHetter
    history: tuple[float, ...]
    target: float
    reached: bool


def fit_sympson_hetter(
    design: Design,
    table: Table,
    target: float,
    *,
    learners: int = 2000,
    seed: int = 1,
    rounds: int = 20,
    tolerance: float = 0.02,
    behaviours: Sequence[Behaviour] = (ModelTrue(),),
    jobs: int = 1,
    progress: Callable[[int, float], None] | None = None,
) -> Fit:
    """Fit the parameters of :class:`engine.picks.SympsonHetter` so that no item is asked of too many learners.

    Parameters
    ----------
    design : Design
        Its pick is replaced.
    table : Table
    target : float
        Largest share of the learners who may be asked an item.
    learners : int
        Simulees of each round, new ones each time.
    seed : int
    rounds : int
        Largest number of simulations.
    tolerance : float
        The fit ends once the largest exposure is at most the target plus this.
    behaviours : sequence of Behaviour
    jobs : int
    progress : callable, optional
        Called after each round with its number, from 1, and the largest exposure.

    Returns
    -------
    Fit

    Notes
    -----
    After Sympson and Hetter (1985), who set K to r / P(S), with r the target, P(S) the probability of being selected and
    P(A) = K P(S) that of being asked. There an item that failed its lottery is out for the rest of the test; here it may
    be selected again, m times say, so that P(A) = 1 - (1 - K)^m. K is adjusted to bring that to r with the same m.
    """
    count = len(table.parameters)
    if not 0.0 < target < 1.0 or rounds < 1:
        raise DesignError(f"A largest exposure of {target} in {rounds} rounds makes no sense; give e.g. 0.25 and 20.")
    parameters = np.ones(count)
    best: tuple[float, Floats] = (np.inf, parameters)
    history: list[float] = []
    for number in range(1, rounds + 1):
        trial = replace(design, pick=SympsonHetter(tuple(parameters.tolist())))
        simulees = draw(design.latent, learners, int(derive(seed, number)))
        items = simulate(trial, table, simulees, behaviours, jobs=jobs).items
        exposure = exposure_rates(items, count)
        largest = float(exposure.max())
        history.append(largest)
        if number == 1 and exposure.sum() > target * count:
            raise DesignError(
                f"The test asks {exposure.sum():.0f} of {count} items, so some item is asked of at least "
                f"{exposure.sum() / count:.0%} of the learners; allow more than that, or add items."
            )
        if largest < best[0]:
            best = (largest, parameters)
        if progress is not None:
            progress(number, largest)
        if largest <= target + tolerance:
            break
        parameters = _adjusted(parameters, exposure, target)
    pick = SympsonHetter(tuple(best[1].tolist()))
    return Fit(pick, tuple(history), target, best[0] <= target + tolerance)


def _adjusted(parameters: Floats, exposure: Floats, target: float) -> Floats:
    """Next parameters, (I,), from the last ones and the exposures that they gave."""
    chance = -np.log1p(-np.minimum(parameters, _MOST))
    asked = -np.log1p(-np.minimum(exposure, _MOST))
    ratio = np.divide(-np.log1p(-target), asked, out=np.full(asked.shape, np.inf), where=asked > 0)
    adjusted = -np.expm1(-chance * ratio)
    return np.where(adjusted >= _MOST, 1.0, np.maximum(adjusted, _LEAST))
