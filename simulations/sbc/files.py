"""Files of simulation-based calibration: summary.json, ranks.csv, report.html; never half-written."""

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from itembank.csv_text import table_text
from simulations.drawing import BLUE, GREY, panels
from simulations.output import check_folder, write_files
from simulations.page import Grid, page, pictured
from simulations.readings import Reading
from simulations.sbc.study import Check, Sbc, band_of
from simulations.sbc.uniformity import BINS


def write(study: Sbc, out: Path | str) -> None:
    """Write the three files of a study into a folder, whole or not at all; summary.json comes last."""
    write_files(
        {
            "ranks.csv": ranks_text(study),
            "report.html": report(study),
            "summary.json": json.dumps(study.summary(), indent=2, allow_nan=False) + "\n",
        },
        check_folder(out),
    )


def ranks_text(study: Sbc) -> str:
    """Table of the ranks of the abilities, one row for each simulee."""
    several = len(study.truth.competences) > 1
    header = ["learner", *(f"rank_{code}" if several else "rank" for code in study.truth.competences)]
    return table_text(header, ((row, *(f"{x:.6f}" for x in ranks)) for row, ranks in enumerate(study.ranks, 1)))


def report(study: Sbc) -> str:
    """HTML page of a study; no script, nothing fetched from anywhere."""
    return page(
        title="Simulation-based calibration",
        opening=f"{study.ranks.shape[0]:,} simulated learners, drawn from the population, took a test. The rank of a "
        "true ability is the probability that the belief at the end of the test puts below it. Where beliefs are "
        "right, ranks are uniform.",
        notes=_notes(study),
        figures=list(_readings(study)),
        pictures=pictured(
            [
                (
                    "Ranks against uniform ranks",
                    differences(study),
                    "Share of the ranks at or below each value, less that value. Uniform ranks stay inside the grey "
                    "band in 95 % of the cases. A rise, then a fall below 0: too many ranks at the ends, beliefs too "
                    "narrow. A fall, then a rise above 0: too many in the middle, beliefs too wide.",
                ),
                (
                    "How ranks are spread",
                    histograms(study),
                    f"Ranks in {BINS} bins; the line is what uniform ranks give. Two high ends: beliefs too narrow; a "
                    "hump: too wide; a slope: leaning to one side.",
                ),
            ]
        ),
        tables=[_table(study)],
        particulars=[
            ("Items", study.truth.origin),
            ("Seed", str(study.seed)),
            ("Score", repr(study.design.score)),
            ("Pick", repr(study.design.pick)),
            ("Stop", repr(study.design.stop)),
            ("Grid", repr(study.design.grid)),
            ("Calibrations", f"{study.replications:,} of {study.sample:,} learners" if study.replications else "none"),
            ("Time", f"{study.seconds:.1f} s"),
        ],
    )


def _notes(study: Sbc) -> list[str]:
    if not study.replications:
        return []
    return [
        "For item parameters, the rank is that of the true value under a normal distribution about the estimate, with "
        "its standard error; one parameter, drawn at random, of each calibration that converged."
    ]


def _readings(study: Sbc) -> Iterator[Reading]:
    smallest = study.smallest_p
    words = (
        "Some ranks are not uniform: look at the pictures to see how beliefs are wrong."
        if smallest < 0.01
        else "Nothing speaks against uniform ranks."
    )
    yield Reading("Smallest p", f"{smallest:.3f}", f"Of all tests below, times their number. {words}")
    inside = sum(check.uniformity.inside for check in study.checks)
    yield Reading("Inside the band", f"{inside} of {len(study.checks)}", "One in twenty leaves it by chance.")


def differences(study: Sbc) -> Figure:
    """Empirical distribution less the uniform one, with its band, for each check."""
    figure, places = _panels(study.checks)
    for axes, check in zip(places, study.checks, strict=False):
        count = check.ranks.size
        band = band_of(count)
        points = np.concatenate([[0.0], band.points, [1.0]])
        lower, upper = (np.concatenate([[0.0], ends / count, [1.0]]) - points for ends in (band.lower, band.upper))
        axes.fill_between(points, lower, upper, color=GREY, alpha=0.25, linewidth=0.0)
        at = np.linspace(0.0, 1.0, 401)
        below = np.searchsorted(np.sort(check.ranks), at, side="right") / count
        axes.plot(at, below - at, color=BLUE, linewidth=1.0)
        axes.set_title(check.name)
    figure.supxlabel("rank", fontsize=9)
    figure.supylabel("difference", fontsize=9)
    return figure


def histograms(study: Sbc) -> Figure:
    """Draw the counts of ranks in bins, for each check."""
    figure, places = _panels(study.checks)
    for axes, check in zip(places, study.checks, strict=False):
        counts = np.histogram(check.ranks, bins=BINS, range=(0.0, 1.0))[0]
        axes.bar((np.arange(BINS) + 0.5) / BINS, counts, width=0.9 / BINS, color=BLUE)
        axes.axhline(check.ranks.size / BINS, color=GREY, linewidth=0.8)
        axes.set_title(check.name)
    figure.supxlabel("rank", fontsize=9)
    figure.supylabel("ranks", fontsize=9)
    return figure


def _panels(checks: tuple[Check, ...]) -> tuple[Figure, list[Axes]]:
    columns = min(4, len(checks))
    rows = -(-len(checks) // columns)
    figure, places = panels(rows, columns, max(4.5, 2.3 * columns), 1.9 * rows + 0.6)
    for axes in places[len(checks) :]:
        axes.set_axis_off()
    return figure, places


def _table(study: Sbc) -> Grid:
    rows = [
        (
            check.name,
            f"{check.uniformity.ranks:,}",
            f"{check.ranks.mean():.3f}",
            f"{check.uniformity.ks:.4f}",
            f"{check.uniformity.ks_p:.3f}",
            f"{check.uniformity.chi_square:.1f}",
            f"{check.uniformity.chi_square_p:.3f}",
            "yes" if check.uniformity.inside else "no",
        )
        for check in study.checks
    ]
    columns = ("Ranks of", "Count", "Mean", "KS distance", "p", f"Chi-square, {BINS} bins", "p", "Inside the band")
    return Grid("Tests of uniformity", "Small p: the ranks are not uniform.", columns, rows)
