"""The tree on real answers: loadings, and the prediction of answers that calibration has not seen."""

import numpy as np
import pytest

from engine.calibration.em import Options
from engine.grid import Grid
from simulations.held_out import compared
from tests.real_data.sets import PARTS, SUMMARIES, pirls, timss
from tests.real_data.trees import ability_held_out, timss_held_out
from tests.reference.data import real_data
from tests.reference.fit import real_responses

QUICK = Options(grid=Grid(-5.0, 5.0, 51), refine=False, gradient=1e-2, errors=False)


def test_the_tree_predicts_ability_items_better_than_one_ability_and_than_four() -> None:
    real_data("sapa_ability16")
    found = ability_held_out()
    for other, low, high in (("one", 0.009, 0.018), ("independent", 0.022, 0.032)):
        log, brier = compared(found["tree"], found[other])
        assert low < log.lower < log.value < log.upper < high
        assert brier.upper < 0.0
    assert found["tree"].scores.item.size == 23257


def test_the_tree_predicts_timss_better_than_independent_domains() -> None:
    """A fifth of the learners and one part of ten hidden; the whole is in docs/real-data.md."""
    found = timss_held_out(hidden=1, rows=5, options=QUICK)
    assert all(part.converged for one in found.values() for part in one.calibrations)
    log, brier = compared(found["tree"], found["independent"])
    assert 0.015 < log.lower < log.upper < 0.045
    assert brier.upper < 0.0
    log, _ = compared(found["tree"], found["one"])
    assert abs(log.value) < 0.012, "one ability for everything is not far behind"


def test_items_of_timss_that_sum_others_are_what_they_are_said_to_be() -> None:
    whole = timss(without=())
    column = {id: whole.responses[:, place] for place, id in enumerate(whole.ids)}
    for stem in ("S032310", "S032530", "S032650", "S032697"):
        first, second, both = (column[f"{stem}{part}"] for part in "ABD")
        known = (first >= 0) & (second >= 0) & (both >= 0)
        assert known.sum() > 300
        np.testing.assert_array_equal(both[known], first[known] + second[known])
    parts = np.stack([column[f"S042173{part}"] for part in "ABCDE"])
    known = (parts >= 0).all(axis=0) & (column["S042173"] >= 0)
    right = parts[:, known].sum(axis=0)
    np.testing.assert_array_equal(column["S042173"][known], np.digitize(right, [2, 4]))
    assert len(PARTS) == 13
    assert len(timss().ids) == 429


def test_items_of_pirls_that_repeat_others_are_left_out() -> None:
    header = real_data("pirls2011_omit").read_text(encoding="utf-8").splitlines()[0].split(",")
    given = real_responses("pirls2011_omit")
    for name, letters in zip(SUMMARIES, ("AB", "ABC"), strict=True):
        parts = given[:, [header.index(name.replace("CZ", f"C{letter}")) for letter in letters]]
        any_right = given[:, header.index(name)]
        known = (parts >= 0).all(axis=1) & (any_right >= 0)
        np.testing.assert_array_equal(any_right[known], parts[known].max(axis=1))
    assert not set(SUMMARIES) & set(pirls().items)


@pytest.mark.parametrize("name", ["sapa_ability16", "timss07_g8_rus_omit_na"])
def test_the_data_are_the_ones_that_the_document_is_about(name: str) -> None:
    size = {"sapa_ability16": (1525, 16), "timss07_g8_rus_omit_na": (4472, 442)}[name]
    assert real_responses(name).shape == size
