"""Kolen and Brennan's forms X and Y: calibrated from the answers, against their printed estimates, and linked."""

import numpy as np
import pytest

from tests.real_data.figures import curve_gap, form, kb36
from tests.real_data.sets import published
from tests.reference.golden import golden

METHODS = ("mean-mean", "mean-sigma", "haebara", "stocking-lord")


@pytest.mark.parametrize("name", ["X", "Y"])
def test_the_estimates_are_those_of_the_book(name: str) -> None:
    """The book has BILOG's, with its priors: the same curves within 0.014, about the standard error of a proportion."""
    found, book = form(name), published(name)
    assert found.converged
    assert (found.status == 0).all()
    assert curve_gap(found.parameters, book).max() < 0.015
    for one, other, least in (
        (found.parameters.discrimination, book.discrimination, 0.99),
        (found.parameters.difficulty, book.difficulty, 0.999),
        (found.parameters.guessing, book.guessing, 0.97),
    ):
        assert np.corrcoef(one, other)[0, 1] > least
    off = np.abs(found.parameters.difficulty - book.difficulty) / found.errors.difficulty
    assert np.median(off) < 0.5


def test_three_ways_to_one_scale_agree_and_find_the_group_that_the_book_finds() -> None:
    figures = kb36()
    book = golden("kb36_stuirt.json")["kb36"]["links"]
    together, held = figures["concurrent"], figures["fixed"]
    assert together["converged"]
    assert held["converged"]
    for method in METHODS:
        found = figures[method]
        assert (found["sd"], found["mean"]) == pytest.approx(book[method], abs=0.1), method
        assert abs(found["mean"] - together["mean"]) < 2.0 * together["mean error"], method
    for found in (figures["stocking-lord"], held):
        assert abs(found["sd"] - together["sd"]) < 2.5 * together["sd error"]
        assert abs(found["mean"] - together["mean"]) < 1.0 * together["mean error"]
    assert together["b of form X, against linked"]["r"] > 0.999
    assert together["b of form X, against linked"]["rmse"] < 0.1
    assert int(np.argmax(figures["drift"])) == 8, "item 27, which the book leaves out"
