from dataclasses import replace

import numpy as np
import pytest

from engine.latent import Independent, LatentTree
from itembank.certification import load_certification
from itembank.files import shipped_bank
from itembank.snapshot import Snapshot
from simulations.studies import certification_comparison, certification_exposure

RULES = replace(load_certification(), each=2, longest=16, least=1, least_answered=1, most=3)


def test_the_rivals_believe_in_one_ability_and_in_unrelated_ones():
    arms = certification_comparison.arms(load_certification(), Snapshot.of(shipped_bank()))
    served, remembering, sure, few, pooled, three, alone = arms
    assert remembering.test is served.test is sure.test
    assert isinstance(served.test.design.latent, LatentTree)
    assert (pooled.test.design.latent, alone.test.design.latent) == (Independent(1), Independent(16))
    assert few.test.design.assembly.longest == 32
    assert (three.test.design.assembly.least, three.test.design.assembly.most) == (3, 3)
    # The same items and times for all; only what they are taken to measure differs.
    assert np.array_equal(pooled.test.table.parameters.difficulty, served.test.table.parameters.difficulty)
    assert np.array_equal(pooled.test.table.topic, served.test.table.topic)
    assert np.array_equal(pooled.test.table.time_intensity, served.test.table.time_intensity)


def test_the_comparison_puts_the_same_simulees_through_every_test():
    rows = certification_comparison.compare(RULES, learners=30, seed=3, kinds=("honest",))
    found = {row.name: row.figures for row in rows}
    assert len(found) == 7
    served, both, sure = rows[0].figures, rows[1].figures, rows[2].figures
    assert both["rmse"] < served["rmse"]
    assert both["wrong low."] < served["wrong low."]
    assert sure["wrong conf."] < served["wrong conf."]
    assert sure["wrong low."] > served["wrong low."]
    assert found["one ability, 32 items"]["items"] == pytest.approx(32, abs=1)
    assert found["each on its own, 3 items each"]["items"] > 3 * 12
    assert found["tree, 3 items each"]["rmse"] < found["each on its own, 3 items each"]["rmse"]
    for figures in found.values():
        assert 0 <= figures["wrong conf."] <= 1
        assert figures["by two"] <= figures["wrong conf."]
        assert figures["low. by two"] <= figures["wrong low."]


def test_holding_items_back_limits_exposure_and_costs_precision():
    free, held = certification_exposure.costs(RULES, (1.0, 0.25), learners=60, seed=3)
    assert held.figures["max exposure"] < 0.25 + 3.5 * np.sqrt(0.25 * 0.75 / 60)
    assert held.figures["overlap"] < 0.8 * free.figures["overlap"]
    assert held.figures["rmse"] > free.figures["rmse"]


def test_what_a_pool_lacks_is_counted_by_topic():
    assert certification_exposure.lacking(np.array([3, 4, 6]), 0.25, 0.0) == 1
    assert certification_exposure.lacking(np.array([3, 4, 6]), 0.25, 0.5) == 3
    assert certification_exposure.lacking(np.array([3, 4, 6]), 1.0, 0.0) == 0
    rows = certification_exposure.pools(RULES, ("blind",), learners=30, seed=3)
    snapshot = Snapshot.of(shipped_bank())
    expected = np.bincount(snapshot.competence[snapshot.allowed(["blind"])])
    assert [row.figures["items"] for row in rows] == expected.tolist()
    assert {row.group for row in rows} == {"blind"}
