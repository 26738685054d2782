"""Figures of a recovery study."""

from collections.abc import Callable

import numpy as np
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

from engine.arrays import Bools, Floats
from simulations.drawing import BLUE, GREY, ORANGE, panels
from simulations.recovery.figures import cells_of
from simulations.recovery.study import Recovery

Heading = tuple[str, Figure, str]


def figures(recovery: Recovery) -> list[Heading]:
    """Headings, figures and captions of a report; none when no replication converged."""
    if not recovery.figures.kinds:
        return []
    return [
        (
            "Truth and estimate",
            estimates(recovery),
            "Each dot is a parameter of an item: the mean of its estimates over the replications, with a bar of one sd "
            "of the estimates on either side. On the line, there is no bias.",
        ),
        (
            "Are the standard errors honest?",
            standard_errors(recovery),
            "Standard error that the calibrations state (dots), and that is expected without any data (crosses), "
            "against the sd of the estimates between replications. On the line, the errors are what they say; with few "
            "replications, dots scatter around it.",
        ),
        (
            "Coverage by item",
            coverage(recovery),
            "Share of the replications in which the truth lies in the 95 % interval, for each parameter. Between the "
            "dashed lines lie 99 % of them when the coverage is right.",
        ),
        (
            "RMSE and number of learners",
            learning(recovery),
            "As measured (dots, with two standard errors), and as the expected information predicts (line).",
        ),
    ]


def estimates(recovery: Recovery) -> Figure:
    """Mean estimates against the truth, one panel for each kind of parameter."""
    items = recovery.figures.items

    def draw(axes: Axes, cells: Bools) -> None:
        x, y = items.truth[cells], items.mean[cells]
        _diagonal(axes, np.concatenate([x, y]))
        axes.errorbar(
            x, y, yerr=np.nan_to_num(items.sd[cells]), fmt=".", markersize=4, color=BLUE, elinewidth=0.5, alpha=0.7
        )
        axes.set(xlabel="truth", ylabel="mean estimate")

    return _by_kind(recovery, draw)


def standard_errors(recovery: Recovery) -> Figure:
    """Stated and expected errors against the sd of the estimates."""
    items = recovery.figures.items

    def draw(axes: Axes, cells: Bools) -> None:
        sd, stated, expected = items.sd[cells], items.mean_se[cells], recovery.expected[cells]
        known = np.concatenate([sd, stated])
        known = known[np.isfinite(known) & (known > 0)]
        if known.size:
            _diagonal(axes, np.array([known.min(), min(known.max(), 20.0 * float(np.median(known)))]))
        axes.plot(sd, expected, linestyle="none", marker="x", markersize=4, color=ORANGE, label="expected")
        axes.plot(sd, stated, linestyle="none", marker=".", markersize=4, color=BLUE, label="stated")
        axes.set(xlabel="sd of the estimates", ylabel="standard error", xscale="log", yscale="log")
        _plain(axes.xaxis)
        _plain(axes.yaxis)
        axes.legend(loc="best")

    return _by_kind(recovery, draw)


def coverage(recovery: Recovery) -> Figure:
    """Coverage of each parameter, sorted by the truth."""
    items = recovery.figures.items

    def draw(axes: Axes, cells: Bools) -> None:
        used = float(np.nanmax(np.where(items.intervals[cells] > 0, items.intervals[cells], 1.0)))
        reach = 2.576 * np.sqrt(0.95 * 0.05 / used)
        axes.axhline(0.95, color=GREY, linewidth=0.8)
        for line in (0.95 - reach, min(0.95 + reach, 1.0)):
            axes.axhline(line, color=GREY, linewidth=0.8, linestyle="--")
        axes.plot(items.truth[cells], items.coverage[cells], linestyle="none", marker=".", markersize=4, color=BLUE)
        axes.set(xlabel="truth", ylabel="coverage", ylim=(None, 1.02))

    return _by_kind(recovery, draw)


def learning(recovery: Recovery) -> Figure:
    """RMSE against the number of learners."""
    curve = recovery.curve
    kinds = [kind for kind in curve.rmse if kind != "thresholds"]
    figure, places = panels(1, len(kinds), 3.6 * len(kinds), 3.2)
    for axes, kind in zip(places, kinds, strict=True):
        sizes = curve.learners.astype(np.float64)
        values = np.array([each.value for each in curve.rmse[kind]])
        errors = 2.0 * np.nan_to_num(np.array([each.error for each in curve.rmse[kind]]))
        errors = np.minimum(errors, 0.9 * np.nan_to_num(values))
        if kind in curve.expected:
            ends = np.array([0.7 * sizes[0], 1.4 * sizes[-1]])
            axes.plot(ends, curve.expected[kind] / np.sqrt(ends), color=GREY, linewidth=1.0, label="expected")
        axes.errorbar(sizes, values, yerr=errors, fmt="o", markersize=4, color=BLUE, label="measured")
        axes.set(xlabel="learners", ylabel="RMSE", xscale="log", yscale="log", title=kind)
        axes.set_xticks(sizes, [f"{size:,.0f}" for size in sizes], rotation=45)
        _plain(axes.yaxis)
        axes.xaxis.set_minor_locator(NullLocator())
        axes.legend(loc="best")
    return figure


def _by_kind(recovery: Recovery, draw: Callable[[Axes, Bools], None]) -> Figure:
    cells = cells_of(recovery.plan.truth)
    kinds = [kind for kind in recovery.figures.kinds if kind != "thresholds"]
    figure, places = panels(1, len(kinds), 3.4 * len(kinds), 3.2)
    for axes, kind in zip(places, kinds, strict=True):
        draw(axes, cells[kind] & (recovery.figures.items.used > 0))
        axes.set_title(kind)
    return figure


def _plain(axis: Axis) -> None:
    """Few ticks, written as plain numbers, on a logarithmic axis."""
    axis.set_major_locator(LogLocator(10.0, (1.0, 2.0, 5.0)))
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axis.set_minor_locator(NullLocator())


def _diagonal(axes: Axes, values: Floats) -> None:
    known = values[np.isfinite(values)]
    if known.size:
        ends = [float(known.min()), float(known.max())]
        axes.plot(ends, ends, color=GREY, linewidth=0.8)
