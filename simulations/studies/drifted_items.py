"""What do drifted items do to levels, and are they found? One item in ten becomes harder after the calibration.

The old calibration is perfect, so that drift is all that is wrong. Later learners answer the drifted items. They are
tested with the old parameters; then a new sample answers all items, is calibrated and linked to the old parameters, and
items are flagged. The test is repeated after the repair: flagged items get their new, linked parameters, and the link
is made without them.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import numpy as np

from engine.arrays import Bools, Ints
from engine.calibration.dif.likelihood_ratio import likelihood_ratio_dif
from engine.calibration.dif.mantel_haenszel import mantel_haenszel
from engine.calibration.linking.link import drift, stocking_lord
from engine.parameters import ItemParameters
from engine.uniform import derive, uniform
from simulations.recovery.truth import Truth
from simulations.studies.calibrated import (
    ADAPTIVE,
    WITHOUT_ERRORS,
    Belief,
    Case,
    Figures,
    asked_of,
    calibrated,
    knowing_all,
    learners_of,
    pool,
    repeated,
    tried,
)
from simulations.studies.comparison import Row, show

ITEMS: Final = 60
DRIFTED: Final = 0.1
"""Share of the items that drift."""
DRIFT: Final = 0.5
SIZES: Final = (500, 2000)
"""Learners of the new sample, and of the old one that DIF is tested against."""
REPLICATIONS: Final = 10
LOOK: Final = 0.05
"""Distance of curves from which an item is flagged (:func:`engine.calibration.linking.link.drift`)."""
KINDS: Final = ("any, all harder", "any, half harder and half easier", "the most discriminating, all easier")
"""Which items drift, and where: the last is what happens when the items asked most become known."""


def main(learners: int = 2000, seed: int = 1, jobs: int = 1) -> list[Row]:
    """Print the table and return its rows."""
    case = Case(pool("2PL", ITEMS, seed), learners, seed)
    rows = []
    for row in repeated(replicate, case, REPLICATIONS, jobs, "", ("bias", "change", "found", "wrongly")):
        kind, _, name = row.name.partition(" | ")
        rows.append(Row(kind, name, row.figures))
    title = f"Drift of {DRIFT} in {DRIFTED:.0%} of {ITEMS} 2PL items"
    show(f"{title}, {learners} simulees of each test", rows)
    return rows


def replicate(case: Case, seed: int) -> dict[str, Figures]:
    """Do one replication with all kinds of drift and all sizes."""
    return compare(case, seed, KINDS, SIZES)


def compare(case: Case, seed: int, kinds: Sequence[str], sizes: Sequence[int]) -> dict[str, Figures]:
    """Let items drift, test with the old parameters, look for the drift, repair, test again."""
    arms: dict[str, Figures] = {}
    tested = learners_of(case.truth, case.learners, seed, 2)
    for kind in kinds:
        now, moved = drifted(case.truth, kind, seed)
        old = knowing_all(case.truth)
        perfect = tried(now, ADAPTIVE, knowing_all(now), tested)[1]
        arms[f"{kind} | drift known"] = perfect

        def test(name: str, belief: Belief, told: Figures, now: Truth = now, perfect: Figures = perfect) -> None:
            figures = tried(now, ADAPTIVE, belief, tested)[1]
            arms[name] = figures | {"change": figures["rmse"] / perfect["rmse"] - 1.0} | told

        test(f"{kind} | old parameters", old, {})
        for size in sizes:
            for way, (flagged, repaired) in looked(case.truth, now, size, seed).items():
                told = {"found": float(flagged[moved].mean()), "wrongly": float(flagged[~moved].mean())}
                test(f"{kind} | {size} learners, {way}", old._replace(parameters=repaired), told)
    return arms


def drifted(truth: Truth, kind: str, seed: int) -> tuple[Truth, Bools]:
    """Items after drift, and which of them drifted."""
    count, slope = len(truth), truth.parameters.discrimination
    order = np.argsort(-slope if "most" in kind else uniform(derive(seed, 3), np.arange(count)))
    rows = order[: round(DRIFTED * count)]
    shift = np.zeros(count)
    shift[rows] = DRIFT * (-1.0 if "all easier" in kind else 1.0)
    if "half" in kind:
        shift[rows[1::2]] *= -1.0
    parameters = replace(truth.parameters, difficulty=truth.parameters.difficulty + shift)
    return replace(truth, parameters=parameters), shift != 0


def looked(before: Truth, now: Truth, size: int, seed: int) -> dict[str, tuple[Bools, ItemParameters]]:
    """Look for drift in each way: flags, and the items repaired by them."""
    new = asked_of(now, learners_of(now, size, seed, 1))
    earlier = asked_of(before, learners_of(before, size, seed, 4))
    own = calibrated(now, new).parameters
    old = before.parameters
    both, group = np.concatenate([earlier, new]), np.repeat([0, 1], size)
    flags = {
        "curves": purified(old, own),
        "Mantel-Haenszel": mantel_haenszel(both, group).flagged,
        "likelihood ratio": likelihood_ratio_dif(both, "2PL", group, options=WITHOUT_ERRORS).flagged,
    }
    return {way: (flagged, repair(old, own, flagged)) for way, flagged in flags.items()}


def purified(old: ItemParameters, new: ItemParameters, most_rounds: int = 10) -> Bools:
    """Flag, link without the flagged items, and flag again until the flags come to rest."""
    flagged = np.zeros(len(old), dtype=bool)
    for _ in range(most_rounds):
        by = stocking_lord(*(items.take(np.flatnonzero(~flagged)) for items in (old, new)))
        again = drift(old, new, by) > LOOK
        if (again == flagged).all() or again.all():
            break
        flagged = again
    return flagged


def repair(old: ItemParameters, new: ItemParameters, flagged: Bools) -> ItemParameters:
    """Old parameters, and for flagged items the new ones, linked by the other items."""
    if flagged.all() or not flagged.any():
        return old
    kept: Ints = np.flatnonzero(~flagged)
    linked = stocking_lord(old.take(kept), new.take(kept)).apply(new)
    return replace(
        old,
        discrimination=np.where(flagged, linked.discrimination, old.discrimination),
        difficulty=np.where(flagged, linked.difficulty, old.difficulty),
    )
