"""A licensure examination of which the vendor says whom they suspect (Cizek and Wollack 2017), and what is seen of it.

Suspected are 46 of 1,636 candidates who all answered the same 170 items, which some of them seem to have known before.
Their scores are like those of the others, and so are their chances to be right on hard and on easy items: person fit
does not find them (AUC 0.4 to 0.5). Their answers are alike, and their times fit no pace.
"""

import csv
from functools import cache
from typing import NamedTuple

import numpy as np
from scipy.stats import rankdata

from engine.adaptive import Design
from engine.answered import known
from engine.arrays import Bools, Floats, Ints
from engine.calibration.calibrate import calibrate
from engine.calibration.em import Options
from engine.calibration.times.calibrate_times import calibrate_times
from engine.copies import Copies, copied
from engine.pace import time_fit, too_fast
from engine.personfit import Fit, person_fit
from engine.state import Facts
from engine.table import Table, build_table
from tests.reference.data import real_data

SCORED = 170
"""Items that everybody answered; 30 others were tried out on some."""
TOGETHER = 200
"""Candidates whose answers are compared pair by pair."""


class Examination(NamedTuple):
    """Everybody's facts, the test, and who was suspected."""

    design: Design
    table: Table
    facts: Facts
    suspected: Bools


def read(name: str) -> Floats:
    with real_data(name).open(encoding="utf-8") as file:
        rows = list(csv.reader(file))[1:]
    return np.array([[float(cell) for cell in row[:SCORED]] for row in rows])


@cache
def examination() -> Examination:
    """Calibrated with a few steps, on everybody."""
    with real_data("credential_person").open(encoding="utf-8") as file:
        suspected = np.array([row["Flagged"] == "1" for row in csv.DictReader(file)])
    responses, seconds = read("credential_resp").astype(np.int64), read("credential_rt")
    found = calibrate(responses, "2PL", options=Options(most_iterations=60, errors=False))
    times = calibrate_times(seconds)
    design = Design(speed_sd=times.speed_sd)
    table = build_table(
        found.parameters, design, time_intensity=times.intensity, time_discrimination=times.discrimination
    )
    item = np.broadcast_to(np.arange(SCORED), responses.shape)
    return Examination(design, table, Facts(item, responses, seconds), suspected)


def auc(p: Floats, suspected: Bools) -> float:
    """Probability that one suspected has a smaller p value than one who is not."""
    low = int(suspected.sum())
    ranks = rankdata(-p)[suspected]
    return float((ranks.sum() - low * (low + 1) / 2) / (low * (suspected.size - low)))


def below(fit: Fit | Copies, who: Bools, level: float) -> float:
    return float(np.mean(fit.p[who] < level))


def test_answers_of_the_suspected_are_alike_and_those_of_the_others_are_not() -> None:
    """The suspected and others, 200 in all. Raw answers are not in the data: any two wrong ones count as the same."""
    design, table, facts, suspected = examination()
    others = np.random.default_rng(0).choice(np.flatnonzero(~suspected), TOGETHER - suspected.sum(), replace=False)
    rows: Ints = np.concatenate([np.flatnonzero(suspected), others])
    some = Facts(*(field[rows] for field in facts))
    found = copied(table, some.item, some.response, 0 * some.response, known(design, table, some).posterior, 1.0)
    marked = suspected[rows]
    assert auc(found.p, marked) > 0.55
    assert below(found, marked, 0.01) > 0.05
    assert below(found, ~marked, 0.05) == 0.0
    sure = marked & (found.p < 0.05)
    assert marked[found.partner[sure]].all()


def test_times_of_the_suspected_fit_less_often() -> None:
    design, table, facts, suspected = examination()
    fit = time_fit(table, facts, design.speed_sd)
    assert below(fit, suspected, 0.001) > 2.0 * below(fit, ~suspected, 0.001)
    hasty = too_fast(table, facts, design.speed_sd)
    assert below(hasty, ~suspected, 0.01) < 0.01


def test_person_fit_accuses_no_more_of_the_others_than_it_should() -> None:
    """A calibrated 2PL holds on real answers: the false alarms are about those of simulees."""
    design, table, facts, suspected = examination()
    starts = range(0, suspected.size, 200)
    parts = [person_fit(design, table, Facts(*(field[at : at + 200] for field in facts))) for at in starts]
    fit = Fit(*map(np.concatenate, zip(*parts, strict=True)))
    assert below(fit, ~suspected, 0.05) < 0.1
    assert below(fit, ~suspected, 0.01) < 0.03
    assert below(fit, ~suspected, 0.001) < 0.006
