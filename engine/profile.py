"""What a run tells about every competence: measured, estimated through the tree, or unknown."""

from enum import IntEnum

import numpy as np

from engine.adaptive import Design
from engine.arrays import Bools, Floats, Ints
from engine.latent import LatentTree
from engine.responses import NOT_REACHED, SKIPPED, TIMED_OUT


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
        Whether the answer to an item of the competence itself gave evidence.

    Returns
    -------
    (*batch, C) int
        Codes of :class:`Knowledge`: measured when its own items gave evidence and its sd is within
        ``design.measured_sd``; estimated when something informs it, but less than that; unknown when nothing does.

    Examples
    --------
    >>> knowledge(Design(measured_sd=0.5), np.array([0.4]), np.array([True])).tolist()
    [2]
    """
    latent = design.latent
    related = latent.correlations() if isinstance(latent, LatentTree) else np.eye(latent.competences)
    told = informed @ (related > 0).astype(np.int64) > 0
    measured = informed & (np.round(sd, 9) <= design.measured_sd)
    return np.where(measured, Knowledge.MEASURED, np.where(told, Knowledge.ESTIMATED, Knowledge.UNKNOWN))


def gives_evidence(design: Design, response: Ints) -> Bools:
    """Whether a response says something of the ability: skips and time-outs may be ignored, ends are never evidence.

    Parameters
    ----------
    design : Design
    response : (*batch,) int
        Categories, or the codes of :mod:`engine.responses`.

    Returns
    -------
    (*batch,) bool
    """
    heard = response != NOT_REACHED
    if design.skip == "ignored":
        heard = heard & (response != SKIPPED)
    if design.time_out == "ignored":
        heard = heard & (response != TIMED_OUT)
    return np.asarray(heard)
