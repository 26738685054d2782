"""One simulation with everything that its files and its report say."""

from collections import Counter
from dataclasses import asdict, dataclass
from math import isfinite
from typing import Any

from engine.adaptive import Design
from engine.designs import content_hash, to_dict
from engine.stopping import Reason
from engine.table import Table
from simulations.behaviours import Behaviour
from simulations.measures import Measures, measure
from simulations.precision import Precision
from simulations.run import Result
from simulations.use import Use


@dataclass(frozen=True, eq=False)
class Simulation:
    """What was simulated and what came out.

    Parameters
    ----------
    title : str
    seed : int
    design : Design
    table : Table
    behaviours : tuple of Behaviour
    items : tuple of I str
        Ids.
    competences : tuple of C str
        Codes.
    result : Result
    measures : Measures
    notes : tuple of str
        Sentences for the reader of the report.
    """

    title: str
    seed: int
    design: Design
    table: Table
    behaviours: tuple[Behaviour, ...]
    items: tuple[str, ...]
    competences: tuple[str, ...]
    result: Result
    measures: Measures
    notes: tuple[str, ...] = ()

    @classmethod
    def of(
        cls,
        title: str,
        seed: int,
        design: Design,
        table: Table,
        behaviours: tuple[Behaviour, ...],
        names: tuple[tuple[str, ...], tuple[str, ...]],
        result: Result,
        notes: tuple[str, ...] = (),
    ) -> "Simulation":
        """Join a result with its measures; ``names`` are the ids of the items and the codes of the competences."""
        items, competences = names
        measures = measure(design, table, result)
        return cls(title, seed, design, table, behaviours, items, competences, result, measures, notes)

    @property
    def reasons(self) -> dict[str, int]:
        """How many runs ended for each reason."""
        counts = Counter(self.result.reason.tolist())
        return {Reason(code).name.lower(): counts[code] for code in sorted(counts)}

    def summary(self) -> dict[str, Any]:
        """Figures as plain data for JSON; null where a figure cannot be said."""
        result, measures, conditional = self.result, self.measures, self.measures.conditional
        bins = zip(
            *(conditional.ability, conditional.count, conditional.bias, conditional.rmse),
            *(conditional.mean_se, conditional.coverage_95),
            strict=True,
        )
        names = ("ability", "count", "bias", "rmse", "mean_se", "coverage_95")
        return {
            "title": self.title,
            "learners": len(result),
            "items": len(self.items),
            "seed": self.seed,
            **_figures(measures.precision, measures.use),
            "reasons": self.reasons,
            "competences": {
                code: {"learners": len(result), "in_scope": place in measures.scope, **_figures(*pair)}
                for place, (code, pair) in enumerate(zip(self.competences, measures.by_competence, strict=True))
            },
            "conditional": [
                {name: _plain(value) for name, value in zip(names, values, strict=True)}
                for values in bins
                if values[1] > 0
            ],
            "behaviours": [repr(behaviour) for behaviour in self.behaviours],
            "notes": list(self.notes),
            "design": to_dict(self.design),
            "design_hash": content_hash(self.design),
            "seconds": round(result.duration, 3),
            "learners_per_second": round(len(result) / result.duration, 1),
        }


def _figures(precision: Precision, use: Use) -> dict[str, Any]:
    return {name: _plain(value) for name, value in (asdict(precision) | asdict(use)).items()}


def _plain(value: float) -> float | None:
    """Six decimals, fine enough to read and too coarse to differ from machine to machine."""
    return round(float(value), 6) if isfinite(value) else None
