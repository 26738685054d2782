import sys
from pathlib import Path

import numpy as np
import pytest

from engine.errors import SettingError
from simulations import cluster
from simulations.cluster import results_of
from simulations.recovery.run import simulate_recovery

distributed = pytest.importorskip("distributed", reason="the extra jalon[cluster] is not installed")


def squared(base, task):
    return base + task * task


def process(shared, task):
    raise ValueError(f"task {task} went wrong")


@pytest.fixture(scope="module")
def scheduler():
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=False, dashboard_address=":0", protocol="tcp", silence_logs=50
    ) as found:
        yield found.scheduler_address


@pytest.mark.parametrize("jobs", [1, 2, 5])
def test_results_are_in_the_order_of_the_tasks(jobs):
    done = []
    assert results_of(squared, 100, range(40), jobs=jobs, advance=done.append) == [100 + t * t for t in range(40)]
    assert sum(done) == 40


def test_no_tasks_have_no_results():
    assert results_of(squared, 1, []) == []
    assert results_of(squared, 1, [], jobs=3) == []


def test_a_cluster_gives_the_same_numbers(scheduler):
    done = []
    assert results_of(squared, 5, range(30), scheduler=scheduler, advance=done.append) == [5 + t * t for t in range(30)]
    assert sum(done) == 30
    here = simulate_recovery(None, count=8, learners=200, replications=6)
    there = simulate_recovery(None, count=8, learners=200, replications=6, scheduler=scheduler)
    for one, other in zip(here.replications, there.replications, strict=True):
        assert one.seed == other.seed
        np.testing.assert_array_equal(one.estimates, other.estimates)
        np.testing.assert_array_equal(one.errors, other.errors)
    assert here.summary() | {"seconds": 0, "seconds_per_calibration": 0} == there.summary() | {
        "seconds": 0,
        "seconds_per_calibration": 0,
    }


@pytest.mark.parametrize("where", ["here", "processes", "cluster"])
def test_what_goes_wrong_in_a_task_is_told(where, scheduler):
    how = {"here": {}, "processes": {"jobs": 2}, "cluster": {"scheduler": scheduler}}[where]
    with pytest.raises(ValueError, match="went wrong"):
        results_of(process, None, range(4), **how)


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:9", "nowhere", "post://127.0.0.1:9"])
def test_a_scheduler_that_does_not_answer_is_told(address, monkeypatch, tmp_path):
    monkeypatch.setattr(cluster, "PATIENCE", 1.0)
    with pytest.raises(SettingError, match=f"No Dask scheduler answers at {address}"):
        simulate_recovery(tmp_path / "out", count=5, learners=50, replications=2, scheduler=address)
    assert not list(Path(tmp_path).iterdir())


def test_a_scheduler_without_workers_is_told(monkeypatch):
    monkeypatch.setattr(cluster, "PATIENCE", 0.5)
    with (
        distributed.LocalCluster(
            n_workers=0, processes=False, dashboard_address=":0", protocol="tcp", silence_logs=50
        ) as empty,
        pytest.raises(SettingError, match="has no worker"),
    ):
        results_of(squared, 1, range(3), scheduler=empty.scheduler_address)


def test_a_missing_package_is_told(monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(SettingError, match=r"jalon\[cluster\]"):
        results_of(squared, 1, range(3), scheduler="tcp://127.0.0.1:9")
