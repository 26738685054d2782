"""What a run tells at its end: a level for each competence, with its uncertainty."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from api.clock import iso
from api.runs.live import Live
from engine.adaptive import Design, posterior
from engine.arrays import Bools, Floats
from engine.belief import mean, sd
from engine.latent import LatentTree
from engine.levels import level, level_probabilities

MEASURED, ESTIMATED, UNKNOWN = "measured", "estimated", "unknown"
DECIMALS = 6
"""Of the numbers told: finer than anybody reads, coarser than what differs from machine to machine."""


def result_of(live: Live) -> list[dict[str, Any]]:
    """Tell the result of a run: one entry for each of the C competences, in the order of the framework.

    Parameters
    ----------
    live : Live
        The run after its last reply.

    Returns
    -------
    list of C dict
        ``competence`` (code), ``state``, and unless that is unknown ``level``, ``probability`` of that level,
        ``probabilities`` of levels 0 to L, ``mean`` and ``sd`` of the ability; ``measured_at`` when an item of the
        competence was last replied to.

    Notes
    -----
    A competence is measured when its own items were replied to and its sd is within the bound that the run pins;
    estimated when something informs it, but less than that; unknown when nothing does.
    """
    assessment, replied = live.assessment, live.replied
    belief = posterior(assessment.design, assessment.table, live.state)
    nodes = assessment.table.nodes
    means, sds = mean(belief, nodes), sd(belief, nodes)
    each = level_probabilities(belief, nodes, assessment.table.cuts)
    reached = level(each)
    states = competence_states(assessment.design, live.run.sd_bound, sds, tuple(replied))
    return [
        {
            "competence": code,
            "state": states[row],
            "level": int(reached.level[row]),
            "probability": round(float(reached.probability[row]), DECIMALS),
            "probabilities": [round(float(share), DECIMALS) for share in each[row]],
            "mean": round(float(means[row]), DECIMALS),
            "sd": round(float(sds[row]), DECIMALS),
            "measured_at": iso(replied[row]) if row in replied else None,
        }
        if states[row] != UNKNOWN
        else unmeasured(code)
        for row, code in enumerate(assessment.snapshot.framework.codes)
    ]


def unmeasured(code: str) -> dict[str, Any]:
    """Entry of a competence of which nothing is known."""
    silent = ("level", "probability", "probabilities", "mean", "sd", "measured_at")
    return {"competence": code, "state": UNKNOWN, **dict.fromkeys(silent)}


def competence_states(design: Design, bound: float, sds: Floats, replied: Sequence[int]) -> list[str]:
    """State of each of the C competences, from the sd (C,) and the competences whose items were replied to."""
    own = np.isin(np.arange(sds.size), list(replied))
    informed = own | _informed(design, own)
    measured = own & (np.round(sds, DECIMALS) <= bound)
    return [MEASURED if sure else ESTIMATED if some else UNKNOWN for sure, some in zip(measured, informed, strict=True)]


def _informed(design: Design, own: Bools) -> Bools:
    """Competences that the tree informs about from those whose own items were replied to, (C,)."""
    tree = design.latent
    if not isinstance(tree, LatentTree):
        return np.zeros_like(own)
    return np.asarray((tree.correlations()[:, own] > 0).any(axis=1))
