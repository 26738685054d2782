"""The report of a simulation: one page that needs nothing else, for a person to read."""

from typing import Final

import numpy as np

from engine.designs import content_hash
from simulations import plots
from simulations.page import Grid, Picture, page, pictured
from simulations.readings import number, readings, share
from simulations.simulation import Simulation

MOST_ASKED: Final = 10


def report(simulation: Simulation) -> str:
    """HTML page of a simulation; no script, nothing fetched from anywhere."""
    result = simulation.result
    return page(
        title=simulation.title,
        opening=f"{len(result):,} simulated learners took this test; their true abilities are known, so what the test "
        f"found can be held against the truth. Abilities are in standard deviations of the reference population. "
        f"Intervals are central intervals of the posterior.",
        notes=simulation.notes,
        figures=readings(simulation),
        pictures=_pictures(simulation),
        tables=_tables(simulation),
        particulars=_particulars(simulation),
    )


def _pictures(simulation: Simulation) -> list[Picture]:
    precision, use = simulation.measures.precision, simulation.measures.use
    found = [
        (
            "Precision along the scale",
            plots.conditional(simulation),
            "Bias, RMSE and mean posterior sd by true ability, and the share of true abilities inside the 95 % "
            "interval. A short test draws its estimates towards the middle, hence the slope of the bias: intervals "
            "hold over the population, not at every ability. The table further down has the numbers. Bins of fewer "
            "than ten are left out.",
        ),
        (
            "Truth and estimate",
            plots.recovery(simulation),
            "Each dot is a simulee; on the line, the estimate is the truth. The correlation is "
            f"{number(precision.correlation)}.",
        ),
        (
            "How often items are asked",
            plots.exposure(simulation),
            f"The most asked item goes to {share(use.max_exposure)} of the simulees; "
            f"{share(use.pool_used)} of the items are asked at all.",
        ),
    ]
    if np.ptp(simulation.result.length) > 0:
        found.append(
            (
                "Length of the tests",
                plots.lengths(simulation),
                f"How many simulees got a test of each length; {number(use.mean_length)} items on average.",
            )
        )
    if simulation.result.levels.shape[-1] > 1:
        found.append(
            (
                "Levels",
                plots.confusion(simulation),
                "Level found (upwards) for each true level (to the right); the darker, the more of the simulees of "
                f"that true level. On the line, the level is right: {share(precision.level_exact)} of the cases, and "
                f"{share(precision.level_within_one)} are at most one off.",
            )
        )
    return pictured(found)


def _tables(simulation: Simulation) -> list[Grid]:
    tables = [_along_the_scale(simulation), _most_asked(simulation), _ends(simulation)]
    if len(simulation.competences) > 1:
        tables.insert(0, _competences(simulation))
    return tables


def _competences(simulation: Simulation) -> Grid:
    rows = []
    for place in simulation.measures.scope:
        precision, use = simulation.measures.by_competence[place]
        rows.append(
            (
                simulation.competences[place],
                *map(number, (precision.bias, precision.rmse, precision.mean_se, precision.correlation)),
                *map(share, (precision.coverage_90, precision.coverage_95)),
                *map(share, (precision.level_exact, precision.level_within_one)),
                number(use.mean_length),
                *map(share, (use.success, use.max_exposure, use.mean_overlap)),
            )
        )
    columns = (
        *("Competence", "Bias", "RMSE", "Mean sd", "Correlation", "In 90 %", "In 95 %", "Level exact", "Within one"),
        *("Items", "Success", "Largest exposure", "Overlap"),
    )
    return Grid("By competence", "The same figures for each competence in scope.", columns, rows)


def _along_the_scale(simulation: Simulation) -> Grid:
    bins = simulation.measures.conditional
    rows = [
        (
            number(float(bins.ability[place])),
            f"{bins.count[place]:,}",
            *(number(float(column[place])) for column in (bins.bias, bins.rmse, bins.mean_se)),
            share(float(bins.coverage_95[place])),
        )
        for place in np.flatnonzero(bins.count).tolist()
    ]
    columns = ("Mean true ability", "Cases", "Bias", "RMSE", "Mean sd", "In 95 %")
    return Grid("Along the scale", "Precision by true ability, all competences in scope together.", columns, rows)


def _most_asked(simulation: Simulation) -> Grid:
    exposure, parameters = simulation.measures.exposure, simulation.table.parameters
    rows = [
        (
            simulation.items[row],
            simulation.competences[simulation.table.competence[row]],
            number(float(parameters.difficulty[row])),
            number(float(parameters.discrimination[row])),
            share(float(exposure[row])),
        )
        for row in np.argsort(-exposure, kind="stable")[:MOST_ASKED].tolist()
    ]
    columns = ("Item", "Competence", "Difficulty", "Discrimination", "Exposure")
    return Grid("Most asked items", "items.csv has all of them.", columns, rows)


def _ends(simulation: Simulation) -> Grid:
    rows = [(name.replace("_", " "), f"{count:,}") for name, count in simulation.reasons.items()]
    return Grid("Why the tests ended", "Reasons of the stopping rule.", ("Reason", "Simulees"), rows)


def _particulars(simulation: Simulation) -> list[tuple[str, str]]:
    result, design = simulation.result, simulation.design
    pick = repr(design.pick)
    return [
        ("Simulees", f"{len(result):,}, seed {simulation.seed}: {', '.join(map(repr, simulation.behaviours))}"),
        ("Items", f"{len(simulation.items):,}"),
        ("Score", repr(design.score)),
        ("Filters", ", ".join(map(repr, design.filters)) or "none beyond: no item twice"),
        ("Pick", pick if len(pick) < 200 else f"{pick[:60]}... (items.csv has the exposure parameters)"),
        ("Stop", repr(design.stop)),
        ("Skips and time-outs", f"{design.skip}, {design.time_out}"),
        ("Hash of the design", content_hash(design)),
        ("Time", f"{result.duration:.1f} s, {len(result) / result.duration:,.0f} simulees a second"),
    ]
