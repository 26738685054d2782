"""What does the latent tree gain? The same items asked of the same simulees, with the tree and without.

Both tests ask as many items of every competence at most, by expected reduction of posterior variance, without any rule
of benevolence. Abilities follow the tree. A third test without the tree shows the length at which it catches up.
"""

from collections.abc import Sequence
from dataclasses import replace

from engine.adaptive import Design
from engine.filters import Quotas
from engine.latent import Independent
from engine.scores import VarianceReduction
from engine.stopping import MaxLength
from simulations.learners import draw
from simulations.studies.banks import StudyBank, made_up, shipped
from simulations.studies.comparison import Row, precision, show, trial

LENGTH = 32
LONGER = (48, 64, 96)


def main(learners: int = 2000, seed: int = 1, jobs: int = 1) -> list[Row]:
    """Print the table and return its rows."""
    rows = [row for bank in (made_up(), shipped()) for row in compare(bank, learners, seed, jobs)]
    show(f"Tree against independent competences, {learners} simulees", rows)
    return rows


def compare(bank: StudyBank, learners: int, seed: int, jobs: int = 1, longer: Sequence[int] = LONGER) -> list[Row]:
    """Rows of one bank: without the tree, with it, and without it at each of the ``longer`` lengths."""
    simulees = draw(bank.tree, learners, seed)
    competences = len(bank.framework.codes)
    rows = []

    def ask(name: str, design: Design, reference: float | None = None) -> float:
        _, measures = trial(design, bank.table(design), simulees, jobs=jobs)
        gain = {} if reference is None else {"change": measures.precision.rmse / reference - 1.0}
        rows.append(Row(bank.name, name, precision(measures) | gain))
        return measures.precision.rmse

    plain = _design(LENGTH, competences)
    alone = ask(f"independent, {LENGTH} items", plain)
    ask(f"tree, {LENGTH} items", replace(plain, latent=bank.tree), alone)
    for length in longer:
        ask(f"independent, {length} items", _design(length, competences), alone)
    return rows


def _design(length: int, competences: int) -> Design:
    share = length // competences
    return Design(
        score=VarianceReduction(),
        filters=(Quotas((max(1, share - 1),) * competences, (share + 1,) * competences, length),),
        stop=MaxLength(length),
        latent=Independent(competences),
    )
