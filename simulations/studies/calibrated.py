"""Tests that believe in a calibration while their learners answer by the true items: what its studies share.

Each study repeats calibration and test: a replication has learners of its own, those who are calibrated from and those
who are tested, and all arms of a replication share them. Figures are means over the replications; "±" is the standard
error of the figure on its left over the replications.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Final, NamedTuple

import numpy as np

from engine.adaptive import Design
from engine.arrays import Bools, Floats
from engine.calibration.calibrate import calibrate
from engine.calibration.em import Options
from engine.calibration.entries import Fixed
from engine.calibration.priors import NO_PRIORS, USUAL_PRIORS, Priors
from engine.calibration.result import Calibration
from engine.grid import Grid
from engine.parameters import ItemParameters, Model
from engine.responses import NONE, SkipPolicy
from engine.stopping import MaxLength
from engine.table import Table, build_table
from engine.uniform import derive
from itembank.files import shipped_bank
from itembank.snapshot import Snapshot
from simulations.behaviours import Behaviour, ModelTrue, OnItems
from simulations.cluster import results_of
from simulations.learners import Learners, draw
from simulations.measures import measure
from simulations.recovery.administration import Administration, Answers, Complete, responses_of
from simulations.recovery.replication import seed_of
from simulations.recovery.truth import Truth, true_items
from simulations.run import Result, simulate
from simulations.studies.comparison import Row, precision

LENGTH: Final = 20
"""Items of an adaptive test of one competence."""
ADAPTIVE: Final = Design(stop=MaxLength(LENGTH), grid=Grid(-4.5, 4.5, 46))
"""The most informative item at the posterior mean: the rule that capitalises most on errors of calibration."""
SHOWN: Final = ("rmse", "bias", "in 95 %", "level exact", "within one")
HONEST: Final[tuple[Behaviour, ...]] = (ModelTrue(),)
ALL_ITEMS: Final = Complete()
WITHOUT_ERRORS: Final = Options(errors=False)

Figures = dict[str, float]


class Case(NamedTuple):
    """What the replications of a study share: true items, simulees of each test, seed."""

    truth: Truth
    learners: int
    seed: int


class Belief(NamedTuple):
    """What a test takes for true of I items."""

    parameters: ItemParameters
    covariance: Floats | None  # (I, P, P) of the working parameters
    allowed: Bools  # (I,) items that have parameters


def pool(model: str, count: int, seed: int) -> Truth:
    """Made-up true items of one competence (:func:`simulations.recovery.truth.made_up_items`)."""
    return true_items(model=model, count=count, seed=seed)


def shipped_truth() -> Truth:
    """All competences of the bank that ships, on its tree, its provisional parameters taken for the truth."""
    snapshot = Snapshot.of(shipped_bank())
    framework = snapshot.framework
    return Truth(
        snapshot.ids,
        snapshot.parameters,
        framework.codes,
        snapshot.competence,
        framework.tree(),
        f"shipped bank, {len(snapshot)} items",
        snapshot,
    )


def knowing_all(truth: Truth) -> Belief:
    """Belief in the true parameters: a perfect calibration."""
    return Belief(truth.parameters, None, np.ones(len(truth), dtype=bool))


def believing(found: Calibration, count: int) -> Belief:
    """Belief in a calibration of ``count`` items; those without parameters are not asked."""
    place = np.zeros(count, dtype=np.int64)
    place[found.rows] = np.arange(found.rows.size)
    return Belief(found.parameters.take(place), found.covariance[place], np.isin(np.arange(count), found.rows))


def table_of(truth: Truth, design: Design, belief: Belief) -> Table:
    """Items as a test sees them that holds a belief; levels are those of the CRCN."""
    own = truth.table(replace(design, parameters="known"))
    cuts = own.cuts if truth.snapshot is not None else np.array(shipped_bank().framework.cuts[:1])
    return build_table(
        belief.parameters,
        design,
        competence=own.competence,
        topic=own.topic,
        enemies=() if truth.snapshot is None else truth.snapshot.enemies,
        timed=own.timed,
        time_intensity=own.time_intensity,
        time_discrimination=own.time_discrimination,
        cuts=cuts,
        covariance=belief.covariance,
    )


def tried(
    truth: Truth, design: Design, belief: Belief, learners: Learners, behaviours: tuple[Behaviour, ...] = HONEST
) -> tuple[Result, Figures]:
    """Test learners who answer by the true items with a belief about them.

    Returns
    -------
    result : Result
    figures : dict
        Rmse, bias, 95 % coverage and levels as :func:`simulations.studies.comparison.precision` has them, "told/real",
        the root mean square of the posterior sd over the rmse, and "a asked", the mean error of the discriminations of
        the items asked, as often as asked.
    """
    table = table_of(truth, design, belief)
    result = simulate(design, table, learners, (OnItems(truth.parameters, behaviours),), allowed=belief.allowed)
    every = precision(measure(design, table, result))
    figures = {name: every[name] for name in SHOWN}
    scope = list(design.competences_in_scope)
    figures["told/real"] = float(np.sqrt(np.mean(result.sd[:, scope] ** 2))) / figures["rmse"]
    gap = belief.parameters.discrimination - truth.parameters.discrimination
    figures["a asked"] = float(gap[result.items[result.items != NONE]].mean())
    return result, figures


def asked_of(
    truth: Truth,
    learners: Learners,
    behaviours: tuple[Behaviour, ...] = HONEST,
    administration: Administration = ALL_ITEMS,
) -> Answers:
    """Responses from which to calibrate, (N, I)."""
    return responses_of(administration, truth.table(Design(latent=truth.latent)), learners, behaviours)


def calibrated(
    truth: Truth,
    responses: Answers,
    *,
    model: str | None = None,
    priors: Priors | None = None,
    fixed: Fixed | None = None,
    skip: SkipPolicy = "unknown",
    estimate_loadings: bool = False,
    options: Options = WITHOUT_ERRORS,
) -> Calibration:
    """Calibrate all items, with their own models or ``model``; 3PL items have the usual priors when none are given."""
    names = [Model(code).label for code in truth.parameters.model.tolist()] if model is None else [model] * len(truth)
    guessed = "3PL" in names
    return calibrate(
        responses,
        names,
        competence=truth.competence,
        latent=truth.latent,
        estimate_loadings=estimate_loadings,
        fixed=fixed,
        priors=priors if priors is not None else USUAL_PRIORS if guessed else NO_PRIORS,
        skip=skip,
        options=options,
    )


def recovered(truth: Truth, found: Calibration, rows: Sequence[int] | None = None) -> Figures:
    """Errors of discriminations and difficulties over the items calibrated, or those of ``rows`` that were."""
    chosen = np.ones(found.rows.size, dtype=bool) if rows is None else np.isin(found.rows, list(rows))
    true, own = truth.parameters.take(found.rows[chosen]), found.parameters.take(np.flatnonzero(chosen))
    slope, place = own.discrimination - true.discrimination, own.difficulty - true.difficulty
    return {
        "bias a": float(slope.mean()),
        "rmse a": float(np.sqrt(np.mean(slope**2))),
        "bias b": float(place.mean()),
        "rmse b": float(np.sqrt(np.mean(place**2))),
    }


def learners_of(truth: Truth, count: int, seed: int, purpose: int) -> Learners:
    """Simulees of a replication; those of another purpose have nothing in common with them."""
    return draw(truth.latent, count, int(derive(seed, purpose)))


def repeated(
    replicate: Callable[[Case, int], Mapping[str, Figures]],
    case: Case,
    replications: int,
    jobs: int,
    group: str,
    uncertain: Sequence[str] = ("change",),
) -> list[Row]:
    """Run the replications of a study and average their figures.

    Parameters
    ----------
    replicate : callable
        Takes the case and the seed of a replication; gives the figures of each arm.
    case : Case
    replications, jobs : int
    group : str
        What the rows have in common.
    uncertain : sequence of str
        Figures that are followed by their standard error over the replications.
    """
    seeds = [seed_of(case.seed, number) for number in range(replications)]
    found = results_of(replicate, case, seeds, jobs=jobs)
    return [Row(group, name, averaged([arms[name] for arms in found], uncertain)) for name in found[0]]


def averaged(figures: Sequence[Figures], uncertain: Sequence[str] = ()) -> Figures:
    """Mean of each figure over the replications, with the standard error of some.

    Examples
    --------
    >>> averaged([{"bias": 1.0}, {"bias": 3.0}], ("bias",))
    {'bias': 2.0, '± bias': 1.0}
    """
    result: Figures = {}
    for name in figures[0]:
        values = np.array([each[name] for each in figures])
        result[name] = float(values.mean())
        if name in uncertain and values.size > 1:
            result[f"± {name}"] = float(values.std(ddof=1) / np.sqrt(values.size))
    return result
