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

_POWER: Final = 1.5
_BOLD: Final = 8
"""The power of the adjustment, and the rounds after which it shrinks."""


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
    rounds: int = 30,
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
    Sympson and Hetter (1985) set K to r / P(S), with r the target, P(S) the probability of being selected and
    P(A) = K P(S) that of being asked: K is multiplied by r / P(A). There an item that failed its lottery is out for the
    rest of the test; here it may be selected again, so that P(A) answers to K less than proportionally. Hence a power
    above 1 in the first rounds, which shrinks later so that the noise of the simulations averages out.
    """
    count = len(table.parameters)
    if not 0.0 < target < 1.0 or rounds < 1:
        raise DesignError(f"A largest exposure of {target} in {rounds} rounds makes no sense; give e.g. 0.25 and 30.")
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
        parameters = _adjusted(parameters, exposure, target, number)
    pick = SympsonHetter(tuple(best[1].tolist()))
    return Fit(pick, tuple(history), target, best[0] <= target + tolerance)


def _adjusted(parameters: Floats, exposure: Floats, target: float, number: int) -> Floats:
    """Next parameters, (I,), from those of round ``number`` and the exposures that they gave."""
    power = _POWER if number <= _BOLD else _POWER * _BOLD / number
    ratio = np.divide(target, exposure, out=np.full(exposure.shape, np.inf), where=exposure > 0)
    return np.asarray(np.clip(parameters * ratio**power, _LEAST, 1.0))
