"""Simulation-based calibration: whether beliefs deserve their probabilities.

Abilities are drawn from the population, a test is simulated, and the rank of each true ability is what the posterior
says lies below it. When the posterior is right, ranks are uniform, whatever the test and its rules (Cook, Gelman and
Rubin 2006; Talts et al. 2018). Too many ranks near 0 and 1: beliefs are too narrow; too many in the middle: too wide;
a slope: they lean to one side.

For item parameters, what is tested is the normal approximation that their standard errors stand for: the rank of the
true value under N(estimate, error).

References
----------
Cook, S. R., Gelman, A., and Rubin, D. B. (2006). Validation of software for Bayesian models using posterior quantiles.
Journal of Computational and Graphical Statistics, 15.
Talts, S., Betancourt, M., Simpson, D., Vehtari, A., and Gelman, A. (2018). Validating Bayesian inference algorithms
with simulation-based calibration. arXiv 1804.06788.
"""

from collections.abc import Sequence
from pathlib import Path
from time import perf_counter

import numpy as np
from scipy.special import ndtr

from engine.adaptive import Design, posterior, replay
from engine.arrays import Floats
from engine.errors import SettingError
from engine.grid import Grid
from engine.levels import probability_above
from engine.state import Facts
from engine.stopping import MaxLength
from engine.table import Table
from engine.uniform import derive, uniform
from itembank.positioning import positioning_design
from simulations.behaviours import ModelTrue
from simulations.cluster import results_of
from simulations.learners import draw
from simulations.output import check_folder
from simulations.progress import Bar, silent
from simulations.recovery.administration import Complete, table_for
from simulations.recovery.figures import cells_of
from simulations.recovery.replication import Plan, Replication, fitted_models, replicate
from simulations.recovery.truth import COUNT, Truth, reported, true_items
from simulations.rules import pick_named, score_named
from simulations.run import Result, simulate
from simulations.sbc.files import write
from simulations.sbc.study import Sbc, checked

NODES = Grid(-5.0, 5.0, 101)
"""Of a test of one competence: fine, so that what is tested is the belief and not its grid."""
_TOGETHER = 500
_CHOICE = 2**41 + 3
"""Stream of the numbers that choose one parameter of each replication."""


def simulate_sbc(
    out: Path | None,
    *,
    items: Path | None = None,
    bank: Path | None = None,
    competence: str | None = None,
    scale: float | None = None,
    model: str = "2PL",
    count: int = COUNT,
    learners: int = 2000,
    length: int | None = None,
    score: str = "information",
    pick: str = "best",
    k: int = 5,
    replications: int = 0,
    sample: int = 1000,
    seed: int = 1,
    jobs: int = 1,
    scheduler: str | None = None,
    bar: Bar = silent,
) -> Sbc:
    """Test the beliefs of an adaptive test, and the standard errors of a calibration, by simulation.

    Parameters
    ----------
    out : Path, optional
        Folder; nothing is written without one.
    items, bank, competence, scale, model, count
        True items, as for :func:`simulations.recovery.truth.true_items`. A whole bank is tested by its
        positioning, on the tree.
    learners : int
        Simulees of the test.
    length : int, optional
        Items of the test; 15 (or all there are), or what a positioning asks, when left out.
    score, pick, k
        Rules of a test of one competence (:mod:`simulations.rules`).
    replications, sample : int
        Calibrations, and learners in each, that standard errors are tested with; none when left out.
    seed : int
    jobs, scheduler
        As for :func:`simulations.cluster.results_of`; the test itself runs on this machine.
    bar : Bar
        Shows progress.

    Returns
    -------
    Sbc
    """
    if out is not None:
        check_folder(out)
    if learners < 2 or replications < 0 or replications == 1 or sample < 1:
        raise SettingError("Uniformity takes at least two simulees, and no or at least two replications.")
    started = perf_counter()
    truth = true_items(items, bank, competence, scale, model, count, seed)
    design = _design(truth, length, score, pick, k)
    table = truth.table(design)
    with bar("Simulating", learners) as advance:
        result = simulate(design, table, draw(design.latent, learners, seed), jobs=jobs, progress=advance)
    ranks = ability_ranks(design, table, result)
    checks = [
        checked(f"ability {code}" if len(truth.competences) > 1 else "ability", ranks[:, place])
        for place, code in enumerate(truth.competences)
    ]
    if replications:
        plan = _plan(truth, sample, seed)
        with bar("Calibrating", replications) as advance:
            found = results_of(replicate, plan, range(replications), jobs=jobs, scheduler=scheduler, advance=advance)
        checks += [checked(name, each) for name, each in parameter_ranks(truth, found, seed).items() if each.size > 1]
    study = Sbc(truth, design, tuple(checks), ranks, seed, replications, sample, perf_counter() - started)
    if out is not None:
        write(study, out)
    return study


