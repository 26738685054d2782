import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.adaptive import Design
from engine.errors import DesignError, ParameterError
from engine.grid import Grid
from engine.latent import Independent, LatentTree
from engine.models import information, log_probability
from engine.parameters import ItemParameters
from engine.ranking import quantised
from engine.responses import NOT_REACHED, SILENCES, SKIPPED, TIMED_OUT
from engine.scores import VarianceReduction
from engine.table import build_table
from engine.uncertain import expected_curves, information_of
from engine.working import to_working
from tests.reference import banks

MIXED = banks.mixed(0, 18)
UNSURE = Design(parameters="uncertain")


def doubt(parameters: ItemParameters) -> np.ndarray:
    """Independent errors of 0.2 of all working parameters."""
    has = ~np.isnan(to_working(parameters))
    return np.where(has[:, :, None] & has[:, None, :], 0.04 * np.eye(has.shape[1]), np.nan)


def same(one: object, other: object) -> None:
    """Equal to the last bit, whatever is nested in it."""
    if isinstance(one, ItemParameters):
        same(tuple(vars(one).values()), tuple(vars(other).values()))
    elif isinstance(one, tuple):
        assert isinstance(other, tuple)
        for left, right in zip(one, other, strict=True):
            same(left, right)
    else:
        np.testing.assert_array_equal(one, other)


def test_responses_index_their_evidence() -> None:
    """Categories count from the front of the response axis and the codes of silence from its end."""
    table = build_table(MIXED, Design(skip="ignored", time_out="incorrect"))
    log_p = log_probability(MIXED, table.nodes)
    assert table.categories == MIXED.categories.max()
    assert table.log_evidence.shape == (18, table.categories + SILENCES, 41)
    np.testing.assert_array_equal(table.log_evidence[:, : table.categories], log_p)
    np.testing.assert_array_equal(table.log_evidence[:, SKIPPED], 0.0)
    np.testing.assert_array_equal(table.log_evidence[:, TIMED_OUT], log_p[:, 0])
    np.testing.assert_array_equal(table.log_evidence[:, NOT_REACHED], 0.0)
    np.testing.assert_array_equal(table.information, information(MIXED, table.nodes))


@settings(deadline=None, max_examples=20)
@given(st.integers(0, 2**32 - 1), st.integers(1, 5), st.integers(1, 25))
def test_the_layout_by_competence_comes_back_to_the_rows(seed: int, competences: int, count: int) -> None:
    """Any order of the competences in the bank, some of them without an item."""
    rng = np.random.default_rng(seed)
    competence = rng.integers(0, competences, count)
    design = Design(latent=Independent(competences))
    parameters = banks.mixed(seed, count)
    table = build_table(parameters, design, competence=competence)
    steps = table.predictive.shape[0] // 2
    p = np.exp(log_probability(parameters, table.nodes))
    situation = banks.situation(design, table, banks.states(design, table, seed, (2,)))
    for node in (0, 20, 40):
        for k in range(steps):
            for offset, factor in ((k, 1.0), (steps + k, table.nodes[node])):
                laid = np.repeat(table.predictive[offset][:, None, node], 2, axis=1)
                expected = np.tile(factor * p[:, k + 1, node], (2, 1))
                np.testing.assert_allclose(situation.by_item(laid), expected, rtol=0, atol=1e-13)


def test_a_table_is_read_only() -> None:
    table = build_table(MIXED, UNSURE, covariance=doubt(MIXED))
    assert table.dense is not None
    for array in (*table, *table.dense, *vars(table.parameters).values()):
        if isinstance(array, np.ndarray):
            assert not array.flags.writeable


def test_what_the_caller_keeps_may_change_without_harm() -> None:
    cuts, timed, competence = np.array([[-1.0, 1.0]]), np.zeros(18, dtype=bool), np.zeros(18, dtype=np.int64)
    table = build_table(MIXED, Design(), cuts=cuts, timed=timed, competence=competence)
    cuts[0, 0], timed[0], competence[0] = 9.0, True, 5
    assert table.cuts.tolist() == [[-1.0, 1.0]]
    assert not table.timed.any()
    assert not table.competence.any()


def test_everything_about_uncertain_parameters_comes_from_the_expected_curves() -> None:
    design = Design(parameters="uncertain", skip="unknown", time_out="incorrect")
    table = build_table(MIXED, design, covariance=doubt(MIXED))
    whole = expected_curves(MIXED, doubt(MIXED), table.nodes)
    lucky = np.isin(MIXED.model, (3, 4))
    np.testing.assert_array_equal(table.log_evidence[:, : table.categories], whole.log_p)
    np.testing.assert_array_equal(table.log_evidence[:, TIMED_OUT], whole.log_p[:, 0])
    np.testing.assert_array_equal(table.log_evidence[~lucky, SKIPPED], whole.log_p[~lucky, 0])
    assert (table.log_evidence[lucky, SKIPPED] > whole.log_p[lucky, 0]).all()
    np.testing.assert_array_equal(table.information, information_of(whole))
    assert table.slot is None
    predicted = table.predictive[: table.categories - 1, 0]
    np.testing.assert_array_equal(predicted, np.exp(whole.log_p[:, 1:]).transpose(1, 2, 0))
    assert (table.log_evidence[:, : table.categories] != build_table(MIXED, Design()).log_evidence[:, :-SILENCES]).any()


