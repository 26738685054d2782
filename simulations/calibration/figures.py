"""Figures of the report of a calibration."""

from typing import Final

import numpy as np
from matplotlib.figure import Figure

from engine.arrays import Floats, Ints
from engine.models import log_probability
from simulations.calibration.fit import Fit
from simulations.calibration.study import Study
from simulations.drawing import BLUE, GREEN, GREY, ORANGE, panels

THETA: Final = np.linspace(-4.0, 4.0, 121)
COLUMNS: Final = 4
FEWEST: Final = 5
"""Bins with fewer answers than this are not drawn."""


def curves(study: Study, fit: Fit, order: Ints, ids: tuple[str, ...]) -> Figure:
    """Characteristic curves of some items over the proportions observed, as shares of the highest category."""
    rows = -(-order.size // COLUMNS)
    figure, places = panels(rows, COLUMNS, 8.6, 1.75 * rows + 0.3)
    expected = _expected(fit, order)
    highest = fit.parameters.categories[order] - 1
    for axes, at, curve, top in zip(places, order.tolist(), expected, highest.tolist(), strict=False):
        answers = fit.observed.answers[at]
        drawn = answers >= FEWEST
        share = fit.observed.score[at][drawn] / top
        reach = 1.96 * np.sqrt(np.maximum(share * (1.0 - share), 0.0) / np.maximum(answers[drawn], 1))
        axes.plot(THETA, curve / top, color=BLUE, linewidth=1.2)
        axes.errorbar(
            fit.observed.ability[drawn], share, yerr=reach, color=ORANGE, linestyle="none", marker=".", elinewidth=0.7
        )
        axes.set(xlim=(-4, 4), ylim=(-0.03, 1.03), title=ids[fit.rows[at]])
        axes.set_xticks([-4, -2, 0, 2, 4])
    for axes in places[order.size :]:
        axes.set_axis_off()
    figure.supxlabel("ability", fontsize=9)
    figure.supylabel("share of the highest category", fontsize=9)
    return figure


def information(fits: list[tuple[str, Fit]]) -> Figure:
    """Test information and the standard error that it allows."""
    figure, (left, right) = panels(1, 2, 8.6, 3.2)
    for code, fit in fits:
        left.plot(fit.information.nodes, fit.information.information, linewidth=1.1, label=code)
        right.plot(fit.information.nodes, fit.information.se, linewidth=1.1, label=code)
    left.set(xlabel="ability", ylabel="information", ylim=(0, None), title="All items together")
    right.set(xlabel="ability", ylabel="standard error", ylim=(0, 2), title="1 / sqrt(information)")
    if 1 < len(fits) <= 16:
        left.legend(fontsize=6, ncols=2)
    return figure


def wright(fits: list[tuple[str, Fit]]) -> Figure:
    """Wright map: where the learners are, and where the items are."""
    figure, places = panels(1, len(fits), max(3.2, min(1.6 * len(fits), 14.0)), 4.4)
    for axes, (code, fit) in zip(places, fits, strict=True):
        counts, edges = np.histogram(np.clip(fit.ability, -4, 4), bins=24, range=(-4, 4))
        share = counts / max(counts.max(), 1)
        axes.barh(0.5 * (edges[:-1] + edges[1:]), -share, height=0.3, color=GREEN)
        places_of = _locations(fit)
        spot = np.clip(places_of, -4, 4)
        order = np.argsort(spot, kind="stable")
        bins = np.floor(spot[order] / 0.2)
        _, first, together = np.unique(bins, return_index=True, return_counts=True)
        offset = np.arange(spot.size) - np.repeat(first, together)
        axes.plot(
            (1 + offset) / max(together.max(), 1), spot[order], linestyle="none", marker="s", markersize=3, color=BLUE
        )
        axes.axvline(0.0, color=GREY, linewidth=0.8)
        axes.set(ylim=(-4.2, 4.2), xlim=(-1.1, 1.1), title=code)
        axes.set_xticks([-0.5, 0.5], ["learners", "items"], fontsize=7)
    places[0].set_ylabel("ability and difficulty")
    return figure


def errors(study: Study) -> Figure:
    """Plot standard errors against what they are the errors of."""
    found = study.calibration
    figure, (left, right) = panels(1, 2, 8.6, 3.0)
    for axes, name in ((left, "discrimination"), (right, "difficulty")):
        value, error = getattr(found.parameters, name), getattr(found.errors, name)
        known = np.isfinite(error)
        axes.plot(value[known], error[known], linestyle="none", marker=".", color=BLUE)
        axes.set(xlabel=name, ylabel="standard error", ylim=(0, None))
    return figure


def _expected(fit: Fit, order: Ints) -> Floats:
    """Expect a category along the scale, (n, 121)."""
    p = np.exp(log_probability(fit.parameters.take(order), THETA))
    return np.asarray(np.sum(p * np.arange(p.shape[1])[:, None], axis=1))


def _locations(fit: Fit) -> Floats:
    """Difficulties, and every threshold of a polytomous item."""
    steps = fit.parameters.thresholds[np.isfinite(fit.parameters.thresholds)]
    plain = ~np.isfinite(fit.parameters.thresholds).any(axis=1) if fit.parameters.thresholds.size else slice(None)
    return np.concatenate([fit.parameters.difficulty[plain], steps])
