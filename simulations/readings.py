"""The figures of a simulation in plain words."""

from math import isnan, sqrt
from typing import NamedTuple

from simulations.simulation import Simulation


class Reading(NamedTuple):
    """A figure, as text, with what it means."""

    name: str
    value: str
    reading: str


def readings(simulation: Simulation) -> list[Reading]:
    """Figures of a simulation; those that cannot be said are left out."""
    precision, use = simulation.measures.precision, simulation.measures.use
    count = len(simulation.result)
    rows = (
        (
            "RMSE",
            precision.rmse,
            "number",
            f"The estimate lies typically {precision.rmse:.2f} standard deviations of the population from the truth.",
        ),
        ("Bias", precision.bias, "number", _bias(precision.bias, precision.rmse / sqrt(count))),
        (
            "Mean posterior sd",
            precision.mean_se,
            "number",
            "What the test says of its own error; close to the RMSE when it is honest.",
        ),
        ("Correlation", precision.correlation, "number", "Between true and estimated abilities."),
        ("Coverage of 90 % intervals", precision.coverage_90, "share", _coverage(precision.coverage_90, 0.90, count)),
        ("Coverage of 95 % intervals", precision.coverage_95, "share", _coverage(precision.coverage_95, 0.95, count)),
        ("Level exact", precision.level_exact, "share", "Levels found that are the true ones."),
        ("Level within one", precision.level_within_one, "share", "Levels found at most one off."),
        ("Measured", precision.measured, "share", "Results that rest on items of the competence itself."),
        (
            "Mean length",
            use.mean_length,
            "count",
            f"Items asked of a simulee; from {simulation.result.length.min()} to {simulation.result.length.max()}.",
        ),
        ("Success", use.success, "share", "Questions answered with full credit, skips counted as not."),
        ("Skipped", use.skipped, "share", "Questions skipped."),
        ("Mean time", use.mean_seconds / 60.0, "count", "Minutes that a simulee takes."),
        ("Largest exposure", use.max_exposure, "share", "Simulees who were asked the item that is asked most."),
        ("Mean overlap", use.mean_overlap, "share", "Of the test that two simulees have in common, on average."),
        ("Pool used", use.pool_used, "share", "Items that were asked at least once."),
    )
    return [Reading(name, _text(value, kind), words) for name, value, kind, words in rows if not isnan(value)]


def number(value: float) -> str:
    """Two decimals, or a dash where there is no number."""
    return "–" if isnan(value) else f"{value:.2f}"


def share(value: float) -> str:
    """Percentage with one decimal, or a dash where there is none."""
    return "–" if isnan(value) else f"{value:.1%}"


def _text(value: float, kind: str) -> str:
    return {"share": share(value), "count": f"{value:.1f}", "number": f"{value:.3f}"}[kind]


def _bias(bias: float, error: float) -> str:
    if abs(bias) < max(3 * error, 0.02):
        return "On average, estimates are neither too high nor too low."
    return f"On average, estimates are too {'high' if bias > 0 else 'low'}."


def _coverage(found: float, wanted: float, count: int) -> str:
    margin = 0.01 + 2 * sqrt(wanted * (1 - wanted) / count)
    if found < wanted - margin:
        return f"Too low: the truth lies in the interval less often than {wanted:.0%}; the test is too sure of itself."
    if found > wanted + margin:
        return f"Too high: the truth lies in the interval more often than {wanted:.0%}; the test is too cautious."
    return f"As it should be: the truth lies in about {wanted:.0%} of the intervals."
