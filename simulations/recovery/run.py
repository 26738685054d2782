"""``jalon simulate recovery``: how far a calibration can be trusted, and how many learners it needs.

Learners with known abilities answer items with known parameters, by a response design; the responses are calibrated,
and the estimates held against the truth; many times over.
"""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from time import perf_counter

import numpy as np

from engine.calibration.priors import priors_named
from engine.errors import ResponseError, SettingError
from engine.latent import LatentTree
from engine.responses import skip_policy
from simulations.behaviours import behaving
from simulations.cluster import results_of
from simulations.output import check_folder
from simulations.progress import Advance, Bar, silent
from simulations.recovery.administration import administration_named, table_for
from simulations.recovery.expected_errors import expected_errors
from simulations.recovery.figures import figures_of
from simulations.recovery.files import write
from simulations.recovery.needed_learners import WANTED, curve_of
from simulations.recovery.replication import Plan, Replication, fitted_models, replicate
from simulations.recovery.study import Recovery
from simulations.recovery.truth import COUNT, true_items


def simulate_recovery(
    out: Path | None,
    *,
    items: Path | None = None,
    bank: Path | None = None,
    competence: str | None = None,
    scale: float | None = None,
    model: str | None = None,
    truth: str | None = None,
    count: int = COUNT,
    learners: int = 1000,
    design: str | None = None,
    answers: int | None = None,
    booklets: int | None = None,
    score: str = "information",
    pick: str = "top-k",
    k: int = 5,
    replications: int = 100,
    seed: int = 1,
    jobs: int = 1,
    scheduler: str | None = None,
    priors: Sequence[str] = (),
    skip: str = "unknown",
    skipping: float = 0.0,
    guessing: float = 0.0,
    careless: float = 0.0,
    estimate_loadings: bool = False,
    curve: Sequence[int] = (),
    wanted: Sequence[float] = (),
    bar: Bar = silent,
) -> Recovery:
    """Calibrate simulated responses many times and write how well the true parameters are recovered.

    Parameters
    ----------
    out : Path, optional
        Folder; nothing is written without one.
    items, bank, competence, scale
        True items, as for :func:`simulations.recovery.truth.true_items`. Without a table and a bank they are made up.
    model : str, optional
        Model that is fitted to the items it suits; the true ones when left out.
    truth : str, optional
        Model of made-up items; ``model``, or 2PL, when left out.
    count : int
        Made-up items.
    learners : int
        In each replication.
    design, answers, booklets, score, pick, k
        Who answers what, as for :func:`simulations.recovery.administration.administration_named`.
    replications, seed : int
        Replication r is the same whatever their number.
    jobs, scheduler
        As for :func:`simulations.cluster.each`.
    priors : sequence of str
        As for :func:`engine.calibration.priors.priors_named`.
    skip : str
        Policy for skips, of the calibration and of an adaptive test.
    skipping, guessing, careless
        As for :func:`simulations.behaviours.behaving`.
    estimate_loadings : bool
        Of the tree of a whole bank; else they are held at the true ones.
    curve : sequence of int
        More numbers of learners to try, for the number that is needed.
    wanted : sequence of float
        RMSE for which that number is told.
    bar : Bar
        Shows progress.

    Returns
    -------
    Recovery

    Raises
    ------
    JalonError
        When the arguments do not go together, or no replication could calibrate any item.
    """
    if out is not None:
        check_folder(out)
    if replications < 1 or learners < 1 or any(size < 1 for size in curve) or any(rmse <= 0 for rmse in wanted):
        raise SettingError("Replications, numbers of learners and wanted RMSE must all be positive; correct them.")
    true = true_items(items, bank, competence, scale, truth or model or "2PL", count, seed)
    if truth is not None and (items is not None or bank is not None or competence is not None):
        raise SettingError("A true model goes with made-up items; items of a table or a bank have theirs.")
    if estimate_loadings and not isinstance(true.latent, LatentTree):
        raise SettingError("There are loadings on a tree only; study a whole bank to estimate them.")
    policy = skip_policy(skip)
    administration = administration_named(design, true, answers, booklets, policy, score, pick, k)
    plan = Plan(
        true,
        fitted_models(true, model),
        administration,
        table_for(administration, true),
        behaving(skipping, guessing, careless),
        learners,
        seed,
        priors_named(priors),
        policy,
        estimate_loadings,
    )
    started = perf_counter()
    sizes = sorted({learners, *curve})
    with bar("Replications", replications * len(sizes)) as advance:
        found = {size: _study(replace(plan, learners=size), replications, jobs, scheduler, advance) for size in sizes}
    figures = {size: figures_of(true, each) for size, each in found.items()}
    one = expected_errors(plan)
    recovery = Recovery(
        plan,
        tuple(found[learners]),
        figures[learners],
        one / np.sqrt(learners),
        curve_of(true, figures, one),
        tuple(wanted) or WANTED,
        perf_counter() - started,
    )
    if out is not None:
        write(recovery, out)
    return recovery


def _study(plan: Plan, replications: int, jobs: int, scheduler: str | None, advance: Advance) -> list[Replication]:
    found = results_of(replicate, plan, range(replications), jobs=jobs, scheduler=scheduler, advance=advance)
    if not any(one.iterations for one in found):
        raise ResponseError(
            f"With {plan.learners} learners no item could be calibrated in any replication; simulate more of them, or "
            "more answers of each."
        )
    return found
