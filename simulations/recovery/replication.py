"""One replication of a recovery study: learners drawn, their responses, a calibration."""

from dataclasses import dataclass, field
from time import perf_counter
from typing import NamedTuple

import numpy as np

from engine.arrays import Floats, Ints
from engine.calibration import structure
from engine.calibration.calibrate import calibrate
from engine.calibration.em import Options
from engine.calibration.priors import NO_PRIORS, Priors
from engine.calibration.result import Calibration, Errors, ItemStatus
from engine.errors import DesignError, ResponseError
from engine.latent import LatentTree
from engine.parameters import POLYTOMOUS, Model
from engine.responses import SkipPolicy
from engine.table import Table
from engine.uniform import derive
from simulations.behaviours import Behaviour
from simulations.learners import draw
from simulations.recovery.administration import Administration, responses_of
from simulations.recovery.truth import Truth, reported

_REPLICATIONS = 2**41 + 2
"""Stream of the seeds of replications."""


@dataclass(frozen=True, eq=False)
class Plan:
    """What every replication of a study does.

    Parameters
    ----------
    truth : Truth
    models : tuple of I str
        Models that are fitted.
    administration : Administration
    table : Table
        The items as the behaviours need them.
    behaviours : tuple of Behaviour
    learners, seed : int
    priors : Priors
    skip : {"unknown", "incorrect", "ignored"}
        How a calibration reads skips.
    estimate_loadings : bool
        Of the tree; else they are held at the true ones.
    options : Options
        Of the calibrations.
    """

    truth: Truth
    models: tuple[str, ...]
    administration: Administration
    table: Table
    behaviours: tuple[Behaviour, ...]
    learners: int
    seed: int
    priors: Priors = NO_PRIORS
    skip: SkipPolicy = "unknown"
    estimate_loadings: bool = False
    options: Options = field(default_factory=Options)


class Replication(NamedTuple):
    """What one calibration found; P columns: a, each b or threshold, c, d (simulations.recovery.truth.reported)."""

    seed: int
    estimates: Floats  # (I, P) NaN where an item or a parameter was not estimated
    errors: Floats  # (I, P) standard errors, NaN where there is none
    status: Ints  # (I,) codes of ItemStatus
    answers: Ints  # (I,) that are evidence
    loadings: Floats  # (D + C,) empty without a tree
    loading_errors: Floats  # (D + C,)
    converged: bool
    iterations: int
    log_likelihood: float
    silent: int  # learners without any answer that is evidence
    seconds: float  # of the calibration


def fitted_models(truth: Truth, model: str | None) -> tuple[str, ...]:
    """Name the models that are fitted: the true ones, or ``model`` for the items with as many categories as it suits.

    Raises
    ------
    DesignError
        When the model suits no item.
    """
    own = [Model(code) for code in truth.parameters.model.tolist()]
    if model is None:
        return tuple(code.label for code in own)
    wanted = Model.named(model)
    suits = [(code in POLYTOMOUS) == (wanted in POLYTOMOUS) for code in own]
    if not any(suits):
        kind = "more than two" if wanted in POLYTOMOUS else "two"
        raise DesignError(f"The model {wanted.label} is for items with {kind} categories, and there are none.")
    return tuple(wanted.label if suit else code.label for code, suit in zip(own, suits, strict=True))


def seed_of(seed: int, replication: int) -> int:
    """Seed of a replication of a study."""
    return int(derive(derive(seed, _REPLICATIONS), replication))


def replicate(plan: Plan, replication: int) -> Replication:
    """Do one replication; the same numbers in any process."""
    seed = seed_of(plan.seed, replication)
    learners = draw(plan.truth.latent, plan.learners, seed)
    responses = responses_of(plan.administration, plan.table, learners, plan.behaviours)
    started = perf_counter()
    try:
        found = calibrate(
            responses,
            plan.models,
            competence=plan.truth.competence,
            latent=plan.truth.latent,
            estimate_loadings=plan.estimate_loadings,
            priors=plan.priors,
            skip=plan.skip,
            options=plan.options,
        )
    except ResponseError:
        return _nothing(plan, seed, perf_counter() - started)
    return _replication(plan, seed, found, perf_counter() - started)


def _replication(plan: Plan, seed: int, found: Calibration, seconds: float) -> Replication:
    width = reported(plan.truth.parameters).shape[1]
    tree = isinstance(found.latent, LatentTree)
    return Replication(
        seed=seed,
        estimates=_estimates(found, width),
        errors=errors_laid(found.errors, found.parameters.model, found.rows, (found.status.size, width)),
        status=found.status,
        answers=found.counts,
        loadings=structure.loadings(found.latent) if isinstance(found.latent, LatentTree) else np.empty(0),
        loading_errors=found.loading_errors if tree else np.empty(0),
        converged=found.converged,
        iterations=found.iterations,
        log_likelihood=found.log_likelihood,
        silent=found.silent,
        seconds=seconds,
    )


def _estimates(found: Calibration, width: int) -> Floats:
    own = reported(found.parameters)
    own[:, -2:] = np.where(np.isfinite(found.working[:, -2:]), own[:, -2:], np.nan)
    return _laid(own, found.rows, found.status.size, width)


def errors_laid(errors: Errors, models: Ints, rows: Ints, shape: tuple[int, int]) -> Floats:
    """Lay the standard errors of J items out in a table (I, P).

    Parameters
    ----------
    errors : Errors
    models, rows : (J,) int
    shape : (I, P)
    """
    steps = errors.thresholds.copy() if errors.thresholds.shape[1] else np.full((rows.size, 1), np.nan)
    plain = ~np.isin(models, POLYTOMOUS)
    steps[plain, 0] = errors.difficulty[plain]
    own = np.column_stack([errors.discrimination, steps, errors.guessing, errors.slipping])
    return _laid(own, rows, *shape)


def _laid(own: Floats, rows: Ints, count: int, width: int) -> Floats:
    """Lay J items out among I; nobody may have reached the highest categories, then there are fewer steps."""
    result = np.full((count, width), np.nan)
    steps = min(own.shape[1], width) - 2
    result[rows, :steps] = own[:, :steps]
    result[rows, -2:] = own[:, -2:]
    return result


def _nothing(plan: Plan, seed: int, seconds: float) -> Replication:
    """No item could be calibrated."""
    truth = plan.truth
    none = np.full(reported(truth.parameters).shape, np.nan)
    loadings = np.full(structure.loadings(truth.latent).size if isinstance(truth.latent, LatentTree) else 0, np.nan)
    return Replication(
        seed=seed,
        estimates=none,
        errors=none,
        status=np.full(len(truth), ItemStatus.TOO_FEW),
        answers=np.zeros(len(truth), dtype=np.int64),
        loadings=loadings,
        loading_errors=loadings,
        converged=False,
        iterations=0,
        log_likelihood=float("nan"),
        silent=0,
        seconds=seconds,
    )
