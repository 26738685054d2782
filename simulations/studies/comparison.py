"""Run several tests on the same simulees and set their figures side by side."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rich.console import Console
from rich.table import Table as Grid

from engine.adaptive import Design
from engine.table import Table
from simulations.behaviours import Behaviour, ModelTrue
from simulations.learners import Learners
from simulations.measures import Measures, measure
from simulations.run import Result, simulate


@dataclass(frozen=True)
class Row:
    """Figures of one test, by name of the figure."""

    group: str
    name: str
    figures: Mapping[str, float]


def trial(
    design: Design,
    table: Table,
    learners: Learners,
    behaviours: Sequence[Behaviour] = (ModelTrue(),),
    jobs: int = 1,
) -> tuple[Result, Measures]:
    """Simulate a test and measure it."""
    result = simulate(design, table, learners, behaviours, jobs=jobs)
    return result, measure(design, table, result)


def precision(measures: Measures) -> dict[str, float]:
    """Figures of precision that every study shows."""
    found = measures.precision
    return {
        "rmse": found.rmse,
        "bias": found.bias,
        "mean sd": found.mean_se,
        "in 90 %": found.coverage_90,
        "in 95 %": found.coverage_95,
        "level exact": found.level_exact,
        "within one": found.level_within_one,
    }


def show(title: str, rows: Sequence[Row], console: Console | None = None) -> None:
    """Print rows as a table, one section for each group."""
    columns = list(dict.fromkeys(name for row in rows for name in row.figures))
    grid = Grid(title=title, title_justify="left")
    grid.add_column("", overflow="fold")
    for column in columns:
        grid.add_column(column, justify="right")
    group = ""
    for row in rows:
        if row.group != group:
            grid.add_section()
            grid.add_row(f"[bold]{row.group}[/bold]")
            group = row.group
        cells = (f"{row.figures[column]:.3f}" if column in row.figures else "" for column in columns)
        grid.add_row(row.name, *cells)
    (console or Console(width=max(120, 14 * (len(columns) + 3)))).print(grid)
