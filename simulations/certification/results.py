"""One simulated certification with everything that its files and its report say."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from engine import certification
from engine.arrays import Bools, Ints
from engine.assembly import Softness
from engine.designs import content_hash, to_dict
from simulations.certification.figures import Figures, figures_of, plain, relaxed_by_competence
from simulations.certification.kinds import Kind
from simulations.certification.run import Candidates, Positioning
from simulations.certification.sitting import Test
from simulations.use import exposure_rates


@dataclass(frozen=True, eq=False)
class Certification:
    """What was simulated and what came out.

    Parameters
    ----------
    seed : int
    kinds : tuple of Kind
    positioning, test : Positioning, Test
    found : Candidates
    """

    seed: int
    kinds: tuple[Kind, ...]
    positioning: Positioning
    test: Test
    found: Candidates

    @cached_property
    def true_levels(self) -> Ints:
        """Levels of the learners' own abilities, (n, C)."""
        return np.asarray((self.found.abilities[..., None] >= self.test.table.cuts).sum(axis=-1, dtype=np.int64))

    def figures(self, learners: Bools | None = None, kinds: Sequence[Kind] | None = None) -> Figures:
        """Figures of some learners (n,), of all when left out."""
        chosen = np.ones(self.found.seeds.size, dtype=bool) if learners is None else learners
        return figures_of(
            self.found, self.true_levels, self.kinds if kinds is None else kinds, chosen, len(self.test.snapshot)
        )

    @cached_property
    def exposure(self) -> "np.ndarray[Any, np.dtype[np.float64]]":
        """Share of the candidates who were asked each item, (I,)."""
        return exposure_rates(self.found.tests.asked, len(self.test.snapshot))

    def summary(self) -> dict[str, Any]:
        """Figures as plain data for JSON; null where a figure cannot be said."""
        found, test, codes = self.found, self.test, self.test.snapshot.framework.codes
        gave_way = relaxed_by_competence(found.tests, test.table.competence, Softness.EXPOSURE, len(codes))
        lacks = found.eligibility
        return {
            "title": "Simulation of certifications",
            "items": len(test.snapshot),
            "seed": self.seed,
            "accessible": list(test.accessible),
            "minutes": plain(test.seconds / 60),
            **self.figures(),
            "lacks_positioned_rate": plain(float((lacks.lacks_positioned > 0).mean())),
            "lacks_reached_rate": plain(float((lacks.lacks_reached > 0).mean())),
            "kinds": {
                kind.name: {"share": kind.share, **self.figures(found.kind == place)}
                for place, kind in enumerate(self.kinds)
            },
            "competences": {
                code: {
                    "cases": int(np.count_nonzero(found.tests.status[:, place])),
                    "max_exposure": plain(float(self.exposure[test.table.competence == place].max(initial=0.0))),
                    "exposure_gave_way": plain(gave_way[place]),
                }
                for place, code in enumerate(codes)
            },
            "certification": certification.to_dict(test.rules),
            "certification_hash": certification.content_hash(test.rules),
            "design": to_dict(test.design),
            "design_hash": content_hash(test.design),
            "seconds": round(found.duration, 3),
            "candidates_per_second": round(found.sat.size / found.duration, 1),
        }
