import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.errors import DesignError, ResponseError
from engine.estimators import Status, estimate
from engine.likelihood import Answers
from engine.models import curves
from engine.parameters import ItemParameters
from engine.penalties import Jeffreys, Normal, Uniform
from engine.responses import NOT_REACHED, SKIPPED, TIMED_OUT
from tests.reference import slow

METHODS = ("eap", "map", "ml", "wle")
MIXED = [
    slow.Item(1.1, -1.0),
    slow.Item(0.8, 0.3, 0.2),
    slow.Item(1.6, 0.5, 0.15, 0.95),
    slow.Item(1.2, thresholds=(-1.0, 0.2, 1.1)),
    slow.Item(0.9, thresholds=(-0.5, 0.8), graded=False),
]
BANK = ItemParameters.of(
    ["2PL", "3PL", "4PL", "GRM", "GPCM"],
    [1.1, 0.8, 1.6, 1.2, 0.9],
    [-1.0, 0.3, 0.5, None, None],
    [0.0, 0.2, 0.15, 0.0, 0.0],
    [1.0, 1.0, 0.95, 1.0, 1.0],
    [None, None, None, (-1.0, 0.2, 1.1), (-0.5, 0.8)],
)
CODES = (NOT_REACHED, TIMED_OUT, SKIPPED)
VECTORS = st.tuples(*(st.sampled_from([*range(k), *CODES]) for k in (2, 2, 2, 4, 3))).map(list)


def random_test(items: int, learners: int, seed: int = 1) -> tuple[ItemParameters, np.ndarray]:
    rng = np.random.default_rng(seed)
    bank = ItemParameters.of("3PL", rng.lognormal(0.2, 0.3, items), rng.normal(size=items), rng.uniform(0, 0.3, items))
    return bank, rng.integers(-1, 2, size=(learners, items))


@pytest.mark.parametrize(
    "responses", [[1, 1, 0, 2, 1], [0, 0, 0, 0, 0], [1, 1, 1, 3, 2], [1, None, 0, None, 2], [None, 1, None, 1, None]]
)
def test_eap_is_the_posterior_mean_by_adaptive_quadrature(responses: list) -> None:
    given_codes = [NOT_REACHED if r is None else r for r in responses]
    found = estimate(BANK, given_codes, prior=Normal(0.3, 0.8), lower=-10, upper=10, nodes=401)
    mean, sd = slow.posterior_moments(MIXED, responses, slow.normal(0.3, 0.8))
    assert found.ability == pytest.approx(mean, abs=1e-9)
    assert found.se == pytest.approx(sd, abs=1e-9)


def test_the_default_grid_is_fine_enough() -> None:
    found = estimate(BANK, [1, 1, 0, 2, 1])
    mean, sd = slow.posterior_moments(MIXED, [1, 1, 0, 2, 1])
    assert found.ability == pytest.approx(mean, abs=1e-6)
    assert found.se == pytest.approx(sd, abs=1e-6)


@pytest.mark.parametrize("method", ["map", "ml", "wle"])
@pytest.mark.parametrize("responses", [[1, 1, 0, 2, 1], [1, 0, 0, 1, 0], [0, 1, 1, 2, 2]])
def test_peaks_are_where_the_slope_vanishes(method: str, responses: list[int]) -> None:
    found = estimate(BANK, responses, method)
    theta = float(found.ability)

    def log_likelihood(t: float) -> float:
        return float(np.log(slow.likelihood(MIXED, responses)(t)))

    def warm(t: float) -> float:
        total = 0.0
        for item in MIXED:
            for k, p in enumerate(slow.probabilities(item, t)):
                first = slow.derivative(lambda x, i=item, k=k: slow.probabilities(i, x)[k], t)
                second = slow.second_derivative(lambda x, i=item, k=k: slow.probabilities(i, x)[k], t)
                total += first * second / p
        return total

    info = sum(slow.information(item, theta) for item in MIXED)
    push = {"map": -theta, "ml": 0.0, "wle": warm(theta) / (2 * info)}[method]
    assert found.status == Status.CONVERGED
    assert slow.derivative(log_likelihood, theta) + push == pytest.approx(0.0, abs=1e-8)
    assert found.se == pytest.approx((info + (method == "map")) ** -0.5, abs=1e-8)


