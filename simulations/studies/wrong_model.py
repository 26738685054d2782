"""What does a wrong model do, and do fit statistics notice? 3PL answers fitted by 2PL and 1PL, 2PL answers by others.

Parameters of different models are not the same thing, so "curve" compares what the models say: the root mean square
difference of fitted and true success, over items and N(0, 1). "low bias" and "high bias" are the biases of simulees
below -1 and above 1. Fit: the share of items with S-X2 or infit beyond their 5 % limits, the RMSEA of M2, and the BIC
above that of the true model.
"""

from typing import Final

import numpy as np
from scipy.special import chdtrc, ndtri

from engine.calibration.fit.items import s_x2
from engine.calibration.fit.overall import m2
from engine.calibration.fit.residuals import mean_squares
from engine.calibration.result import Calibration
from engine.grid import Grid
from engine.models import log_probability
from simulations.recovery.administration import Answers
from simulations.recovery.truth import Truth
from simulations.run import Result
from simulations.studies.calibrated import (
    ADAPTIVE,
    Case,
    Figures,
    asked_of,
    believing,
    calibrated,
    knowing_all,
    learners_of,
    pool,
    repeated,
    tried,
)
from simulations.studies.comparison import Row, show

ITEMS: Final = 60
SAMPLE: Final = 2000
"""Learners who are calibrated from; all answer all items."""
REPLICATIONS: Final = 10
FITTED: Final = {"3PL": ("3PL", "2PL", "1PL"), "2PL": ("2PL", "1PL", "3PL")}
"""Models that are fitted to the answers of a true one, itself first."""
ALARM: Final = 0.05
"""Two-sided level of the tests of fit."""
FAR: Final = 1.0
"""Beyond which abilities are called low or high."""


def main(learners: int = 2000, seed: int = 1, jobs: int = 1) -> list[Row]:
    """Print the table and return its rows."""
    rows = [
        row
        for model in FITTED
        for row in repeated(
            replicate, Case(pool(model, ITEMS, seed), learners, seed), REPLICATIONS, jobs, f"{model} answers"
        )
    ]
    show(f"Wrong models, {ITEMS} items, {SAMPLE} learners, {learners} simulees of each test", rows)
    return rows


def replicate(case: Case, seed: int) -> dict[str, Figures]:
    """Fit each model to the answers of one sample, and test the same simulees with each."""
    truth = case.truth
    responses = asked_of(truth, learners_of(truth, SAMPLE, seed, 1))
    tested = learners_of(truth, case.learners, seed, 2)
    result, perfect = tried(truth, ADAPTIVE, knowing_all(truth), tested)
    arms = {"true parameters": perfect | ends(result)}
    best = float("nan")
    true = "3PL" if truth.parameters.guessing.max() > 0 else "2PL"
    for model in FITTED[true]:
        found = calibrated(truth, responses, model=model)
        best = found.bic if model == true else best
        result, figures = tried(truth, ADAPTIVE, believing(found, len(truth)), tested)
        change = {"change": figures["rmse"] / perfect["rmse"] - 1.0}
        curve = {"curve": curve_error(truth, found)}
        arms[model] = figures | ends(result) | change | curve | fit(found, responses) | {"BIC above": found.bic - best}
    return arms


def ends(result: Result) -> Figures:
    """Bias of low and of high abilities."""
    true, error = result.abilities[:, 0], result.mean[:, 0] - result.abilities[:, 0]
    return {"low bias": float(error[true < -FAR].mean()), "high bias": float(error[true > FAR].mean())}


def curve_error(truth: Truth, found: Calibration) -> float:
    """Root mean square difference of fitted and true success over the items and N(0, 1)."""
    grid = Grid(-4.0, 4.0, 41)
    own, true = found.parameters, truth.parameters.take(found.rows)
    gap = np.exp(log_probability(own, grid.nodes)[:, 1]) - np.exp(log_probability(true, grid.nodes)[:, 1])
    return float(np.sqrt(np.mean(gap**2 @ np.exp(grid.log_weights))))


def fit(found: Calibration, responses: Answers) -> Figures:
    """Tell what the statistics of fit say of a calibration."""
    kept = responses[:, found.rows]
    items = s_x2(found.parameters, kept)
    infit = mean_squares(found.parameters, kept).infit_z
    overall = m2(found.parameters, kept)
    return {
        "S-X2": float(np.mean(items.p[np.isfinite(items.p)] < ALARM)),
        "infit": float(np.mean(np.abs(infit) > -ndtri(0.5 * ALARM))),
        "M2": float(chdtrc(overall.df, overall.m2) < ALARM),
        "rmsea": overall.rmsea,
    }
