"""What do errors of calibration do to learners? Tests that believe in estimates, beside a test that knows the truth.

An adaptive test asks the items that look informative, and among those are the items whose discrimination is too high by
chance (van der Linden and Glas 2000). "a bank" is the mean error of the discriminations over the bank, "a asked" over
the items asked, as often as they are asked: the difference is capitalisation on chance. "told/real" is the sd that the
test tells over its real error: below 1, it promises too much.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from engine.adaptive import Design
from engine.calibration.em import Options
from engine.calibration.priors import USUAL_PRIORS
from itembank.positioning import positioning_design
from simulations.learners import Learners
from simulations.recovery.administration import AtRandom, Complete
from simulations.recovery.truth import Truth
from simulations.studies.calibrated import (
    ADAPTIVE,
    Belief,
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
    shipped_truth,
    tried,
)
from simulations.studies.comparison import Row, show

ITEMS: Final = 200
SIZES: Final = (250, 500, 1000, 4000)
"""Learners who are calibrated from."""
REPLICATIONS: Final = 10
TREE_SIZES: Final = (250, 1000, 4000)
TREE_REPLICATIONS: Final = 2
ANSWERS: Final = 48
"""Answers of each learner to the bank that ships, to items drawn at random; 1,000 learners give 125 to each item."""
WITH_ERRORS: Final = Options(fewest=5)


def main(learners: int = 2000, seed: int = 1, jobs: int = 1) -> list[Row]:
    """Print the table and return its rows."""
    rows = [
        row
        for case, replications, group in (
            (Case(pool("2PL", ITEMS, seed), learners, seed), REPLICATIONS, f"{ITEMS} 2PL items, all answered"),
            (Case(pool("3PL", ITEMS, seed), learners, seed), REPLICATIONS, f"{ITEMS} 3PL items, all answered"),
            (Case(shipped_truth(), learners, seed), TREE_REPLICATIONS, f"shipped bank, {ANSWERS} answers each"),
        )
        for row in repeated(replicate, case, replications, jobs, group)
    ]
    show(f"Errors of calibration and what learners are told, {learners} simulees of each test", rows)
    return rows


def replicate(case: Case, seed: int) -> dict[str, Figures]:
    """Do one replication with the sizes of the study."""
    return compare(case, seed, SIZES if case.truth.snapshot is None else TREE_SIZES)


def compare(case: Case, seed: int, sizes: Sequence[int]) -> dict[str, Figures]:
    """Calibrate from samples of each size, the larger ones around the smaller, and test the same simulees with each."""
    truth, tree = case.truth, case.truth.snapshot is not None
    design = positioning_design(truth.framework) if truth.framework is not None else ADAPTIVE
    responses = asked_of(
        truth, learners_of(truth, max(sizes), seed, 1), administration=AtRandom(ANSWERS) if tree else Complete()
    )
    tested = learners_of(truth, case.learners, seed, 2)
    arms = {"true parameters": _figures(truth, design, knowing_all(truth), tested)}
    reference = arms["true parameters"]["rmse"]
    plain = not tree and truth.parameters.guessing.max() == 0
    for size in sizes:
        for name, priors in (("", None), (", priors", USUAL_PRIORS)) if plain else (("", USUAL_PRIORS),):
            found = calibrated(truth, responses[:size], priors=priors, options=WITH_ERRORS)
            belief = believing(found, len(truth))
            own = recovered(truth, found)
            shared = {"a bank": own["bias a"], "rmse a": own["rmse a"], "rmse b": own["rmse b"]}
            arms[f"{size} learners{name}"] = _figures(truth, design, belief, tested, reference) | shared
            unsure = replace(design, parameters="uncertain")
            arms[f"{size} learners{name}, uncertain"] = _figures(truth, unsure, belief, tested, reference) | shared
    return arms


def _figures(truth: Truth, design: Design, belief: Belief, tested: Learners, reference: float | None = None) -> Figures:
    _, figures = tried(truth, design, belief, tested)
    if reference is not None:
        figures["change"] = figures["rmse"] / reference - 1.0
    return figures
