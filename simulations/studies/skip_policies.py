"""Which policy for skips? Three policies, under simulees who skip what they do not know and under others.

"Unknown" is right when a skip means "I do not know", "ignored" when it means nothing. The study shows what each costs
when it is wrong.

"Unknown" and "incorrect" give the same numbers on items without slips (1PL to 3PL): there, a wrong answer proves as
much as a skip that one does not know, 1 - P = (1 - c)(1 - P*). They differ for 4PL items only.
"""

from dataclasses import replace

from engine.responses import SkipPolicy
from itembank.positioning import positioning_design
from simulations.behaviours import Behaviour, ModelTrue, Skipping, SkippingAtRandom
from simulations.learners import draw
from simulations.studies.banks import StudyBank, made_up, shipped
from simulations.studies.comparison import Row, precision, show, trial

POLICIES: tuple[SkipPolicy, ...] = ("unknown", "incorrect", "ignored")
HABITS: tuple[tuple[str, tuple[Behaviour, ...]], ...] = (
    ("nobody skips", (ModelTrue(),)),
    ("half of what is not known", (ModelTrue(), Skipping(0.5))),
    ("all that is not known", (ModelTrue(), Skipping(1.0))),
    ("a fifth, at random", (ModelTrue(), SkippingAtRandom(0.2))),
)


def main(learners: int = 2000, seed: int = 1, jobs: int = 1) -> list[Row]:
    """Print the table and return its rows."""
    rows = [row for bank in (shipped(), made_up()) for row in _compare(bank, learners, seed, jobs)]
    show(f"Skip policies in the served positioning, {learners} simulees", rows)
    return rows


def _compare(bank: StudyBank, learners: int, seed: int, jobs: int) -> list[Row]:
    simulees = draw(bank.tree, learners, seed)
    served = positioning_design(bank.framework)
    rows = []
    for habit, behaviours in HABITS:
        for policy in POLICIES if len(behaviours) > 1 else POLICIES[:1]:
            design = replace(served, skip=policy)
            _, measures = trial(design, bank.table(design), simulees, behaviours, jobs)
            figures = precision(measures) | {"skipped": measures.use.skipped, "success": measures.use.success}
            rows.append(Row(f"{bank.name}: {habit}", policy, figures))
    return rows
