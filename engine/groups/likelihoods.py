"""What a learner's answers say of their ability, without what the population says: normal likelihoods.

A posterior is the prior times the likelihood of the answers. With the prior N(0, 1) divided out, what is left of a
posterior of mean m and standard deviation s is, by its first two moments, the likelihood of one measurement

    y = (m / s^2) / p    with the precision    p = 1 / s^2 - 1.

The posterior must be from the answers to the items of the competence itself, that is with
:class:`engine.latent.Independent`. What the tree passes on from other competences is drawn to the population; dividing
the prior out would undo this by as much as it was drawn, and exaggerate whatever a group has in common everywhere.
"""

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from engine.arrays import Floats
from engine.errors import DesignError

SMALLEST: Final = 1e-6
"""Precision below which answers say nothing: their measurement would have a standard error of a thousand."""


class NormalLikelihood(NamedTuple):
    """Measurements of abilities, each (*batch,); NaN where nothing is known, 0 where the answers say nothing."""

    precision: Floats  # p, one over the variance of the measurement
    weighted: Floats  # p y: the measurement times its precision, which stays finite when the precision vanishes


def normal_likelihood(mean: ArrayLike, sd: ArrayLike) -> NormalLikelihood:
    """Divide the prior N(0, 1) out of posteriors.

    Parameters
    ----------
    mean, sd : (*batch,) float
        Of the posteriors; NaN where a learner is unknown.

    Returns
    -------
    NormalLikelihood
        Answers that leave a standard deviation of 1 or more say nothing.

    Raises
    ------
    DesignError
        When a standard deviation is not positive, or a mean is not finite where its standard deviation is known.

    Examples
    --------
    >>> of_one = normal_likelihood(0.5, 0.5)
    >>> float(of_one.precision), float(of_one.weighted / of_one.precision)
    (3.0, 0.6666666666666666)
    """
    centre, spread = np.broadcast_arrays(np.asarray(mean, dtype=np.float64), np.asarray(sd, dtype=np.float64))
    known = ~(np.isnan(centre) | np.isnan(spread))
    if not ((spread > 0.0) & np.isfinite(spread) & np.isfinite(centre))[known].all():
        raise DesignError("Posterior sds are positive, and means finite; give NaN for both where a learner is unknown.")
    square = np.where(known, spread, np.nan) ** -2
    with np.errstate(invalid="ignore"):
        tells = square - 1.0 > SMALLEST
    nothing = np.where(known, 0.0, np.nan)
    return NormalLikelihood(np.where(tells, square - 1.0, nothing), np.where(tells, centre * square, nothing))