def test_a_skip_of_an_uncertain_item_is_read_without_its_guessing() -> None:
    """The same as a wrong answer to the 2PL item with the same slope and intercept and their covariance."""
    three = ItemParameters.of("3PL", [1.5], [0.3], [0.2])
    errors = np.array([[[0.09, -0.02, 0.0, np.nan], [-0.02, 0.04, 0.0, np.nan], [0.0, 0.0, 0.3, np.nan], [np.nan] * 4]])
    two = np.where(np.arange(4) < 2, errors, np.nan)
    two[:, 2:] = np.nan
    skipped = build_table(three, UNSURE, covariance=errors).log_evidence[0, SKIPPED]
    wrong = build_table(ItemParameters.of("2PL", [1.5], [0.3]), UNSURE, covariance=two).log_evidence[0, 0]
    np.testing.assert_allclose(np.exp(skipped), np.exp(wrong), rtol=0, atol=2e-5)


@pytest.mark.parametrize("parameters", [MIXED, banks.logistic(0, 18, "3PL")], ids=["mixed", "3PL"])
def test_without_uncertainty_nothing_changes(parameters: ItemParameters) -> None:
    """Neither under a design that takes parameters as known, nor for covariances that say they are."""
    plain = build_table(parameters, Design())
    assert plain.dense is None
    same(plain, build_table(parameters, Design(), covariance=doubt(parameters)))
    for nothing in (np.nan, 0.0):
        same(plain, build_table(parameters, UNSURE, covariance=nothing * doubt(parameters)))


def test_a_design_with_uncertain_parameters_needs_their_covariances() -> None:
    with pytest.raises(DesignError, match="without covariances; calibrate them with standard errors"):
        build_table(MIXED, UNSURE)
    with pytest.raises(ParameterError, match="give one matrix of"):
        build_table(MIXED, UNSURE, covariance=doubt(MIXED)[:3])


def test_a_shortlist_is_made_where_it_can_be_believed() -> None:
    plain = banks.logistic(0, 18)
    assert build_table(MIXED, UNSURE, covariance=doubt(MIXED)).shortlist is not None
    two = Design(latent=Independent(2), parameters="uncertain")
    assert build_table(MIXED, two, covariance=doubt(MIXED)).shortlist is None
    assert build_table(plain, Design()).shortlist is not None
    assert build_table(MIXED, Design()).shortlist is None
    assert build_table(plain, Design(score=VarianceReduction())).shortlist is None
    assert build_table(plain, Design(latent=Independent(2))).shortlist is None


@pytest.mark.parametrize("count", [20, 38, 61])
def test_interpolated_information_stays_below_its_bounds(count: int) -> None:
    items = banks.mixed(11, 150)
    design = Design(parameters="uncertain", grid=Grid(-4.0, 4.0, count))
    table = build_table(items, design, covariance=doubt(items))
    shortlist = table.shortlist
    assert shortlist is not None
    ability = np.linspace(-4.0, 4.0, 60_001)[:-1]
    cell = ((ability - shortlist.lower) * shortlist.scale).astype(int)
    exact = quantised(table.information_at(ability)).T
    listed = np.take_along_axis(exact, shortlist.rows[cell].astype(int), axis=1)
    assert (listed <= shortlist.bounds[cell, :-1]).all()
    np.put_along_axis(exact, shortlist.rows[cell].astype(int), -np.inf, axis=1)
    assert (exact.max(axis=1) <= shortlist.bounds[cell, -1]).all()


@pytest.mark.parametrize(
    ("arguments", "error", "words"),
    [
        ({"competence": np.full(18, 3)}, DesignError, "measure 4 competences and the design knows 3"),
        ({"competence": [0, 1]}, ParameterError, "one competence code of 0 or more for each of the 18"),
        ({"competence": np.full(18, -1)}, ParameterError, "one competence code of 0 or more"),
        ({"topic": [0, 1]}, ParameterError, "one topic code of 0 or more"),
        ({"cuts": [[0.0, 1.0]]}, DesignError, "one strictly increasing row for each competence"),
        ({"cuts": [[0.0, 1.0], [1.0, 0.0], [0.0, 1.0]]}, DesignError, "strictly increasing"),
        ({"cuts": [0.0, 1.0, 2.0]}, DesignError, "strictly increasing"),
        ({"cuts": [[0.0, np.nan], [0.0, 1.0], [0.0, 1.0]]}, DesignError, "strictly increasing"),
        ({"enemies": [(0, 18)]}, ParameterError, "between 0 and 17"),
        ({"enemies": [(-1, 3)]}, ParameterError, "between 0 and 17"),
        ({"time_intensity": [4.0]}, ParameterError, "18 finite time intensities"),
        ({"time_discrimination": np.full(18, np.nan)}, ParameterError, "18 finite time discriminations"),
    ],
)
def test_arrays_that_do_not_fit_are_refused(arguments: dict, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        build_table(MIXED, Design(latent=LatentTree((0, 0, 0), (0.5,), (0.5,) * 3)), **arguments)


def test_a_bank_has_an_item() -> None:
    with pytest.raises(ParameterError, match="at least one item"):
        build_table(ItemParameters.of("1PL", [], []), Design())
