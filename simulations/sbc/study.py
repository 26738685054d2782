"""What simulation-based calibration found."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

from engine.adaptive import Design
from engine.arrays import Floats
from engine.designs import content_hash, to_dict
from simulations.recovery.truth import Truth
from simulations.sbc.uniformity import Band, Uniformity, simultaneous_band, uniformity


class Check(NamedTuple):
    """Ranks of one thing, (n,), and how uniform they are."""

    name: str
    ranks: Floats
    uniformity: Uniformity


@dataclass(frozen=True, eq=False)
class Sbc:
    """What was simulated and what came out.

    Parameters
    ----------
    truth : Truth
    design : Design
    checks : tuple of Check
        Ability in each competence, then kinds of item parameters.
    ranks : (n, C) float
        Of the abilities.
    seed, replications, sample : int
        Calibrations, and learners in each.
    seconds : float
    """

    truth: Truth
    design: Design
    checks: tuple[Check, ...]
    ranks: Floats
    seed: int
    replications: int
    sample: int
    seconds: float

    @property
    def smallest_p(self) -> float:
        """Smallest p of all tests, times their number (Bonferroni), at most 1."""
        values = [p for check in self.checks for p in (check.uniformity.ks_p, check.uniformity.chi_square_p)]
        return min(1.0, min(values) * len(values))

    def summary(self) -> dict[str, Any]:
        """Figures as plain data for JSON."""
        return {
            "title": "Simulation-based calibration",
            "learners": int(self.ranks.shape[0]),
            "seed": self.seed,
            "items": len(self.truth),
            "truth": self.truth.origin,
            "replications": self.replications,
            "learners_per_calibration": self.sample if self.replications else None,
            "smallest_adjusted_p": float(f"{self.smallest_p:.6g}"),
            "checks": {
                check.name: {
                    "ranks": check.uniformity.ranks,
                    "ks": round(check.uniformity.ks, 6),
                    "ks_p": float(f"{check.uniformity.ks_p:.6g}"),
                    "chi_square": round(check.uniformity.chi_square, 4),
                    "chi_square_p": float(f"{check.uniformity.chi_square_p:.6g}"),
                    "inside_band": check.uniformity.inside,
                    "mean": round(float(check.ranks.mean()), 6),
                }
                for check in self.checks
            },
            "design": to_dict(self.design),
            "design_hash": content_hash(self.design),
            "seconds": round(self.seconds, 3),
        }


def checked(name: str, ranks: Floats) -> Check:
    """Ranks with their tests."""
    return Check(name, ranks, uniformity(ranks, band_of(ranks.size)))


@lru_cache(maxsize=8)
def band_of(count: int) -> Band:
    """Band of so many ranks, worked out once."""
    return simultaneous_band(count)
