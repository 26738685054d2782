"""Case A side by side with published packages, in one run: 500 x 2PL, 30 items, maximum information, EAP.

Each is skipped, with a word, where the package is not installed: ``python -m pip install catsim mirt``.
``extra_info`` says how many tests a second the best round makes, on one core.
"""

import numpy as np
import pytest

from engine.adaptive import Design
from engine.grid import Grid
from engine.parameters import ItemParameters
from engine.stopping import MaxLength
from engine.table import build_table
from simulations.learners import given
from simulations.run import simulate

LENGTH = 30


@pytest.fixture(scope="module")
def bank():
    """Return discriminations and difficulties of 500 items."""
    rng = np.random.default_rng(1)
    return rng.lognormal(0.2, 0.3, 500), rng.normal(0.0, 1.2, 500)


def abilities(count):
    """Return true abilities of a standard normal population."""
    return np.random.default_rng(2).normal(size=count)


def timed(benchmark, function, count):
    """Time three rounds after a warm-up."""
    benchmark.pedantic(function, rounds=3, warmup_rounds=1)
    benchmark.extra_info["tests a second"] = round(count / benchmark.stats.stats.min)


def test_jalon(benchmark, bank):
    """Ours, at full precision."""
    design = Design(grid=Grid(-4.0, 4.0, 61), stop=MaxLength(LENGTH))
    table = build_table(ItemParameters.of("2PL", *bank), design)
    learners = given(abilities(4000), seed=1)
    timed(benchmark, lambda: simulate(design, table, learners), 4000)


def test_mirt_of_pypi(benchmark, bank):
    """Rust behind Python, the fastest published package that we know."""
    mirt = pytest.importorskip("mirt", reason="the package mirt of PyPI is not installed")
    models = pytest.importorskip("mirt.models", reason="the package mirt of PyPI is not installed")
    model = models.TwoParameterLogistic(n_items=500)
    model.set_parameters(discrimination=bank[0], difficulty=bank[1])
    model._is_fitted = True
    engine = mirt.CATEngine(
        model, item_selection="MFI", stopping_rule=mirt.cat.MaxItemsStop(LENGTH), max_items=LENGTH, n_quadpts=61, seed=1
    )
    timed(benchmark, lambda: engine.run_batch_simulation(abilities(1000)), 1000)


def test_catsim(benchmark, bank):
    """One examinee at a time, in Python."""
    simulation = pytest.importorskip("catsim.simulation", reason="the package catsim is not installed")
    from catsim.estimation import NumericalSearchEstimator
    from catsim.initialization import FixedPointInitializer
    from catsim.item_bank import ItemBank
    from catsim.selection import MaxInfoSelector
    from catsim.stopping import TestLengthStopper

    items = np.column_stack([*bank, np.zeros(500), np.ones(500)])

    def run():
        simulation.Simulator(ItemBank(items), abilities(20), seed=1).simulate(
            FixedPointInitializer(0.0),
            MaxInfoSelector(),
            NumericalSearchEstimator(),
            TestLengthStopper(max_items=LENGTH),
        )

    timed(benchmark, run, 20)
