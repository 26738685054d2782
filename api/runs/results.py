"""What a run tells at its end: a level for each competence, with its uncertainty."""

from typing import Any

import numpy as np

from api.clock import iso
from api.runs.live import Live
from engine.adaptive import posterior
from engine.belief import mean, sd
from engine.levels import level, level_probabilities
from engine.profile import Knowledge, knowledge

MEASURED, UNKNOWN = Knowledge.MEASURED.name.lower(), Knowledge.UNKNOWN.name.lower()
DECIMALS = 6
"""Of the numbers told: finer than anybody reads, coarser than what differs from machine to machine."""


def told_result(live: Live) -> list[dict[str, Any]] | None:
    """Tell the result of a run at its end; a run that certifies tells none before its session is published."""
    return result_of(live) if live.run.rules_hash is None else None


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
    What is measured, estimated or unknown: :func:`engine.profile.knowledge`.
    """
    test, replied = live.test, live.replied
    belief = posterior(test.design, test.table, live.state)
    nodes = test.table.nodes
    means, sds = mean(belief, nodes), sd(belief, nodes)
    each = level_probabilities(belief, nodes, test.table.cuts)
    reached = level(each)
    own = np.isin(np.arange(sds.size), list(replied))
    states = [Knowledge(code).name.lower() for code in knowledge(test.design, np.round(sds, DECIMALS), own).tolist()]
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
        for row, code in enumerate(test.snapshot.framework.codes)
    ]


def unmeasured(code: str) -> dict[str, Any]:
    """Entry of a competence of which nothing is known."""
    silent = ("level", "probability", "probabilities", "mean", "sd", "measured_at")
    return {"competence": code, "state": UNKNOWN, **dict.fromkeys(silent)}
