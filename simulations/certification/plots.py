"""Figures of a simulated certification."""

import numpy as np
from matplotlib.figure import Figure

from engine.validation import Status
from simulations.certification.results import Certification
from simulations.drawing import BLUE, GREEN, GREY, ORANGE, panels


def fates(result: Certification) -> Figure:
    """Draw what becomes of the competences: shares confirmed, lowered and not certified, by true level."""
    figure, (axes,) = panels(1, 1, 7.0, 3.2)
    rows = [row for row in result.figures()["by_true_level"] if row["cases"]]
    levels, bottom = [row["true_level"] for row in rows], np.zeros(len(rows))
    for name, colour in (("confirmed", GREEN), ("lowered", BLUE), ("not_certified", ORANGE)):
        height = np.array([row[f"{name}_rate"] for row in rows])
        axes.bar(levels, height, bottom=bottom, color=colour, label=name.replace("_", " "), width=0.8)
        bottom += height
    axes.set(xlabel="true level", ylabel="share of the cases", ylim=(0, 1), xticks=levels)
    axes.legend(loc="center left", bbox_to_anchor=(1.0, 0.5))
    return figure


def levels(result: Certification) -> Figure:
    """Profile's level and certified level against the true level, as shares of the true level's cases."""
    figure, both = panels(1, 2, 8.5, 3.8)
    tests, sat = result.found.tests, result.found.sat
    examined = tests.status != Status.NOT_EXAMINED
    true, profile = result.true_levels[sat][examined], result.found.levels[sat][examined]
    count = int(max(true.max(initial=0), profile.max(initial=0))) + 1
    for axes, told, words in zip(both, (profile, tests.level[examined]), ("profile", "certified"), strict=True):
        cells = np.bincount(true * count + told, minlength=count * count).reshape(count, count)
        shares = cells / np.maximum(cells.sum(axis=1, keepdims=True), 1)
        axes.imshow(shares.T, origin="lower", cmap="Blues", vmin=0.0, vmax=1.0)
        axes.plot([-0.5, count - 0.5], [-0.5, count - 0.5], color=GREY, linewidth=0.8)
        axes.set(xlabel="true level", ylabel=f"{words} level", title=words)
    return figure


def exposure(result: Certification) -> Figure:
    """Exposure of the items, most asked first, and time used by the candidates."""
    figure, (rates, minutes) = panels(1, 2, 8.5, 3.2)
    ordered = np.sort(result.exposure)[::-1]
    rates.step(np.arange(1, ordered.size + 1), ordered, where="mid", color=BLUE)
    rates.axhline(result.test.rules.share, color=GREY, linewidth=0.8, linestyle="--")
    rates.set(xlabel="items, most asked first", ylabel="share of candidates", ylim=(0, None), title="Exposure")
    used = result.found.tests.used / 60.0
    minutes.hist(used, bins=np.linspace(0, result.test.seconds / 60.0, 31).tolist(), color=BLUE)
    minutes.set(xlabel="minutes", ylabel="candidates", title="Time used")
    return figure