def test_the_highest_of_several_peaks_is_found() -> None:
    """Two easy items failed and many hard items guessed right: a 3PL likelihood with two peaks."""
    bank = ItemParameters.of("3PL", [2.5] * 6, [-2.0, -2.0, 2.0, 2.0, 2.0, 2.0], [0.25] * 6)
    items = [slow.Item(2.5, b, 0.25) for b in (-2.0, -2.0, 2.0, 2.0, 2.0, 2.0)]
    scan = np.linspace(-6, 6, 24001)
    for responses in ([0, 0, 1, 1, 1, 1], [0, 1, 1, 1, 1, 0], [0, 0, 1, 1, 0, 0], [1, 0, 1, 1, 1, 0]):
        heights = np.array([slow.likelihood(items, responses)(t) for t in scan])
        peaks = np.flatnonzero((heights[1:-1] > heights[:-2]) & (heights[1:-1] >= heights[2:]))
        found = estimate(bank, responses, "ml")
        assert peaks.size + (heights[0] > heights[1]) + (heights[-1] > heights[-2]) >= 1
        assert slow.likelihood(items, responses)(float(found.ability)) >= heights.max() * (1 - 1e-12)
        assert found.ability == pytest.approx(scan[np.argmax(heights)], abs=1e-3)


@pytest.mark.parametrize("steepness", [1.0, 10.0])
def test_no_higher_peak_is_missed_in_careless_answers_to_items_with_guessing(steepness: float) -> None:
    rng = np.random.default_rng(5)
    for count in (3, 10, 30):
        slopes = np.minimum(steepness * rng.lognormal(0.2, 0.4, count), 50.0)
        bank = ItemParameters.of(
            "4PL", slopes, rng.normal(0, 1.5, count), rng.uniform(0, 0.35, count), rng.uniform(0.8, 1, count)
        )
        answers = Answers.of(bank, rng.integers(0, 2, size=(200, count)))
        scan = answers.on_grid(curves(answers.items, np.linspace(-6, 6, 4801))).log_likelihood.max(axis=1)
        found = estimate(bank, answers.category.reshape(200, count), "ml").ability
        assert (answers.at(found).log_likelihood[:, 0] >= scan - 1e-9).all()


def test_all_right_and_all_wrong_give_the_bounds_with_the_information_there() -> None:
    found = estimate(BANK, [[1, 1, 1, 3, 2], [0, 0, 0, 0, 0]], "ml", lower=-5, upper=7)
    assert found.ability.tolist() == [7.0, -5.0]
    assert found.status.tolist() == [Status.AT_BOUND, Status.AT_BOUND]
    for theta, se in zip(found.ability, found.se, strict=True):
        assert se == pytest.approx(sum(slow.information(item, theta) for item in MIXED) ** -0.5, rel=1e-6)


@pytest.mark.parametrize("method", METHODS)
def test_a_learner_without_answers_is_not_given_a_made_up_ability(method: str) -> None:
    found = estimate(BANK, [[NOT_REACHED] * 5, [1, 1, 0, 2, 1]], method, Normal(0.5, 0.8))
    assert found.status.tolist() == [Status.NO_ANSWER, Status.CONVERGED]
    if method in ("eap", "map"):
        assert found.ability[0] == pytest.approx(0.5, abs=1e-9)
        assert found.se[0] == pytest.approx(0.8, abs=1e-6)
    else:
        assert np.isnan([found.ability[0], found.se[0]]).all()
    for prior in (Uniform(-3, 3), Jeffreys()):
        assert np.isnan(estimate(BANK, [NOT_REACHED] * 5, "eap", prior).ability)


def test_a_uniform_prior_bounds_the_mode() -> None:
    found = estimate(BANK, [[1, 1, 1, 3, 2], [1, 1, 0, 2, 1]], "map", Uniform(-2, 2))
    assert found.ability[0] == 2.0
    assert found.status.tolist() == [Status.AT_BOUND, Status.CONVERGED]
    assert found.ability[1] == pytest.approx(float(estimate(BANK, [1, 1, 0, 2, 1], "ml").ability), abs=1e-9)


@settings(max_examples=40)
@given(st.lists(VECTORS, min_size=1, max_size=5), st.sampled_from(METHODS))
def test_many_are_each_alone(vectors: list[list[int]], method: str) -> None:
    many = estimate(BANK, vectors, method)
    for row, vector in enumerate(vectors):
        alone = estimate(BANK, vector, method)
        assert alone.ability.shape == ()
        for whole, one in zip(many, alone, strict=True):
            np.testing.assert_array_equal(whole[row], one)


@settings(max_examples=40)
@given(VECTORS, st.permutations(range(5)), st.sampled_from(METHODS))
def test_the_order_of_the_items_does_not_matter(vector: list[int], order: list[int], method: str) -> None:
    straight = estimate(BANK, vector, method)
    shuffled = estimate(BANK.take(order), [vector[i] for i in order], method)
    np.testing.assert_allclose(shuffled.ability, straight.ability, atol=1e-9)
    np.testing.assert_allclose(shuffled.se, straight.se, rtol=1e-8)
    assert shuffled.status == straight.status


