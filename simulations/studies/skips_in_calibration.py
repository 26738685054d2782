"""Which policy for skips in a calibration? Three policies, under learners who skip for different reasons.

A calibration reads skips by a policy, and the test that believes in it reads those of the simulees by the same one.
Where all that is not known is skipped and skips are ignored, only right answers are left: nothing can be calibrated.
Simulees are tested twice: with the habit of the learners calibrated from ("rmse", "bias"), and without skipping
("honest bias"), as when learners get used to a test, or are told that a skip costs something.
"""

from dataclasses import replace
from typing import Final

from engine.errors import ResponseError
from engine.responses import SKIPPED, SkipPolicy
from simulations.behaviours import Behaviour, ModelTrue, Skipping, SkippingAtRandom
from simulations.studies.calibrated import (
    ADAPTIVE,
    HONEST,
    Case,
    Figures,
    asked_of,
    believing,
    calibrated,
    learners_of,
    pool,
    recovered,
    repeated,
    tried,
)
from simulations.studies.comparison import Row, show

ITEMS: Final = 60
SAMPLE: Final = 2000
"""Learners who are calibrated from; all are asked all items."""
REPLICATIONS: Final = 10
MODELS: Final = ("2PL", "3PL")
POLICIES: Final[tuple[SkipPolicy, ...]] = ("unknown", "incorrect", "ignored")
HABITS: Final[dict[str, tuple[Behaviour, ...]]] = {
    "nobody skips": HONEST,
    "a tenth of what is not known": (ModelTrue(), Skipping(0.1)),
    "half of what is not known": (ModelTrue(), Skipping(0.5)),
    "all that is not known": (ModelTrue(), Skipping(1.0)),
    "a fifth, at random": (ModelTrue(), SkippingAtRandom(0.2)),
}


def main(learners: int = 2000, seed: int = 1, jobs: int = 1) -> list[Row]:
    """Print the table and return its rows."""
    rows: list[Row] = []
    for model in MODELS:
        case = Case(pool(model, ITEMS, seed), learners, seed)
        for row in repeated(replicate, case, REPLICATIONS, jobs, "", ("bias", "bias b")):
            habit, _, policy = row.name.partition(": ")
            rows.append(Row(f"{model}: {habit}", policy, row.figures))
    show(f"Skips in calibration, {ITEMS} items, {SAMPLE} learners, {learners} simulees of each test", rows)
    return rows


def replicate(case: Case, seed: int) -> dict[str, Figures]:
    """Calibrate the same learners with each habit by each policy."""
    truth = case.truth
    calibrating, tested = learners_of(truth, SAMPLE, seed, 1), learners_of(truth, case.learners, seed, 2)
    arms = {}
    for habit, behaviours in HABITS.items():
        responses = asked_of(truth, calibrating, behaviours)
        for policy in POLICIES[:1] if behaviours is HONEST else POLICIES:
            try:
                found = calibrated(truth, responses, skip=policy)
            except ResponseError:  # who skips all that is not known leaves right answers alone
                continue
            belief, design = believing(found, len(truth)), replace(ADAPTIVE, skip=policy)
            _, own = tried(truth, design, belief, tested, behaviours)
            honest = own if behaviours is HONEST else tried(truth, design, belief, tested)[1]
            guessing = {}
            if truth.parameters.guessing.max() > 0:
                gap = found.parameters.guessing - truth.parameters.guessing[found.rows]
                guessing = {"bias c": float(gap.mean())}
            arms[f"{habit}: {policy}"] = (
                {"skipped": float((responses == SKIPPED).mean())}
                | recovered(truth, found)
                | guessing
                | {name: own[name] for name in ("rmse", "bias", "in 95 %", "level exact")}
                | {"honest rmse": honest["rmse"], "honest bias": honest["bias"]}
            )
    return arms
