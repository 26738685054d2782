"""The report of a recovery study: one page that needs nothing else, for a person to read."""

from collections.abc import Iterator
from math import isnan, sqrt
from typing import Final

import numpy as np

from simulations.page import Grid, page, pictured
from simulations.readings import Reading, number, share
from simulations.recovery import plots as recovery_plots
from simulations.recovery.figures import Figure, Kind
from simulations.recovery.study import Recovery

WORST: Final = 15
"""Parameters in the table of those that are recovered worst."""


def report(recovery: Recovery) -> str:
    """HTML page of a study; no script, nothing fetched from anywhere."""
    plan, count = recovery.plan, len(recovery.replications)
    return page(
        title="Recovery of item parameters",
        opening=f"{count:,} times, {plan.learners:,} simulated learners answered {len(plan.truth):,} items with known "
        "parameters; each time the responses were calibrated, and the estimates are held here against the truth. "
        "Abilities, difficulties and thresholds are in standard deviations of the population.",
        notes=_notes(recovery),
        figures=list(_readings(recovery)),
        pictures=pictured(recovery_plots.figures(recovery)),
        tables=[
            _kinds(recovery),
            _needed(recovery),
            _sizes(recovery),
            *([] if recovery.loadings is None else [_loadings(recovery)]),
            _worst(recovery),
        ],
        particulars=_particulars(recovery),
    )


def precise(figure: Figure, decimals: int = 3) -> str:
    """Figure with its Monte Carlo standard error.

    Examples
    --------
    >>> precise(Figure(0.1234, 0.01))
    '0.123 ± 0.010'
    """
    if isnan(figure.value):
        return "–"
    spread = "" if isnan(figure.error) else f" ± {figure.error:.{decimals}f}"
    return f"{figure.value:.{decimals}f}{spread}"


def _notes(recovery: Recovery) -> list[str]:
    notes = [
        "Figures are over the replications that converged, items at a bound included. After ±: the standard error that "
        "the number of replications leaves.",
        "The difficulty of items with more than two categories is each of their thresholds.",
    ]
    lost = int(np.count_nonzero(~recovery.figures.converged))
    if lost:
        notes.append(f"{lost:,} of {len(recovery.replications):,} replications did not converge and are left out.")
    if recovery.plan.priors:
        notes.append("The calibrations used priors; the errors expected do not take them into account.")
    if not recovery.curve.expected:
        notes.append("The models fitted are not the true ones: nothing is expected of the errors.")
    return notes


def _readings(recovery: Recovery) -> Iterator[Reading]:
    figures = recovery.figures
    converged = float(figures.converged.mean())
    yield Reading("Converged", share(converged), "Replications whose calibration says that it converged.")
    calibrated, bound = float(figures.calibrated.mean()), float(figures.at_bound.mean())
    yield Reading("Calibrated", share(calibrated), "Items that got parameters; the others had too few answers.")
    yield Reading("At a bound", share(bound), "Items with a parameter at a bound: read them with care.")
    for name, kind in figures.kinds.items():
        if name == "thresholds":
            continue
        yield Reading(f"RMSE of {name}", number(kind.rmse.value), "Typical distance of an estimate from the truth.")
        yield Reading(f"Bias of {name}", precise(kind.bias), _bias(kind))
        yield Reading(f"Coverage, {name}", share(kind.coverage.value), _coverage(kind))


def _bias(kind: Kind) -> str:
    error = 0.0 if isnan(kind.bias.error) else kind.bias.error
    if abs(kind.bias.value) <= max(3.0 * error, 0.02 * kind.rmse.value):
        return "On average, estimates are neither too high nor too low."
    return f"On average, estimates are too {'high' if kind.bias.value > 0 else 'low'}."


def _coverage(kind: Kind) -> str:
    found, error = kind.coverage
    if isnan(found):
        return "There are no intervals."
    margin = 0.01 + 2.0 * (0.0 if isnan(error) else error)
    if found < 0.95 - margin:
        return "Too low: the 95 % intervals are too narrow, or off the truth."
    if found > 0.95 + margin:
        return "Too high: the 95 % intervals are too wide."
    return "As it should be: the truth lies in about 95 % of the intervals."


def _kinds(recovery: Recovery) -> Grid:
    rows = [
        (
            name,
            *(precise(figure) for figure in (kind.bias, kind.rmse, kind.correlation, kind.coverage)),
            *(f"{value:.3f}" if not isnan(value) else "–" for value in (kind.mean_se, kind.sd, kind.rmse_se)),
            share(kind.intervals),
        )
        for name, kind in recovery.figures.kinds.items()
    ]
    columns = ("Parameter", "Bias", "RMSE", "Correlation", "In 95 %", "Mean error", "Sd", "Error less sd", "Intervals")
    return Grid(
        "By kind of parameter",
        "Mean error: standard error that the calibration states. Sd: spread of the estimates between replications, "
        "which it should equal; error less sd is their typical distance. Intervals: estimates with a standard error.",
        columns,
        rows,
    )


