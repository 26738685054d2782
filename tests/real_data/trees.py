"""The tree on real answers: loadings, and prediction of answers that calibration has not seen."""

from functools import cache
from typing import Any

import numpy as np

from engine.arrays import Ints
from engine.calibration.calibrate import calibrate
from engine.calibration.em import Options
from engine.calibration.priors import LogNormal, Priors
from engine.calibration.result import Calibration, ItemStatus
from engine.latent import Independent, LatentTree
from itembank.responses import read_responses
from simulations.held_out import ROUGH, HeldOut, advantage, compared, held_out_scores
from tests.real_data.sets import timss
from tests.reference.data import real_data

WEAK = Priors(discrimination=LogNormal(0.0, 0.5))
FAMILIES = np.repeat([0, 1, 2, 3], 4)
"""Reasoning, letters, matrices and rotations of the ability items."""
G_TREE = LatentTree((0, 0, 0, 0), (0.9,), (0.8,) * 4)
CONTENT_TREE = LatentTree((0, 0, 0, 0, 1, 1, 1, 1), (0.9, 0.9), (0.9,) * 8)
PAIR = LatentTree((0, 1), (0.96, 0.96), (0.96, 0.96))

Figures = dict[str, Any]


def told(found: Calibration) -> Figures:
    """What every calibration is asked."""
    names = {ItemStatus(code).name.lower(): int(np.sum(found.status == code)) for code in np.unique(found.status)}
    return {
        "log_likelihood": found.log_likelihood,
        "parameters": found.free,
        "bic": found.bic,
        "converged": found.converged,
        "gradient": found.gradient,
        "iterations": found.iterations,
        "nodes": found.check.grid.count,
        "spacing_in_smallest_sds": found.check.ratio,
        "statuses": names,
    }


def loadings_of(found: Calibration) -> Figures:
    tree = found.latent
    if not isinstance(tree, LatentTree):
        return {}
    values = np.array((*tree.domain_loadings, *tree.competence_loadings))
    return {"loadings": values, "loading errors": found.loading_errors}


@cache
def ability_held_out() -> dict[str, HeldOut]:
    """Predict hidden answers to the 16 ability items."""
    given = read_responses(real_data("sapa_ability16")).responses.astype(np.int64)
    return {
        "tree": held_out_scores(given, competence=FAMILIES, latent=G_TREE, estimate_loadings=True, folds=5, hidden=5),
        "one": held_out_scores(given, folds=5),
        "independent": held_out_scores(given, competence=FAMILIES, latent=Independent(4), folds=5),
    }


def structures(domain: Ints, subject: Ints) -> dict[str, dict[str, Any]]:
    """Latent structures of TIMSS that are compared."""
    return {
        "one": {},
        "two apart": {"competence": subject, "latent": Independent(2)},
        "two correlated": {"competence": subject, "latent": PAIR, "estimate_loadings": True},
        "independent": {"competence": domain, "latent": Independent(8)},
        "tree": {"competence": domain, "latent": CONTENT_TREE, "estimate_loadings": True},
    }


def timss_fits() -> Figures:
    """Calibrate TIMSS under each structure (a minute or two)."""
    data = timss()
    figures: Figures = {}
    for name, asked in structures(data.domain, data.subject).items():
        found = calibrate(data.responses, data.models, options=Options(errors="estimate_loadings" in asked), **asked)
        left = [data.ids[item] for item in np.flatnonzero(found.status > ItemStatus.FIXED)]
        figures[name] = told(found) | loadings_of(found) | {
            "steepest": float(found.parameters.discrimination.max()),
            "left out": left,
        }  # fmt: skip
        print(name, figures[name], flush=True)
    return figures


def timss_with_parts() -> Figures:
    """Calibrate TIMSS in independent domains with the sums beside their parts (a minute)."""
    data = timss(without=())
    found = calibrate(
        data.responses, data.models, competence=data.domain, latent=Independent(8), options=Options(errors=False)
    )
    return {"independent": told(found) | {"steepest": float(found.parameters.discrimination.max())}}


def timss_held_out(
    hidden: int = 10, priors: Priors = WEAK, rows: int = 1, options: Options = ROUGH
) -> dict[str, HeldOut]:
    """Predict hidden answers of TIMSS under each structure; every ``rows``-th learner (all folds: seven minutes)."""
    data = timss()
    given = data.responses[::rows]
    return {
        name: held_out_scores(given, data.models, folds=10, hidden=hidden, priors=priors, options=options, **asked)
        for name, asked in structures(data.domain, data.subject).items()
    }


def scores(found: dict[str, HeldOut], subject: Ints | None = None) -> Figures:
    """Mean scores, and how much better the tree predicts than the others, also for items of each ``subject``."""
    best = found["tree"].scores
    figures: Figures = {}
    for name, one in found.items():
        mine = one.scores
        figures[name] = {
            "log score": mine.log_score.mean(),
            "brier": mine.brier.mean(),
            "gain over shares": advantage(mine.log_score, mine.plain_log_score, mine.learner),
            "converged": all(part.converged for part in one.calibrations),
        }
        if name == "tree":
            continue
        figures[name] |= dict(zip(("tree better by", "in brier"), compared(found["tree"], one), strict=True))
        for code in () if subject is None else np.unique(subject).tolist():
            own = subject[mine.item] == code
            figures[name][f"in subject {code}"] = advantage(best.log_score[own], mine.log_score[own], mine.learner[own])
    return figures
