"""How long calibration takes; ``python -m tests.benchmarks.scaling`` goes on to a million learners.

The figures of the fit are for a grid of 61 nodes, and for that grid refined as far as its check asks.
"""

from typing import Any

import pytest

from engine.calibration.calibrate import calibrate
from engine.calibration.em import Options
from tests.benchmarks.responses import complete, sparse

ROUNDS = 5


@pytest.mark.parametrize("refine", [False, True], ids=["61 nodes", "checked grid"])
@pytest.mark.parametrize("errors", [False, True], ids=["fit", "fit and errors"])
def test_complete_responses(benchmark: Any, errors: bool, refine: bool) -> None:
    given = complete(10_000, 200)
    found = benchmark.pedantic(
        calibrate,
        (given, "2PL"),
        {"options": Options(errors=errors, refine=refine)},
        rounds=ROUNDS,
        warmup_rounds=1,
    )
    assert found.converged


@pytest.mark.parametrize("errors", [False, True], ids=["fit", "fit and errors"])
def test_sparse_responses(benchmark: Any, errors: bool) -> None:
    given = sparse(50_000, 500, 40)
    found = benchmark.pedantic(
        calibrate, (given, "2PL"), {"options": Options(errors=errors)}, rounds=ROUNDS, warmup_rounds=1
    )
    assert found.converged
