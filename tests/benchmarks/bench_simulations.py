"""How fast is it?

``python -m pytest tests/benchmarks -o python_files='bench_*.py' --benchmark-enable --benchmark-only``

Each case says in ``extra_info`` how many tests a second its best round makes (one core unless it says otherwise). Times
depend on the machine and on what else it does: compare with a run of before on the same machine, nothing else.
"""

import numpy as np
import pytest

from engine.adaptive import Design, begin, step
from engine.grid import Grid
from engine.parameters import ItemParameters
from engine.picks import Best, TopK
from engine.scores import InformationAtMean
from engine.stopping import AnyOf, MaxLength, PreciseEnough
from engine.table import build_table
from engine.uniform import uniform
from itembank.files import shipped_bank
from itembank.positioning import positioning_design
from itembank.snapshot import Snapshot
from simulations.learners import draw
from simulations.run import simulate


def items(count, guessing=None):
    random = np.random.default_rng(1)
    model = "2PL" if guessing is None else "3PL"
    return ItemParameters.of(
        model,
        random.lognormal(0.2, 0.3, count),
        random.normal(0.0, 1.2, count),
        guessing=None if guessing is None else np.full(count, guessing),
    )


def rate(benchmark, tests):
    """Note tests a second, of the best round."""
    if benchmark.stats is not None:
        benchmark.extra_info["tests a second"] = round(tests / benchmark.stats.stats.min)


SINGLE = {
    "A: 500 x 2PL, 30 items": (items(500), MaxLength(30), Best()),
    "B: sd 0.3 or 40 items, best 5": (items(500), AnyOf((PreciseEnough(0.3), MaxLength(40))), TopK(5)),
    "C: 1000 x 3PL, 30 items": (items(1000, 0.2), MaxLength(30), Best()),
}


@pytest.mark.parametrize("case", SINGLE)
def test_one_competence(benchmark, case):
    """Tests of one competence on 61 nodes, simulees included; target of A: 30,000 a second."""
    parameters, stop, pick = SINGLE[case]
    design = Design(score=InformationAtMean(), pick=pick, stop=stop, grid=Grid(-4.0, 4.0, 61))
    table = build_table(parameters, design)
    learners = draw(design.latent, 4000, seed=1)
    benchmark.pedantic(simulate, (design, table, learners), rounds=8, warmup_rounds=1)
    rate(benchmark, len(learners))


@pytest.fixture(scope="module")
def served():
    """Return the served positioning on the shipped bank."""
    snapshot = Snapshot.of(shipped_bank())
    design = positioning_design(snapshot.framework)
    return design, snapshot.table(design)


@pytest.mark.parametrize("jobs", [1, 2])
def test_positioning(benchmark, served, jobs):
    """Positionings over 16 competences, 48 items; target on two cores: 2,000 a second."""
    design, table = served
    learners = draw(design.latent, 1000 * jobs * jobs, seed=1)
    benchmark.pedantic(simulate, (design, table, learners), {"jobs": jobs}, rounds=5, warmup_rounds=1)
    rate(benchmark, len(learners))


@pytest.fixture(scope="module")
def halfway(served):
    """Return a live learner after 20 answers, all right."""
    design, table = served
    state, decision = begin(design, table, uniform(7, 0))
    for position in range(1, 21):
        state, decision = step(design, table, state, decision.item, 1, 40.0, uniform(7, position))
    return state, decision


def test_live_step(benchmark, served, halfway):
    """One answer of one learner, on the tree of 16 competences; target: 300 microseconds."""
    design, table = served
    state, decision = halfway
    benchmark(step, design, table, state, decision.item, 0, 35.0, 0.4)


def test_live_begin(benchmark, served):
    """First question of one learner, on the tree of 16 competences."""
    design, table = served
    benchmark(begin, design, table, 0.4)


def test_live_step_of_one_competence(benchmark):
    """One answer of one learner in a test of one competence."""
    design = Design(grid=Grid(-4.0, 4.0, 61))
    table = build_table(items(500), design)
    state, decision = begin(design, table, 0.4)
    benchmark(step, design, table, state, decision.item, 1, 35.0, 0.4)


def test_table(benchmark):
    """Prepare 500 items for a test of one competence."""
    benchmark.pedantic(build_table, (items(500), Design(grid=Grid(-4.0, 4.0, 61))), rounds=5)
