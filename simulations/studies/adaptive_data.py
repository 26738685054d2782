"""Can one calibrate from adaptive tests? The same number of answers, given to items drawn at random or chosen.

An adaptive test chooses items by the answers before, all of which the calibration sees: by Rubin (1976), such a choice
is ignorable in maximum likelihood. It is not once answers that steered it are dropped (Mislevy and Wu 1996). Figures
are over the items with enough answers ("enough" is their share); all answers are calibrated from, and the tests that
believe in a calibration ask these items alone. "cover a" and "cover b" are shares of 95 % intervals that hold the
truth: bias shows there beside its own error. "slope of b" is that of the estimated on the true difficulties: 1 without
bias.
"""

from dataclasses import replace
from typing import Final

import numpy as np

from engine.adaptive import Design
from engine.arrays import Bools, Floats, Ints
from engine.calibration.em import Options
from engine.calibration.entries import Fixed
from engine.calibration.result import Calibration, interval
from engine.parameters import ItemParameters
from engine.picks import TopK
from engine.responses import NONE, NOT_REACHED
from engine.uniform import derive, uniform
from simulations.behaviours import ModelTrue, OnItems, Question, reply
from simulations.learners import Learners
from simulations.recovery.administration import Answers, AtRandom
from simulations.recovery.truth import Truth
from simulations.run import Result, simulate
from simulations.studies.calibrated import (
    ADAPTIVE,
    LENGTH,
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
    table_of,
    tried,
)
from simulations.studies.comparison import Row, show

ITEMS: Final = 100
NEW: Final = 20
"""Field-test items among them, the last ones."""
RIDING: Final = 5
"""Field-test items that each learner is asked after the test, drawn at random."""
SAMPLE: Final = 2000
"""Learners who are calibrated from."""
REPLICATIONS: Final = 10
ENOUGH: Final = 200
"""Answers from which an item is judged and used."""
DROPPED: Final = 5
"""First answers that are dropped."""
SHIFT: Final = 0.5
"""Mean ability of learners who are not the reference population."""
PROVISIONAL: Final = 0.5
"""Sd of the errors of provisional difficulties."""


def main(learners: int = 2000, seed: int = 1, jobs: int = 1) -> list[Row]:
    """Print the table and return its rows."""
    case = Case(pool("2PL", ITEMS, seed), learners, seed)
    rows = [
        row
        for replicate, group in (
            (selected, f"all {ITEMS} items from {LENGTH} answers of each learner"),
            (field_tested, f"{NEW} new items from {RIDING} answers of each learner, beside an adaptive test"),
        )
        for row in repeated(replicate, case, REPLICATIONS, jobs, group, ("bias a", "bias b", "slope of b", "change"))
    ]
    show(f"Calibration from adaptive tests, {SAMPLE} learners, {learners} simulees of each test", rows)
    return rows


def selected(case: Case, seed: int) -> dict[str, Figures]:
    """Calibrate all items from answers at random and from adaptive tests; test the same simulees with each."""
    truth = case.truth
    learners, tested = learners_of(truth, SAMPLE, seed, 1), learners_of(truth, case.learners, seed, 2)
    perfect = tried(truth, ADAPTIVE, knowing_all(truth), tested)[1]["rmse"]
    random = asked_of(truth, learners, administration=AtRandom(LENGTH))
    best, spread = (adaptive(truth, learners, design) for design in (ADAPTIVE, replace(ADAPTIVE, pick=TopK(10))))
    guessed = adaptive(truth, learners, replace(ADAPTIVE, pick=TopK(10)), provisional(truth, seed))
    samples = {
        "at random": random,
        "adaptive, the best item": laid(best, len(truth)),
        "adaptive, one of the 10 best": laid(spread, len(truth)),
        "the same, provisional parameters": laid(guessed, len(truth)),
        f"one of the 10 best, first {DROPPED} dropped": laid(spread, len(truth), DROPPED),
        f"at random, {DROPPED} of {LENGTH} dropped": asked_of(
            truth, learners, administration=AtRandom(LENGTH - DROPPED)
        ),
    }
    arms = {}
    for name, responses in samples.items():
        found = calibrated(truth, responses, options=Options())
        enough = found.counts >= ENOUGH
        belief = believing(found, len(truth))
        figures = tried(truth, ADAPTIVE, belief._replace(allowed=belief.allowed & enough), tested)[1]
        arms[name] = (
            {"enough": float(enough.mean())}
            | held_against(truth, found, np.flatnonzero(enough))
            | {
                "rmse": figures["rmse"],
                "change": figures["rmse"] / perfect - 1.0,
                "in 95 %": figures["in 95 %"],
            }
        )
    return arms


