"""Acceleration: exact on what is linear, and steady where it has nothing to go by."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.calibration.acceleration import MEMORY, Memory, extrapolated


def iterated(matrix: np.ndarray, shift: np.ndarray, start: np.ndarray, count: int, scale: np.ndarray) -> np.ndarray:
    """Point after so many accelerated steps of x -> matrix x + shift."""
    memory, point = Memory(), start
    for _ in range(count):
        memory = memory.remembering(point, matrix @ point + shift)
        point = extrapolated(memory, scale)
    return point


def contraction(rng: np.random.Generator, size: int) -> np.ndarray:
    vectors, _ = np.linalg.qr(rng.normal(size=(size, size)))
    return np.asarray(vectors @ np.diag(rng.uniform(0.2, 0.95, size=size)) @ vectors.T)


@settings(max_examples=40)
@given(st.integers(1, 5), st.integers(0, 2**32 - 1))
def test_linear_maps_are_solved_in_as_many_steps_as_dimensions(size: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    matrix, shift = contraction(rng, size), rng.normal(size=size)
    fixed = np.linalg.solve(np.eye(size) - matrix, shift)
    found = iterated(matrix, shift, rng.normal(size=size), size + 2, np.ones(size))
    plain = rng.normal(size=size)
    for _ in range(size + 2):
        plain = matrix @ plain + shift
    assert np.linalg.norm(found - fixed) <= 1e-3 * (1.0 + np.linalg.norm(fixed))
    assert np.linalg.norm(found - fixed) <= np.linalg.norm(plain - fixed) + 1e-9


def test_one_point_gives_its_image() -> None:
    point, image = np.array([1.0, 2.0]), np.array([3.0, 5.0])
    assert extrapolated(Memory().remembering(point, image), np.ones(2)).tolist() == image.tolist()


def test_at_rest_nothing_moves() -> None:
    point = np.array([0.3, -0.2])
    memory = Memory()
    for _ in range(4):
        memory = memory.remembering(point, point)
    assert extrapolated(memory, np.ones(2)).tolist() == point.tolist()


def test_the_oldest_points_are_forgotten() -> None:
    memory = Memory()
    for step in range(20):
        memory = memory.remembering(np.array([float(step)]), np.array([step + 0.5]))
    assert [float(x[0]) for x in memory.points] == [float(x) for x in range(19 - MEMORY, 20)]
    assert [float(x[0]) for x in memory.images] == [x + 0.5 for x in range(19 - MEMORY, 20)]


def test_heavy_coordinates_are_the_ones_that_are_solved() -> None:
    """Two different lines that one weight cannot solve together: the weights choose."""
    points = np.array([[0.0, 0.0], [1.0, 1.0]])
    images = np.array([[1.0, 4.0], [1.5, 4.2]])  # fixed points 2.0 and 5.0
    memory = Memory(tuple(points), tuple(images))
    assert extrapolated(memory, np.array([1.0, 1e-6]))[0] == pytest.approx(2.0, abs=1e-6)
    assert extrapolated(memory, np.array([1e-6, 1.0]))[1] == pytest.approx(5.0, abs=1e-6)