@settings(max_examples=40)
@given(VECTORS, st.sampled_from(METHODS))
def test_what_is_not_evidence_is_as_if_it_had_not_been_presented(vector: list[int], method: str) -> None:
    answered = np.flatnonzero(np.array(vector) >= 0)
    found = estimate(BANK, vector, method, skip="ignored", time_out="ignored")
    short = estimate(BANK.take(answered), np.array(vector)[answered], method)
    np.testing.assert_allclose(found.ability, short.ability, atol=1e-10)
    assert found.status == short.status


@pytest.mark.parametrize("method", METHODS)
def test_an_incorrect_skip_is_a_wrong_answer(method: str) -> None:
    found = estimate(BANK, [1, SKIPPED, TIMED_OUT, 2, SKIPPED], method, skip="incorrect", time_out="incorrect")
    wrong = estimate(BANK, [1, 0, 0, 2, 0], method)
    assert found.ability == wrong.ability
    assert found.se == wrong.se


@pytest.mark.parametrize("method", METHODS)
def test_an_unknown_skip_is_a_wrong_answer_to_the_item_without_guessing(method: str) -> None:
    plain = ItemParameters.of(
        ["2PL", "3PL", "4PL", "GRM", "GPCM"],
        BANK.discrimination,
        BANK.difficulty,
        None,
        BANK.slipping,
        [None, None, None, (-1.0, 0.2, 1.1), (-0.5, 0.8)],
    )
    found = estimate(BANK, [1, SKIPPED, SKIPPED, 2, SKIPPED], method)
    wrong = estimate(plain, [1, 0, 0, 2, 0], method)
    assert found.ability == pytest.approx(float(wrong.ability), abs=1e-12)
    assert found.se == pytest.approx(float(wrong.se), abs=1e-12)


@pytest.mark.parametrize("method", METHODS)
def test_nothing_shows_at_the_borders_of_the_chunks(method: str) -> None:
    bank, responses = random_test(items=1500, learners=400)
    many = estimate(bank, responses, method)
    assert (many.status == Status.CONVERGED).all()
    for row in (0, 167, 168, 171, 172, 399):
        assert estimate(bank, responses[row], method).ability == many.ability[row]


@pytest.mark.parametrize("method", METHODS)
def test_any_shape_of_batch(method: str) -> None:
    bank, responses = random_test(items=12, learners=6)
    flat = estimate(bank, responses, method)
    for shape in ((2, 3), (3, 1, 2), (0,)):
        part = responses[: int(np.prod(shape))].reshape(*shape, 12)
        found = estimate(bank, part, method)
        assert found.ability.shape == shape
        np.testing.assert_array_equal(found.ability.reshape(-1), flat.ability[: int(np.prod(shape))])


@pytest.mark.parametrize("method", METHODS)
def test_steep_items_and_far_ranges_stay_finite(method: str) -> None:
    bank = ItemParameters.of("2PL", [50.0] * 5, [-2.0, -1.0, 0.0, 1.0, 2.0])
    found = estimate(
        bank, [[1, 1, 1, 0, 0], [1, 1, 1, 1, 1], [0, 0, 0, 0, 0], [0, 1, 0, 1, 0]], method, lower=-8, upper=8
    )
    assert np.isfinite(found.ability).all()
    assert (found.se > 0).all()
    assert 0 <= found.ability[0] <= 1


@pytest.mark.parametrize(
    ("responses", "words"),
    [
        ([[1, 1, 0, 2, 1], [1, 2, 0, 2, 1]], "Learner number 2 has the response 2 to item number 2, whose categories"),
        ([1, 1, 0, 2, -4], "the response -4 to item number 5"),
        ([1, 1, 0, 2], "one column for each item"),
        ([1.0, 1.0, 0.0, 2.0, 1.0], "whole numbers"),
    ],
)
def test_responses_that_items_cannot_have_are_refused(responses: list, words: str) -> None:
    with pytest.raises(ResponseError, match=words):
        estimate(BANK, responses)


@pytest.mark.parametrize(
    ("choice", "words"),
    [
        ({"method": "bayes"}, "no estimator 'bayes'; use one of eap, map, ml, wle"),
        ({"skip": "wrong"}, "no policy 'wrong' for skips; use unknown, incorrect, ignored"),
        ({"lower": 2, "upper": 1}, "at least 3 nodes"),
    ],
)
def test_choices_that_do_not_exist_are_refused(choice: dict, words: str) -> None:
    with pytest.raises(DesignError, match=words):
        estimate(BANK, [1, 1, 0, 2, 1], **choice)


def test_impossible_priors_are_refused() -> None:
    with pytest.raises(DesignError, match="positive standard deviation"):
        Normal(0, 0)
    with pytest.raises(DesignError, match="lower end below"):
        Uniform(1, 1)