def field_tested(case: Case, seed: int) -> dict[str, Figures]:
    """Calibrate new items that ride along with an adaptive test of the others."""
    truth = case.truth
    rows = np.arange(len(truth))
    old, new = rows[:-NEW], rows[-NEW:]
    arms = {}
    for name, shift in (("", 0.0), (f", learners at {SHIFT:+g}", SHIFT)):
        learners = learners_of(truth, SAMPLE, seed, 1)
        learners = Learners(learners.seeds, learners.abilities + shift)
        result = adaptive(truth, learners, ADAPTIVE, allowed=np.isin(rows, old))
        riding = ridden(truth, learners, result, new)
        whole, alone = np.where(riding == NOT_REACHED, laid(result, len(truth)), riding), riding
        held = Fixed(old, truth.parameters.take(old))
        for way, responses, fixed in (
            ("with the old items held", whole, held),
            ("with the old items estimated", whole, None),
            ("from their own answers alone", alone, None),
        ):
            found = calibrated(truth, responses, fixed=fixed, options=Options())
            arms[f"{way}{name}"] = held_against(truth, found, new)
    return arms


def adaptive(
    truth: Truth,
    learners: Learners,
    design: Design,
    parameters: ItemParameters | None = None,
    allowed: Bools | None = None,
) -> Result:
    """Adaptive tests that choose by the true parameters or by others."""
    belief = knowing_all(truth)
    belief = belief if parameters is None else belief._replace(parameters=parameters)
    return simulate(design, table_of(truth, design, belief), learners, (OnItems(truth.parameters),), allowed=allowed)


def provisional(truth: Truth, seed: int) -> ItemParameters:
    """Parameters by judgement: one slope, and difficulties with errors."""
    error = np.sqrt(12.0) * (uniform(derive(seed, 3), np.arange(len(truth))) - 0.5)
    return replace(
        truth.parameters,
        discrimination=np.ones(len(truth)),
        difficulty=truth.parameters.difficulty + PROVISIONAL * error,
    )


def laid(result: Result, count: int, dropped: int = 0) -> Answers:
    """Responses of tests as a table (N, I), without the first ones."""
    found = np.full((len(result), count), NOT_REACHED, dtype=np.int8)
    items = result.items[:, dropped:]
    who, place = np.nonzero(items != NONE)
    found[who, items[who, place]] = result.responses[:, dropped:][who, place]
    return found


def ridden(truth: Truth, learners: Learners, result: Result, new: Ints) -> Answers:
    """Responses to field-test items drawn at random, (N, I)."""
    table = truth.table(Design(latent=truth.latent))
    found = np.full((len(learners), len(truth)), NOT_REACHED, dtype=np.int8)
    drawn = new[AtRandom(RIDING).items(learners.seeds, new.size)]
    for place in range(RIDING):
        question = Question(
            table, learners.seeds, learners.abilities[:, 0], drawn[:, place], result.items.shape[1] + place
        )
        found[np.arange(len(learners)), drawn[:, place]] = reply((ModelTrue(),), question).response
    return found


def held_against(truth: Truth, found: Calibration, rows: Ints) -> Figures:
    """Errors of the items in ``rows``, coverage of their intervals, and the slope of estimated on true difficulties."""
    chosen = np.flatnonzero(np.isin(found.rows, rows))
    true, own = truth.parameters.take(found.rows[chosen]), found.parameters.take(chosen)
    fitted = np.polyfit(true.difficulty, own.difficulty, 1)
    return recovered(truth, found, rows.tolist()) | {
        "cover a": _covered(true.discrimination, own.discrimination, found.errors.discrimination[chosen]),
        "cover b": _covered(true.difficulty, own.difficulty, found.errors.difficulty[chosen]),
        "slope of b": float(fitted[0]),
    }


def _covered(true: Floats, estimate: Floats, error: Floats) -> float:
    known = np.isfinite(error)
    lower, upper = interval(estimate[known], error[known])
    return float(((lower <= true[known]) & (true[known] <= upper)).mean())
