"""What does benevolence cost, and what does it buy? The served positioning, one rule of comfort at a time.

Simulees skip half of what they do not know, so that the rule about skips has something to do.
"""

from dataclasses import replace
from typing import Final

from engine.adaptive import Design
from engine.filters import EasierAfterSkip, FairChance, Prefer
from engine.responses import NONE, SKIPPED
from engine.table import Table
from itembank.positioning import LONGEST, positioning_design
from simulations.behaviours import ModelTrue, Skipping
from simulations.learners import Learners, draw
from simulations.run import Result
from simulations.studies.banks import StudyBank, made_up, shipped
from simulations.studies.comparison import Row, precision, show, trial

BEHAVIOURS: Final = (ModelTrue(), Skipping())
MORE: Final = 12
"""Items that the served test is lengthened by at most."""


def main(learners: int = 2000, seed: int = 1, jobs: int = 1) -> list[Row]:
    """Print the table and return its rows."""
    rows = [row for bank in (shipped(), made_up()) for row in _compare(bank, learners, seed, jobs)]
    show(f"Price of benevolence, {learners} simulees who skip half of what they do not know", rows)
    return rows


def comfort(table: Table, result: Result) -> dict[str, float]:
    """Tell what a test feels like.

    Returns
    -------
    dict
        Share of questions with full credit, in the whole test and among the first two; share of the questions after a
        skip that are easier than the skipped one, and by how much on average; share of the tests with fewer than four
        successes in ten questions.
    """
    items, responses = result.items, result.responses
    asked = items != NONE
    right = (responses == table.categories_of[items] - 1) & asked
    skipped = (responses[:, :-1] == SKIPPED) & asked[:, 1:]
    difficulty = table.parameters.difficulty[items]
    drop = (difficulty[:, :-1] - difficulty[:, 1:])[skipped]
    return {
        "success": float(right.sum() / asked.sum()),
        "first two": float(right[:, :2].mean()),
        "easier after skip": float((drop > 0).mean()) if drop.size else float("nan"),
        "drop after skip": float(drop.mean()) if drop.size else float("nan"),
        "under 4 in 10": float((right.sum(axis=1) < 0.4 * result.length).mean()),
    }


def _compare(bank: StudyBank, learners: int, seed: int, jobs: int) -> list[Row]:
    simulees = draw(bank.tree, learners, seed)
    served = positioning_design(bank.framework)
    variants: list[tuple[str, Design]] = [
        ("no benevolence", _without(served, FairChance, EasierAfterSkip)),
        ("easier after a skip", _without(served, FairChance)),
        ("fair chance", _without(served, EasierAfterSkip)),
        ("both, as served", served),
    ]
    rows: list[Row] = []
    for name, design in variants:
        table = bank.table(design)
        result, measures = trial(design, table, simulees, BEHAVIOURS, jobs)
        figures = precision(measures)
        if rows:
            figures["change"] = figures["rmse"] / rows[0].figures["rmse"] - 1.0
        rows.append(Row(bank.name, name, figures | comfort(table, result)))
    return [*rows, _as_precise(bank, simulees, rows[0], jobs)]


def _as_precise(bank: StudyBank, simulees: Learners, reference: Row, jobs: int) -> Row:
    """Price in length: the served test made longer until it is as precise as the one without benevolence."""
    for length in range(LONGEST + 2, LONGEST + MORE + 1, 2):
        design = positioning_design(bank.framework, length=length)
        table = bank.table(design)
        result, measures = trial(design, table, simulees, BEHAVIOURS, jobs)
        change = measures.precision.rmse / reference.figures["rmse"] - 1.0
        row = Row(bank.name, f"both, {length} items", precision(measures) | {"change": change} | comfort(table, result))
        if change <= 0:
            break
    return row


def _without(design: Design, *kinds: type) -> Design:
    return replace(
        design,
        filters=tuple(
            rule for rule in design.filters if not (isinstance(rule, Prefer) and isinstance(rule.filter, kinds))
        ),
    )
