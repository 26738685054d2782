"""What if the loadings of the tree are wrong? The served positioning with loadings that are not those of the learners.

Simulees follow the tree of the framework. "Independent" takes every loading for 0; "estimated" are loadings from the
answers of learners to items drawn at random, with item parameters known or estimated from the same answers.
"""

from dataclasses import replace
from typing import Final

import numpy as np

from engine.arrays import Floats
from engine.calibration import structure
from engine.calibration.em import Options
from engine.calibration.entries import Fixed
from engine.latent import MAX_LOADING, LatentTree
from engine.uniform import uniform
from itembank.positioning import positioning_design
from simulations.administration import AtRandom
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

REPLICATIONS: Final = 2
SIZES: Final = (250, 1000)
"""Learners from whose answers loadings are estimated."""
ANSWERS: Final = 48
"""Answers of each of them."""
OFF: Final = 0.1


def main(learners: int = 2000, seed: int = 1, jobs: int = 1) -> list[Row]:
    """Print the table and return its rows."""
    case = Case(shipped_truth(), learners, seed)
    rows = repeated(replicate, case, REPLICATIONS, jobs, case.truth.origin)
    show(f"Wrong loadings, {learners} simulees of each test", rows)
    return rows


def replicate(case: Case, seed: int) -> dict[str, Figures]:
    """Test the same simulees with each tree."""
    truth = case.truth
    tree = truth.latent
    assert isinstance(tree, LatentTree) and truth.framework is not None
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
    responses = asked_of(truth, learners_of(truth, max(SIZES), seed, 1), administration=AtRandom(ANSWERS))
    held = Fixed(np.arange(len(truth)), truth.parameters)
    for size in SIZES:
        for name, fixed in (("items known", held), ("items too", None)):
            found = calibrated(
                truth,
                responses[:size],
                fixed=fixed,
                estimate_loadings=True,
                options=Options(errors=False, fewest=5),
            )
            assert isinstance(found.latent, LatentTree)
            belief = known if fixed is not None else believing(found, len(truth))
            arm(f"estimated from {size} learners, {name}", structure.loadings(found.latent), belief)
    return arms