def ability_ranks(design: Design, table: Table, result: Result) -> Floats:
    """Rank of each true ability in its posterior at the end of the test, (n, C).

    The posterior is made again from the facts; the mass of a node is spread evenly over its cell.
    """
    parts = []
    for start in range(0, len(result), _TOGETHER):
        some = slice(start, start + _TOGETHER)
        part = Facts(result.items[some], result.responses[some], result.seconds[some])
        belief = posterior(design, table, replay(design, table, part))
        parts.append(ranks_of(belief, table.nodes, result.abilities[some]))
    return np.concatenate(parts)


def ranks_of(belief: Floats, nodes: Floats, truth: Floats) -> Floats:
    """Probability below the truth.

    Parameters
    ----------
    belief : (*batch, G) float
        Probabilities of the nodes.
    nodes : (G,) float
    truth : (*batch,) float

    Examples
    --------
    >>> ranks_of(np.array([0.2, 0.6, 0.2]), np.array([-1.0, 0.0, 1.0]), np.array(0.0)).round(2).tolist()
    0.5
    """
    return np.asarray(np.clip(1.0 - probability_above(belief, nodes, truth[..., None])[..., 0], 0.0, 1.0))


def parameter_ranks(truth: Truth, replications: Sequence[Replication], seed: int = 1) -> dict[str, Floats]:
    """Rank of one true parameter of each replication under N(estimate, error), by kind of parameter.

    The items of a replication share their learners, so that their ranks depend on each other: one is chosen at random,
    among those with a standard error, of each replication that converged.
    """
    known = reported(truth.parameters)
    found: dict[str, Floats] = {}
    for place, (kind, cells) in enumerate(cells_of(truth).items()):
        chances = uniform(derive(derive(seed, _CHOICE), place), np.arange(len(replications)))
        ranks = []
        for each, u in zip(replications, chances.tolist(), strict=True):
            z = (known[cells] - each.estimates[cells]) / each.errors[cells]
            z = z[np.isfinite(z)]
            if each.converged and z.size:
                ranks.append(float(ndtr(z[int(u * z.size)])))
        if ranks and kind != "thresholds":
            found[kind] = np.array(ranks)
    return found


def _design(truth: Truth, length: int | None, score: str, pick: str, k: int) -> Design:
    if truth.framework is not None:
        return positioning_design(truth.framework, length=length)
    asked = min(15, len(truth)) if length is None else length
    if not 1 <= asked <= len(truth):
        raise SettingError(f"A test cannot ask {asked} of {len(truth)} items; use 1 to {len(truth)}.")
    return Design(score=score_named(score), pick=pick_named(pick, k), stop=MaxLength(asked), grid=NODES)


def _plan(truth: Truth, sample: int, seed: int) -> Plan:
    administration = Complete()
    table = table_for(administration, truth)
    return Plan(truth, fitted_models(truth, None), administration, table, (ModelTrue(),), sample, seed)
