"""Whether a run measured a competence: the words of a profile (design.md 5.4)."""

from enum import IntEnum

import numpy as np

from engine.adaptive import Design
from engine.arrays import Bools, Floats, Ints
from engine.latent import LatentTree
from engine.stopping import AllOf, AnyOf, PreciseEnough, Stop


class Knowledge(IntEnum):
    """What is known of a competence."""

    UNKNOWN = 0
    ESTIMATED = 1
    MEASURED = 2


def knowledge(design: Design, sd: Floats, informed: Bools) -> Ints:
    """Say of every competence whether it is measured, estimated or unknown.

    Parameters
    ----------
    design : Design
    sd : (*batch, C) float
        Posterior standard deviations.
    informed : (*batch, C) bool
        Whether an item of the competence itself gave evidence.

    Returns
    -------
    (*batch, C) int
        Codes of :class:`Knowledge`: measured when its own items gave evidence and its sd is within the design's bound;
        estimated when something informs it, but less than that; unknown when nothing does.
    """
    related = np.eye(design.latent.competences)
    if isinstance(design.latent, LatentTree):
        related = design.latent.correlations()
    told = informed @ (related > 0).astype(np.int64) > 0
    measured = informed & (np.round(sd, 9) <= sd_bound(design.stop))
    return np.where(measured, Knowledge.MEASURED, np.where(told, Knowledge.ESTIMATED, Knowledge.UNKNOWN))


def sd_bound(stop: Stop) -> float:
    """Largest sd that a stopping rule calls precise enough; infinite when it says nothing of precision."""
    if isinstance(stop, PreciseEnough):
        return stop.sd
    if isinstance(stop, AnyOf | AllOf):
        return min(map(sd_bound, stop.rules))
    return float("inf")
