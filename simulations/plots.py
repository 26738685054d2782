"""Figures of a simulation."""

from collections.abc import Callable
from typing import Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from simulations.drawing import BLUE, GREEN, GREY, ORANGE, panels
from simulations.simulation import Simulation

FEWEST: Final = 10
"""Bins with fewer simulees than this are not drawn."""
SHOWN: Final = 2000
"""Dots of a scatter."""


def conditional(simulation: Simulation) -> Figure:
    """Bias, RMSE and posterior sd by true ability, and coverage beside them."""
    figure, (errors, coverage) = panels(1, 2, 8.5, 3.2)
    bins = simulation.measures.conditional
    drawn = bins.count >= FEWEST
    ability = bins.ability[drawn]
    errors.axhline(0.0, color=GREY, linewidth=0.8)
    errors.plot(ability, bins.rmse[drawn], color=BLUE, marker="o", markersize=3, label="RMSE")
    errors.plot(ability, bins.mean_se[drawn], color=GREEN, marker="s", markersize=3, linestyle="--", label="mean sd")
    errors.plot(ability, bins.bias[drawn], color=ORANGE, marker="^", markersize=3, linestyle=":", label="bias")
    errors.set(xlabel="true ability", ylabel="standard deviations", title="Error of the estimate")
    errors.legend(loc="best")
    coverage.axhline(0.95, color=GREY, linewidth=0.8)
    coverage.plot(ability, bins.coverage_95[drawn], color=BLUE, marker="o", markersize=3)
    coverage.set(xlabel="true ability", ylabel="share", ylim=(0.5, 1.02), title="Truth inside the 95 % interval")
    return figure


def recovery(simulation: Simulation) -> Figure:
    """Estimates against true abilities, one panel for each competence in scope."""
    result = simulation.result
    some = slice(None, None, -(-len(result) // SHOWN))

    def draw(axes: Axes, place: int) -> None:
        true, found = result.abilities[some, place], result.mean[some, place]
        axes.plot([-4, 4], [-4, 4], color=GREY, linewidth=0.8)
        axes.plot(true, found, linestyle="none", marker=".", markersize=2, alpha=0.4, color=BLUE, rasterized=True)
        axes.set(xlim=(-4, 4), ylim=(-4, 4), aspect="equal")

    return _by_competence(simulation, draw, "true ability", "estimate")


def exposure(simulation: Simulation) -> Figure:
    """Exposure of the items, sorted, and by competence when there are several."""
    many = len(simulation.measures.scope) > 1
    figure, axes = panels(1, 2 if many else 1, 8.5 if many else 4.5, 3.2)
    rates = np.sort(simulation.measures.exposure)[::-1]
    axes[0].step(np.arange(1, rates.size + 1), rates, where="mid", color=BLUE)
    axes[0].set(xlabel="items, most asked first", ylabel="share of simulees asked", ylim=(0, None), title="All items")
    if many:
        scope = simulation.measures.scope
        rows = [simulation.measures.exposure[simulation.table.competence == place] for place in scope]
        at = np.arange(len(scope))
        axes[1].bar(at, [row.max(initial=0.0) for row in rows], color=BLUE, label="most asked item")
        axes[1].plot(
            at,
            [row.mean() if row.size else 0.0 for row in rows],
            color=ORANGE,
            linestyle="none",
            marker="D",
            markersize=4,
            label="mean of the items",
        )
        axes[1].set_xticks(at, [simulation.competences[place] for place in scope], rotation=60)
        axes[1].set(title="By competence", ylim=(0, 1.35 * rates[0]))
        axes[1].legend(loc="upper center", ncols=2)
    return figure


def lengths(simulation: Simulation) -> Figure:
    """How many simulees get a test of each length."""
    figure, (axes,) = panels(1, 1, 4.5, 3.0)
    counts = np.bincount(simulation.result.length)
    at = np.arange(counts.size)
    axes.bar(at, counts, color=BLUE, width=0.9)
    axes.set(xlabel="items asked", ylabel="simulees", xlim=(simulation.result.length.min() - 1, counts.size))
    return figure


def confusion(simulation: Simulation) -> Figure:
    """Level found against true level, one panel for each competence in scope; each true level sums to 1."""

    def draw(axes: Axes, place: int) -> None:
        counts = simulation.measures.confusion[place]
        share = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
        axes.imshow(share.T, origin="lower", cmap="Blues", vmin=0.0, vmax=1.0)
        axes.set_xticks(range(0, counts.shape[0], 2))
        axes.set_yticks(range(0, counts.shape[0], 2))
        axes.plot([0, counts.shape[0] - 1], [0, counts.shape[0] - 1], color=ORANGE, linewidth=0.8)

    return _by_competence(simulation, draw, "true level", "level found")


def _by_competence(simulation: Simulation, draw: Callable[[Axes, int], None], across: str, up: str) -> Figure:
    scope = simulation.measures.scope
    columns = min(4, len(scope))
    rows = -(-len(scope) // columns)
    side = 4.0 if len(scope) == 1 else 2.1
    figure, places = panels(rows, columns, side * columns + 0.4, side * rows + 0.4)
    for axes, place in zip(places, scope, strict=False):
        draw(axes, place)
        if len(scope) > 1:
            axes.set_title(simulation.competences[place])
    for axes in places[len(scope) :]:
        axes.set_axis_off()
    figure.supxlabel(across, fontsize=9)
    figure.supylabel(up, fontsize=9)
    return figure
