"""What do careless learners do to a calibration, and to the scores of the others? One in twenty, or one in seven.

A share of the learners calibrated from are careless, hurried, or guess; the simulees tested are not. "found" is the
share of these learners whose answers fit the calibration too badly (person fit lz below -1.645; Drasgow, Levine and
Williams 1985), "wrongly" that of the others; the arm "without the misfitting" calibrates again without them.
"""

from typing import Final

import numpy as np

from engine.arrays import Bools, Floats
from engine.estimators import estimate
from engine.models import log_probability
from engine.parameters import ItemParameters
from simulations.behaviours import Among, Behaviour, Careless, Guessing, Hurrying, ModelTrue
from simulations.recovery.administration import Answers
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
    recovered,
    repeated,
    tried,
)
from simulations.studies.comparison import Row, show

ITEMS: Final = 60
SAMPLE: Final = 1000
"""Learners who are calibrated from; all answer all items."""
REPLICATIONS: Final = 10
SHARES: Final = (0.05, 0.15)
HABITS: Final[dict[str, Behaviour]] = {
    "careless: 3 right answers in 10 slip": Careless(0.3),
    "hurried: half of the answers at random": Hurrying(0.5),
    "guessing: all answers at random": Guessing(1.0),
}
MISFIT: Final = -1.645
"""Person fit below which a learner misfits: one in twenty of those who answer by the model."""


def main(learners: int = 2000, seed: int = 1, jobs: int = 1) -> list[Row]:
    """Print the table and return its rows."""
    case = Case(pool("2PL", ITEMS, seed), learners, seed)
    rows = []
    for row in repeated(replicate, case, REPLICATIONS, jobs, "", ("bias a", "bias b", "change")):
        habit, _, name = row.name.partition(" | ")
        rows.append(Row(habit, name, row.figures))
    show(f"Careless learners, {ITEMS} 2PL items, {SAMPLE} learners, {learners} simulees of each test", rows)
    return rows


def replicate(case: Case, seed: int) -> dict[str, Figures]:
    """Calibrate the same learners with each habit among some of them; test honest simulees."""
    truth = case.truth
    calibrating, tested = learners_of(truth, SAMPLE, seed, 1), learners_of(truth, case.learners, seed, 2)
    perfect = tried(truth, ADAPTIVE, knowing_all(truth), tested)[1]

    def arm(responses: Answers) -> tuple[Figures, ItemParameters]:
        found = calibrated(truth, responses)
        figures = tried(truth, ADAPTIVE, believing(found, len(truth)), tested)[1]
        change = {"change": figures["rmse"] / perfect["rmse"] - 1.0}
        return recovered(truth, found) | figures | change, found.parameters

    arms = {"nobody | true parameters": perfect, "nobody | as they are": arm(asked_of(truth, calibrating))[0]}
    for habit, behaviour in HABITS.items():
        for share in SHARES:
            some = Among(share, (behaviour,))
            responses = asked_of(truth, calibrating, (ModelTrue(), some))
            figures, parameters = arm(responses)
            marked, members = misfitting(parameters, responses), some.members(calibrating.seeds)
            told = {"found": float(marked[members].mean()), "wrongly": float(marked[~members].mean())}
            arms[f"{habit} | {share:.0%} of the learners"] = figures | told
            arms[f"{habit} | {share:.0%}, without the misfitting"] = arm(responses[~marked])[0]
    return arms


def misfitting(parameters: ItemParameters, responses: Answers) -> Bools:
    """Which learners answer unlike the model at their estimated ability, (N,): complete dichotomous responses."""
    return person_fit(parameters, responses) < MISFIT


def person_fit(parameters: ItemParameters, responses: Answers) -> Floats:
    """Standardised log-likelihood of complete dichotomous responses at the weighted likelihood estimate, (N,).

    lz = (l - E l) / sd l, l being the log-likelihood: low where easy items were missed and hard ones solved.
    """
    log_p = log_probability(parameters, estimate(parameters, responses, "wle").ability).transpose(1, 2, 0)
    wrong, right = log_p
    p, odds = np.exp(right), right - wrong
    level = np.where(responses == 1, right, wrong).sum(axis=1)
    mean = (p * right + (1.0 - p) * wrong).sum(axis=1)
    return np.asarray((level - mean) / np.sqrt((p * (1.0 - p) * odds**2).sum(axis=1)))
