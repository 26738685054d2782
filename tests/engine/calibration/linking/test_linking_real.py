"""Kolen and Brennan's two forms: the links of their Table 6.6, by hand, by STUIRT and by a blind search."""

import csv
import math

import numpy as np
import pytest
from scipy.optimize import minimize

from engine.calibration.linking.curves import Quadrature
from engine.calibration.linking.link import Link, drift, haebara, link, mean_mean, mean_sigma, stocking_lord
from engine.parameters import ItemParameters
from tests.reference.data import real_data
from tests.reference.golden import golden

STUIRT = golden("kb36_stuirt.json")["kb36"]
SCALING = 1.7
COMMON = [3 * k for k in range(1, 13)]


@pytest.fixture(scope="module")
def forms() -> dict[str, list[tuple[float, float, float]]]:
    """a, b, c of the 12 common items on each form, a on the book's metric."""
    found: dict[str, list[tuple[float, float, float]]] = {"X": [], "Y": []}
    with real_data("kb36_pars").open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            if int(row["item"]) in COMMON:
                found[row["form"]].append((float(row["a"]), float(row["b"]), float(row["c"])))
    return found


def items(rows: list[tuple[float, float, float]]) -> ItemParameters:
    return ItemParameters.of("3PL", [SCALING * a for a, _, _ in rows], [b for _, b, _ in rows], [c for _, _, c in rows])


def close(found: Link, slope: float, intercept: float, to: float) -> bool:
    return (found.slope, found.intercept) == pytest.approx((slope, intercept), abs=to)


def test_the_means_are_those_of_plain_arithmetic_and_of_the_book(forms: dict) -> None:
    old, new = items(forms["Y"]), items(forms["X"])
    a_old, a_new = (sum(a for a, _, _ in forms[form]) / 12 for form in "YX")
    b_old, b_new = (sum(b for _, b, _ in forms[form]) / 12 for form in "YX")
    spread = [math.sqrt(sum((b - m) ** 2 for _, b, _ in forms[form]) / 12) for form, m in (("Y", b_old), ("X", b_new))]
    slope, ratio = a_new / a_old, spread[0] / spread[1]
    assert close(mean_mean(old, new), slope, b_old - slope * b_new, 1e-12)
    assert close(mean_sigma(old, new), ratio, b_old - ratio * b_new, 1e-12)
    assert close(mean_mean(old, new), *STUIRT["links"]["mean-mean"], to=2e-6)
    assert close(mean_sigma(old, new), *STUIRT["links"]["mean-sigma"], to=2e-6)


def test_the_curve_methods_are_those_of_stuirt(forms: dict) -> None:
    old, new = items(forms["Y"]), items(forms["X"])
    before = Quadrature.weighted(STUIRT["abilities"], STUIRT["old_weights"])
    after = Quadrature.weighted(STUIRT["abilities"], STUIRT["new_weights"])
    for method, name in ((haebara, "haebara"), (stocking_lord, "stocking-lord")):
        found = method(old, new, old_abilities=before, new_abilities=after)
        assert close(found, *STUIRT["links"][name], to=2e-6), name


@pytest.mark.parametrize("method", ["haebara", "stocking-lord"])
def test_the_default_is_the_lowest_point_of_the_symmetric_criterion(forms: dict, method: str) -> None:
    nodes = [-6.0 + 0.1 * g for g in range(121)]
    weights = [math.exp(-0.5 * theta**2) for theta in nodes]

    def chance(a: float, b: float, c: float, theta: float) -> float:
        return c + (1 - c) / (1 + math.exp(-SCALING * a * (theta - b)))

    def one_way(first: list, second: list, slope: float, shift: float) -> float:
        total = 0.0
        for theta, weight in zip(nodes, weights, strict=True):
            gaps = [
                chance(*x, theta) - chance(y[0] / slope, slope * y[1] + shift, y[2], theta)
                for x, y in zip(first, second, strict=True)
            ]
            total += weight * (sum(g**2 for g in gaps) if method == "haebara" else sum(gaps) ** 2)
        return total

    def both_ways(point: np.ndarray) -> float:
        slope, shift = point
        there = one_way(forms["Y"], forms["X"], slope, shift)
        return there + one_way(forms["X"], forms["Y"], 1 / slope, -shift / slope)

    search = minimize(both_ways, [1.1, -0.5], method="Nelder-Mead", options={"xatol": 1e-7, "fatol": 1e-12})
    found = link(items(forms["Y"]), items(forms["X"]), method)
    assert close(found, *search.x, to=2e-6)


def test_item_27_is_the_one_that_drifted(forms: dict) -> None:
    """Kolen and Brennan leave it out: its slopes, 1.88 and 1.04, plot far from the others."""
    old, new = items(forms["Y"]), items(forms["X"])
    for method in (haebara, stocking_lord):
        distance = drift(old, new, method(old, new))
        assert COMMON[int(np.argmax(distance))] == 27
    kept = [row for row, item in enumerate(COMMON) if item != 27]
    assert drift(old.take(kept), new.take(kept), haebara(old.take(kept), new.take(kept))).max() < 0.05
