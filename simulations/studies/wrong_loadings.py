"""What if the loadings of the tree are wrong? The served positioning with loadings that are not those of the learners.

Simulees follow the tree of the framework. "Independent" takes every loading for 0; "estimated" are loadings from the
answers of learners to items drawn at random, with item parameters known or estimated from the same answers.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import numpy as np

from engine.arrays import Floats
from engine.calibration import structure
from engine.calibration.em import Options
from engine.calibration.entries import Fixed
from engine.calibration.priors import USUAL_PRIORS, LogNormal, Priors
from engine.latent import MAX_LOADING, LatentTree
from engine.uniform import uniform
from itembank.positioning import positioning_design
from simulations.recovery.administration import Answers, AtRandom
from simulations.recovery.truth import Truth
from simulations.studies.calibrated import (
    Belief,
    Case,
    Figures,
    asked_of,
    believing,
    calibrated,
    knowing_all,
    learners_of,
    repeated,
    shipped_truth,
    tried,
)
from simulations.studies.comparison import Row, show

REPLICATIONS: Final = 4
SIZES: Final = (250, 1000)
"""Learners from whose answers loadings are estimated; items together with loadings, from the most of them."""
ANSWERS: Final = 48
"""Answers of each of them."""
OFF: Final = 0.1
NARROW: Final = replace(USUAL_PRIORS, discrimination=LogNormal(0.2, 0.1))
"""Prior of whoever knows how discriminating the bank is: its discriminations lie between 1.1 and 1.4."""


def main(learners: int = 2000, seed: int = 1, jobs: int = 1) -> list[Row]:
    """Print the table and return its rows."""
    case = Case(shipped_truth(), learners, seed)
    rows = repeated(replicate, case, REPLICATIONS, jobs, case.truth.origin)
    show(f"Wrong loadings, {learners} simulees of each test", rows)
    return rows


def replicate(case: Case, seed: int) -> dict[str, Figures]:
    """Test the same simulees with each tree."""
    return compare(case, seed, SIZES)


def compare(case: Case, seed: int, sizes: Sequence[int]) -> dict[str, Figures]:
    """Test the same simulees with wrong loadings, and with loadings estimated from so many learners, where any."""
    truth = case.truth
    tree = truth.latent
    assert isinstance(tree, LatentTree)
    assert truth.framework is not None
    true = structure.loadings(tree)
    tested = learners_of(truth, case.learners, seed, 2)
    served = positioning_design(truth.framework)
    arms: dict[str, Figures] = {}

    def arm(name: str, loadings: Floats, belief: Belief) -> None:
        design = replace(served, latent=structure.with_loadings(tree, loadings))
        _, figures = tried(truth, design, belief, tested)
        if arms:
            figures["change"] = figures["rmse"] / arms["true loadings"]["rmse"] - 1.0
        figures["rmse loadings"] = float(np.sqrt(np.mean((loadings - true) ** 2)))
        arms[name] = figures

    known = knowing_all(truth)
    signs = np.where(uniform(seed, np.arange(true.size)) < 0.5, -1.0, 1.0)
    arm("true loadings", true, known)
    arm("all 0.1 too high", np.minimum(true + OFF, MAX_LOADING), known)
    arm("all 0.1 too low", true - OFF, known)
    arm("each 0.1 too high or too low", np.minimum(true + OFF * signs, MAX_LOADING), known)
    arm("independent", np.zeros(true.size), known)
    if not sizes:
        return arms
    responses = asked_of(truth, learners_of(truth, max(sizes), seed, 1), administration=AtRandom(ANSWERS))
    for size in sizes:
        arm(f"estimated from {size} learners", loadings_from(truth, responses[:size])[0], known)
    for name, priors in (("usual priors", USUAL_PRIORS), ("narrow prior on a", NARROW)):
        arm(f"with the items, {name}", *loadings_from(truth, responses, priors))
    return arms


def loadings_from(truth: Truth, responses: Answers, priors: Priors | None = None) -> tuple[Floats, Belief]:
    """Estimate loadings with the true items, or together with items that have these priors; the belief that results."""
    held = Fixed(np.arange(len(truth)), truth.parameters) if priors is None else None
    few = Options(errors=False, fewest=5)
    found = calibrated(truth, responses, priors=priors, fixed=held, estimate_loadings=True, options=few)
    assert isinstance(found.latent, LatentTree)
    return structure.loadings(found.latent), believing(found, len(truth))
