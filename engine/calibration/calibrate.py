"""Calibration, front door: responses in, parameters with their uncertainty out."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from engine.arrays import Bools, Ints
from engine.calibration import structure
from engine.calibration.em import Found, Options, Point, Task, estimated
from engine.calibration.entries import Fixed, Start, model_codes, start
from engine.calibration.errors.observed import Uncertainty, uncertainty
from engine.calibration.maximisation import Problem, at_bound
from engine.calibration.population import Population
from engine.calibration.priors import NO_PRIORS, Priors
from engine.calibration.result import Calibration, Errors, GridCheck, ItemStatus
from engine.calibration.sample import Sample, prepare, tally
from engine.errors import DesignError, ParameterError, ResponseError
from engine.grid import Grid
from engine.latent import Independent, Latent, LatentTree
from engine.parameters import ItemParameters
from engine.responses import SkipPolicy
from engine.working import from_working


def calibrate(
    responses: ArrayLike,
    models: Sequence[str] | str = "2PL",
    *,
    competence: ArrayLike | None = None,
    latent: Latent = Independent(),
    estimate_loadings: bool = False,
    group: ArrayLike | None = None,
    anchors: ArrayLike | None = None,
    fixed: Fixed | None = None,
    priors: Priors = NO_PRIORS,
    skip: SkipPolicy = "unknown",
    time_out: SkipPolicy = "incorrect",
    options: Options = Options(),
) -> Calibration:
    """Estimate item parameters by marginal maximum likelihood, or maximum a posteriori when there are priors.

    Parameters
    ----------
    responses : (N, I) int
        Categories, or the codes of :mod:`engine.responses`; ``NOT_REACHED`` stands for an item that was not presented.
    models : name, or sequence of I names
        ``1PL`` ... ``4PL``, ``GRM``, ``GPCM``. The 1PL items of a competence share a slope, which is estimated: the
        abilities have variance 1.
    competence : (I,) int, optional
        0 .. C - 1; one competence when left out.
    latent : Independent or LatentTree
        How competences hang together.
    estimate_loadings : bool
        Estimate the loadings of the tree, from those given; else they are held.
    group : (N,) int, optional
        0 .. Q - 1. Group 0 is the reference population, N(0, 1) in every competence; the means and sds of the others
        are estimated. Not with a tree.
    anchors : rows, optional
        Items that have the same parameters in all groups; the others are estimated in each group apart. All items when
        left out.
    fixed : Fixed, optional
        Items whose parameters are held. They give the scale, so that the mean and sd of every group are estimated in
        the competences that have such items; on a tree the population stays standard normal.
    priors : Priors
        None unless asked for.
    skip, time_out : {"unknown", "incorrect", "ignored"}
        What ``SKIPPED`` and ``TIMED_OUT`` are evidence of. "unknown" is read like "incorrect" here: see
        :mod:`engine.calibration.sample`.
    options : Options

    Returns
    -------
    Calibration

    Raises
    ------
    ResponseError
        When an item cannot have a response, or no item can be calibrated.
    ParameterError, DesignError
        When the arguments do not go together.

    Notes
    -----
    An item that cannot be calibrated (constant, too few answers, an empty category) is left out and has its status; it
    never stops the others.

    Examples
    --------
    >>> patterns = np.array([[1, 1, 1], [1, 1, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1], [0, 0, 0]])
    >>> found = calibrate(np.repeat(patterns, [30, 20, 15, 10, 5, 20], axis=0), "1PL")
    >>> found.converged, found.parameters.difficulty.round(2).tolist()
    (True, [-0.5, -0.33, 0.48])
    """
    given = np.asarray(responses)
    if given.ndim != 2 or given.size == 0 or given.dtype.kind not in "iu":
        raise ResponseError("Calibration needs a table of whole numbers, one row for each learner, one column an item.")
    count = given.shape[1]
    codes = model_codes(models, count)
    places = _codes(competence, count, latent.competences, "competence of each item")
    people = _people(group, given.shape[0])
    groups = int(people.max()) + 1
    common = None if anchors is None else np.unique(_rows(anchors, count, "anchors"))
    _agreeing(latent, groups, estimate_loadings, common, fixed, count)
    tallies = [tally(given if groups == 1 else given[people == q], skip, time_out) for q in range(groups)]
    width = max(counted.shape[1] for counted in tallies)
    tallies = [np.pad(counted, ((0, 0), (0, width - counted.shape[1]))) for counted in tallies]
    begin = start(tallies, codes, places, fixed, common, priors, options.fewest)
    if begin.entries.column.size == 0:
        raise ResponseError(
            f"No item can be calibrated: each is constant, has fewer than {options.fewest} answers or an empty "
            "category; bring more responses."
        )
    sample = prepare(given, begin.entries, people, latent.competences, skip, time_out)
    problem = Problem(begin.models, begin.free, begin.tie, priors, sample.layout)
    task = Task(problem, _free_population(begin, tallies, latent), latent, _label(latent, estimate_loadings))
    first = Population(np.zeros((groups, latent.competences)), np.ones((groups, latent.competences)))
    found, grid, refinements = estimated(task, sample, begin, first, options)
    spread = uncertainty(task, sample, found.point, grid) if options.errors else unknown(task, found.point)
    counts = np.sum(tallies, axis=(0, 2))
    return _result(task, sample, begin, _Ended(found, grid, refinements, spread), options, counts, fixed)


class _Ended(NamedTuple):
    found: Found
    grid: Grid
    refinements: int
    spread: Uncertainty


def _result(
    task: Task, sample: Sample, begin: Start, ended: _Ended, options: Options, counts: Ints, fixed: Fixed | None
) -> Calibration:
    found, grid, refinements, spread = ended
    point, expected, problem = found.point, found.step.expected, task.problem
    latent: Latent = task.latent
    if isinstance(latent, LatentTree):
        latent = structure.with_loadings(latent, point.loadings)
    largest = max(float(np.abs(found.step.gradient).max(initial=0.0)), found.step.others)
    tied = int(np.unique(problem.tie[problem.tie >= 0]).size - np.count_nonzero(problem.tie >= 0))
    loadings = int(np.unique(task.label[task.label >= 0]).size)
    return Calibration(
        rows=begin.entries.column,
        group=begin.entries.group,
        parameters=_parameters(begin, point, fixed),
        working=point.working,
        errors=spread.errors,
        covariance=spread.covariance,
        status=_statuses(begin, point, found, options),
        counts=counts,
        population=point.population,
        population_errors=spread.population,
        latent=latent,
        loading_errors=spread.loadings,
        log_likelihood=expected.log_likelihood,
        log_posterior=found.step.value,
        free=int(problem.free.sum()) + tied + 2 * int(task.free_population.sum()) + loadings,
        iterations=found.iterations,
        converged=found.converged,
        gradient=largest,
        check=GridCheck(grid, expected.smallest_sd, grid.spacing / expected.smallest_sd, refinements, expected.edge),
        learners=sample.learners,
        silent=sample.silent,
    )


def _parameters(begin: Start, point: Point, fixed: Fixed | None) -> ItemParameters:
    """Item parameters; held ones to the last bit as they were given."""
    found = from_working(begin.models, point.working)
    if fixed is None:
        return found
    place = {int(row): at for at, row in enumerate(fixed.rows)}
    held = [place[row] if row in place else len(place) + at for at, row in enumerate(begin.entries.column.tolist())]
    return fixed.parameters.joined(found).take(held)


def _statuses(begin: Start, point: Point, found: Found, options: Options) -> Ints:
    """Statuses of all items; of an item estimated in several groups, the worst."""
    stuck = (at_bound(point.working) & begin.free).any(axis=1)
    moving = (np.abs(found.step.gradient) > options.gradient).any(axis=1) | (not found.settled)
    held = ~begin.free.any(axis=1)
    each = np.select([held, moving, stuck], [ItemStatus.FIXED, ItemStatus.NOT_CONVERGED, ItemStatus.AT_BOUND], 0)
    status = begin.status.copy()
    np.maximum.at(status, begin.entries.column, each)
    return status


def _free_population(begin: Start, tallies: Sequence[Ints], latent: Latent) -> Bools:
    """Means and sds that are estimated: a group is compared with the others by answers to what they have in common."""
    entries, common = begin.entries, begin.entries.group < 0
    free = np.zeros((len(tallies), latent.competences), dtype=bool)
    if isinstance(latent, LatentTree):
        return free
    for own, counted in zip(free, tallies, strict=True):
        own[entries.competence[common & (counted[entries.column].sum(axis=1) > 0)]] = True
    held = np.unique(entries.competence[~begin.free.any(axis=1)])
    free[0, np.setdiff1d(np.arange(latent.competences), held)] = False
    return free


def _label(latent: Latent, estimate: bool) -> Ints:
    if not isinstance(latent, LatentTree):
        return np.empty(0, dtype=np.int64)
    label = structure.ties(latent)
    return label if estimate else np.full(label.size, -1)


def _codes(given: ArrayLike | None, count: int, limit: int, what: str) -> Ints:
    codes = np.zeros(count, dtype=np.int64) if given is None else np.asarray(given)
    if codes.shape != (count,) or codes.dtype.kind not in "iu" or (codes < 0).any() or (codes >= limit).any():
        raise ParameterError(f"The {what} must be one of {count} whole numbers from 0 to {limit - 1}; correct it.")
    return codes.astype(np.int64)


def _people(group: ArrayLike | None, learners: int) -> Ints:
    people = np.zeros(learners, dtype=np.int64) if group is None else np.asarray(group)
    whole = people.shape == (learners,) and people.dtype.kind in "iu" and not (people < 0).any()
    if not whole or np.unique(people).size != int(people.max()) + 1:
        raise ParameterError(
            f"The group of each of the {learners} learners must be a whole number, and the groups 0, 1, ... without a "
            "gap; number them anew."
        )
    return people.astype(np.int64)


def _rows(given: ArrayLike, count: int, what: str) -> Ints:
    rows = np.asarray(given, dtype=np.int64).reshape(-1)
    if ((rows < 0) | (rows >= count)).any() or rows.size == 0:
        raise ParameterError(f"The {what} are rows from 0 to {count - 1}, at least one; correct them.")
    return rows


def _agreeing(
    latent: Latent, groups: int, estimate_loadings: bool, anchors: Ints | None, fixed: Fixed | None, count: int
) -> None:
    if isinstance(latent, LatentTree) and groups > 1:
        raise DesignError("Groups go with independent competences, not with a tree; calibrate without one of them.")
    if estimate_loadings and not isinstance(latent, LatentTree):
        raise DesignError("There are no loadings without a tree; give a LatentTree to begin from.")
    if anchors is not None and groups == 1:
        raise DesignError("Anchors need several groups; give the group of each learner.")
    if fixed is not None:
        rows = _rows(fixed.rows, count, "fixed items")
        if rows.size != len(fixed.parameters) or np.unique(rows).size != rows.size:
            raise ParameterError(f"There are {rows.size} fixed rows for {len(fixed.parameters)} items; give each once.")


def unknown(task: Task, point: Point) -> Uncertainty:
    """Uncertainty when none was asked for: NaN everywhere."""
    count, size = point.working.shape
    none = np.full(count, np.nan)
    errors = Errors(none, none, none, none, np.full((count, size - 3), np.nan))
    nothing = np.full(point.population.mean.shape, np.nan)
    return Uncertainty(
        errors,
        np.full((count, size, size), np.nan),
        Population(nothing, nothing),
        np.full(task.label.size, np.nan),
        True,
    )
