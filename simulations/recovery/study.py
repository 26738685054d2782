"""One recovery study with everything that its files and its report say."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from engine.arrays import Floats
from engine.latent import LatentTree
from simulations.recovery.administration import Adaptive, AtRandom, Booklets
from simulations.recovery.figures import Figures
from simulations.recovery.loadings import LoadingFigures, loading_figures
from simulations.recovery.needed_learners import Curve
from simulations.recovery.replication import Plan, Replication


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


def _plain(value: float | np.floating[Any]) -> float | None:
    """Six decimals, fine enough to read and too coarse to differ from machine to machine."""
    return round(float(value), 6) if np.isfinite(value) else None


def _whole(value: float) -> int | None:
    return int(np.ceil(value)) if np.isfinite(value) else None
