"""``jalon simulate recovery``: how far a calibration can be trusted, and how many learners it needs.

Learners with known abilities answer items with known parameters, by a response design; the responses are calibrated,
and the estimates held against the truth; many times over.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np

from engine.arrays import Floats
from engine.calibration.priors import priors_named
from engine.errors import ResponseError, SettingError
from engine.latent import LatentTree
from engine.responses import skip_policy
from simulations.administration import Adaptive, AtRandom, Booklets, administration_named, table_for
from simulations.behaviours import behaving
from simulations.cluster import each
from simulations.expected_errors import expected_errors
from simulations.loading_recovery import LoadingFigures, loading_figures
from simulations.needed_learners import WANTED, Curve, curve_of
from simulations.output import check_folder
from simulations.progress import Advance, Bar, silent
from simulations.recovery_figures import Figures, figures_of
from simulations.replication import Plan, Replication, fitted_models, replicate
from simulations.truth import COUNT, true_items


@dataclass(frozen=True, eq=False)
class Recovery:
    """What was simulated and what came out.

    Parameters
    ----------
    plan : Plan
    replications : tuple of R Replication
    figures : Figures
    expected : (I, P) float
        Standard errors expected of the calibration of so many learners.
    curve : Curve
        RMSE at the numbers of learners that were tried; one of them without a curve.
    wanted : tuple of float
        RMSE for which the number of learners is told.
    seconds : float
    """

    plan: Plan
    replications: tuple[Replication, ...]
    figures: Figures
    expected: Floats
    curve: Curve
    wanted: tuple[float, ...]
    seconds: float

    @cached_property
    def loadings(self) -> LoadingFigures | None:
        """Figures of the loadings, where they were estimated."""
        truth = self.plan.truth
        if not self.plan.estimate_loadings or not isinstance(truth.latent, LatentTree):
            return None
        domains = [f"domain {row + 1}" for row in range(len(truth.latent.domain_loadings))]
        if truth.framework is not None:
            domains = [f"domain {domain.code}" for domain in truth.framework.domains]
        return loading_figures(truth.latent, (*domains, *truth.competences), self.replications)

    @property
    def design(self) -> str:
        """Name of the response design."""
        names = {Adaptive: "adaptive", AtRandom: "random", Booklets: "booklets"}
        return names.get(type(self.plan.administration), "complete")

    @property
    def models(self) -> tuple[str, ...]:
        """Models that were fitted, each once."""
        return tuple(dict.fromkeys(self.plan.models))

    @property
    def answers(self) -> float:
        """Answers of a learner that are evidence, on average."""
        return float(np.mean([each.answers.sum() for each in self.replications]) / self.plan.learners)

    def summary(self) -> dict[str, Any]:
        """Figures as plain data for JSON; null where a figure cannot be said."""
        plan, figures = self.plan, self.figures
        found: dict[str, Any] = {
            "title": "Recovery of item parameters",
            "learners": plan.learners,
            "replications": len(self.replications),
            "seed": plan.seed,
            "model": ", ".join(self.models),
            "items": len(plan.truth),
            "truth": plan.truth.origin,
            "design": self.design,
            "answers_per_learner": _plain(self.answers),
            "converged_share": _plain(figures.converged.mean()),
            "calibrated_share": _plain(figures.calibrated.mean()),
            "at_bound_share": _plain(figures.at_bound.mean()),
        }
        errors: dict[str, float | None] = {}
        for name in ("discrimination", "difficulty", *figures.kinds):
            kind = figures.kinds.get(name)
            for word, key in (("bias", "bias"), ("rmse", "rmse"), ("correlation", "correlation")):
                figure = None if kind is None else getattr(kind, key)
                found[f"{word}_{name}"] = None if figure is None else _plain(figure.value)
                errors[f"{word}_{name}"] = None if figure is None else _plain(figure.error)
            found[f"coverage_95_{name}"] = None if kind is None else _plain(kind.coverage.value)
            errors[f"coverage_95_{name}"] = None if kind is None else _plain(kind.coverage.error)
            for word in ("mean_se", "sd", "rmse_se", "intervals"):
                found[f"{word}_{name}"] = None if kind is None else _plain(getattr(kind, word))
        if self.loadings is not None:
            for word in ("bias", "rmse", "coverage"):
                key = "coverage_95_loadings" if word == "coverage" else f"{word}_loadings"
                found[key] = _plain(getattr(self.loadings, word))
            found["rmse_correlations"] = _plain(self.loadings.rmse_correlations)
        return found | {
            "monte_carlo_errors": errors,
            "curve": self._curve(),
            "needed_learners": [
                {"parameter": need.kind, "rmse": need.rmse}
                | {"learners": _whole(need.learners), "beyond": need.beyond, "expected": _whole(need.expected)}
                for need in self.curve.needed(self.wanted)
            ],
            "priors": plan.priors.words(),
            "skip": plan.skip,
            "behaviours": [repr(behaviour) for behaviour in plan.behaviours],
            "administration": repr(plan.administration),
            "estimate_loadings": plan.estimate_loadings,
            "seconds_per_calibration": round(float(np.mean([each.seconds for each in self.replications])), 4),
            "seconds": round(self.seconds, 3),
        }

    def _curve(self) -> list[dict[str, Any]]:
        rows = []
        for place, learners in enumerate(self.curve.learners.tolist()):
            row: dict[str, Any] = {"learners": learners, "converged_share": _plain(self.curve.converged[place])}
            for kind, figures in self.curve.rmse.items():
                row[f"rmse_{kind}"] = _plain(figures[place].value)
                expected = self.curve.expected.get(kind, float("nan")) / np.sqrt(learners)
                row[f"expected_rmse_{kind}"] = _plain(expected)
            rows.append(row)
        return rows


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
        True items, as for :func:`simulations.truth.true_items`. Without a table and a bank they are made up.
    model : str, optional
        Model that is fitted to the items it suits; the true ones when left out.
    truth : str, optional
        Model of made-up items; ``model``, or 2PL, when left out.
    count : int
        Made-up items.
    learners : int
        In each replication.
    design, answers, booklets, score, pick, k
        Who answers what, as for :func:`simulations.administration.administration_named`.
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
        from simulations.recovery_files import write

        write(recovery, out)
    return recovery


def _study(
    plan: Plan, replications: int, jobs: int, scheduler: str | None, advance: Advance
) -> list[Replication]:
    found = each(replicate, plan, range(replications), jobs=jobs, scheduler=scheduler, advance=advance)
    if not any(one.iterations for one in found):
        raise ResponseError(
            f"With {plan.learners} learners no item could be calibrated in any replication; simulate more of them, or "
            "more answers of each."
        )
    return found


def _plain(value: float | np.floating[Any]) -> float | None:
    """Six decimals, fine enough to read and too coarse to differ from machine to machine."""
    return round(float(value), 6) if np.isfinite(value) else None


def _whole(value: float) -> int | None:
    return int(np.ceil(value)) if np.isfinite(value) else None
