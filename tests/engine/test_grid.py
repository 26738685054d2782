import numpy as np
import pytest

from engine.errors import DesignError
from engine.grid import Grid


def test_nodes_are_equally_spaced_and_reach_both_ends() -> None:
    grid = Grid(-6, 6, 61)
    assert grid.nodes[0] == -6
    assert grid.nodes[-1] == 6
    assert grid.nodes.shape == (61,)
    np.testing.assert_allclose(np.diff(grid.nodes), grid.spacing, atol=1e-12)


def test_weights_are_those_of_the_standard_normal() -> None:
    grid = Grid(-6, 6, 61)
    weights = np.exp(grid.log_weights)
    assert weights.sum() == pytest.approx(1.0, abs=1e-14)
    assert weights @ grid.nodes == pytest.approx(0.0, abs=1e-14)
    assert weights @ grid.nodes**2 == pytest.approx(1.0, abs=1e-6)
    assert weights @ grid.nodes**4 == pytest.approx(3.0, abs=1e-4)


def test_the_nodes_are_read_only() -> None:
    with pytest.raises(ValueError, match="read-only"):
        Grid().nodes[0] = 0.0


def test_grids_compare_by_value() -> None:
    assert Grid(-4, 4, 41) == Grid()
    assert Grid(-4, 4, 33) != Grid()


@pytest.mark.parametrize(("lower", "upper", "count"), [(1, 1, 41), (4, -4, 41), (-4, 4, 2), (float("nan"), 4, 41)])
def test_a_grid_without_room_is_refused(lower: float, upper: float, count: int) -> None:
    with pytest.raises(DesignError, match="at least 3 nodes"):
        Grid(lower, upper, count)