def _needed(recovery: Recovery) -> Grid:
    tried = recovery.curve.learners
    rows = [
        (
            need.kind,
            f"{need.rmse:g}",
            "–" if isnan(need.learners) else f"{'about ' if need.beyond else ''}{np.ceil(need.learners):,.0f}",
            "–" if isnan(need.expected) else f"{np.ceil(need.expected):,.0f}",
        )
        for need in recovery.curve.needed(recovery.wanted)
    ]
    return Grid(
        "How many learners are needed",
        f"For an RMSE over the items of this bank and this response design, from the replications with "
        f"{', '.join(f'{size:,}' for size in tried.tolist())} learners, and from the expected information. About: "
        "carried on beyond these numbers as one over the root.",
        ("Parameter", "RMSE wanted", "Learners", "By expected information"),
        rows,
    )


def _sizes(recovery: Recovery) -> Grid:
    curve = recovery.curve
    rows = []
    for place, learners in enumerate(curve.learners.tolist()):
        cells = [f"{learners:,}", share(float(curve.converged[place]))]
        for kind, figures in curve.rmse.items():
            expected = curve.expected.get(kind, float("nan")) / sqrt(learners)
            cells += [precise(figures[place]), "–" if isnan(expected) else f"{expected:.3f}"]
        rows.append(tuple(cells))
    columns = ["Learners", "Converged"]
    for kind in curve.rmse:
        columns += [f"RMSE of {kind}", "expected"]
    return Grid("RMSE and number of learners", "As measured, and as expected.", tuple(columns), rows)


def _loadings(recovery: Recovery) -> Grid:
    found = recovery.loadings
    assert found is not None
    each = found.each
    rows = [
        (
            name if apart else f"{name} (tied)",
            *(number(float(column[place, 0])) for column in (each.truth, each.mean, each.bias, each.rmse, each.sd)),
            number(float(each.mean_se[place, 0])),
            share(float(each.coverage[place, 0])),
        )
        for place, (name, apart) in enumerate(zip(found.names, found.apart.tolist(), strict=True))
    ]
    columns = ("Loading", "Truth", "Mean", "Bias", "RMSE", "Sd", "Mean error", "In 95 %")
    caption = (
        "Of domains on the root, then of competences on their domain. Tied: no data tell it apart from another one. "
        f"RMSE of the correlations between competences: {number(found.rmse_correlations)}."
    )
    return Grid("Loadings of the tree", caption, columns, rows)


def _worst(recovery: Recovery) -> Grid:
    items, truth = recovery.figures.items, recovery.plan.truth
    rows = []
    for at, name in ((0, "discrimination"), (slice(1, -2), "difficulty")):
        rmse = items.rmse[:, at].reshape(len(truth), -1)
        order = np.argsort(-np.nan_to_num(rmse, nan=-1.0), axis=None, kind="stable")[:WORST]
        for row, step in zip(*np.unravel_index(order, rmse.shape), strict=True):
            cells = [column[:, at].reshape(rmse.shape)[row, step] for column in items[:2]]
            if not isnan(rmse[row, step]):
                figures = [column[:, at].reshape(rmse.shape)[row, step] for column in (items.rmse, items.mean_se)]
                covered = items.coverage[:, at].reshape(rmse.shape)[row, step]
                rows.append((truth.ids[row], name, *map(number, (*cells, *figures)), share(covered)))
    columns = ("Item", "Parameter", "Truth", "Mean estimate", "RMSE", "Mean error", "In 95 %")
    return Grid("Recovered worst", "items.csv has all parameters of all items.", columns, rows)


def _particulars(recovery: Recovery) -> list[tuple[str, str]]:
    plan = recovery.plan
    return [
        ("Items", plan.truth.origin),
        ("Models fitted", ", ".join(recovery.models)),
        ("Response design", f"{plan.administration!r}"[:400]),
        ("Answers of a learner", f"{recovery.answers:.1f}"),
        ("Learners", f"{plan.learners:,}, seed {plan.seed}: {', '.join(map(repr, plan.behaviours))}"),
        ("Priors", ", ".join(f"{name} {prior}" for name, prior in plan.priors.words().items()) or "none"),
        ("Skips", plan.skip),
        ("Calibration", repr(plan.options)),
        ("Time", f"{recovery.seconds:.1f} s"),
    ]
