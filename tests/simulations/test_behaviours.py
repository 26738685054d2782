import numpy as np
import pytest
from scipy.stats import spearmanr

from engine.errors import DesignError
from engine.models import log_probability
from engine.responses import SKIPPED
from simulations.behaviours import (
    Careless,
    Guessing,
    ModelTrue,
    Question,
    Skipping,
    SkippingAtRandom,
    Timed,
    behaving,
    reply,
)
from simulations.chances import chances, knowing
from simulations.learners import draw, given
from tests.simulations.examples import mixed_bank, plain_bank, single

COUNT = 20_000
BOUND = 4.5 * 0.5 / np.sqrt(COUNT)
"""Four and a half standard errors of the most uncertain share."""


def question(parameters, row, ability, count=COUNT, position=0):
    _, table = single(parameters)
    learners = given(np.broadcast_to(ability, (count,)), seed=11)
    return Question(table, learners.seeds, learners.abilities[:, 0], np.full(count, row), position)


@pytest.mark.parametrize("ability", [-6.0, -1.0, 0.0, 0.7, 6.0])
def test_chances_are_those_of_the_engine(ability):
    bank = mixed_bank()
    rows = np.arange(len(bank))
    at_least = np.exp(log_probability(bank, [ability]))[:, :0:-1, 0].cumsum(axis=1)[:, ::-1].T
    assert np.allclose(chances(bank, rows, np.full(rows.size, ability)), at_least, atol=1e-12)


def test_knowing_leaves_guessing_out():
    bank = mixed_bank()
    rows = np.arange(len(bank))
    at = np.full(rows.size, 0.4)
    known, credit = knowing(bank, rows, at), chances(bank, rows, at)[0]
    assert np.allclose(known, np.where(bank.guessing > 0, known, credit))
    assert (known[bank.guessing > 0] < credit[bank.guessing > 0]).all()


@pytest.mark.parametrize("row", range(7))
@pytest.mark.parametrize("ability", [-1.0, 0.5])
def test_model_true_proportions(row, ability):
    bank = mixed_bank()
    response = reply((ModelTrue(),), question(bank, row, ability)).response
    expected = np.exp(log_probability(bank, [ability]))[row, :, 0]
    assert np.abs(np.bincount(response, minlength=4) / COUNT - expected).max() < BOUND


def test_positions_and_simulees_draw_apart():
    answers = [reply((ModelTrue(),), question(plain_bank(), 0, 0.0, position=position)).response for position in (0, 1)]
    assert abs(np.corrcoef(answers)[0, 1]) < 0.04


@pytest.mark.parametrize("share", [0.3, 1.0])
def test_skipping_says_what_the_policy_unknown_believes(share):
    bank = mixed_bank()
    shares = []
    for row, ability in ((2, -1.0), (2, 1.5), (3, 0.0), (5, 0.0)):
        response = reply((ModelTrue(), Skipping(share, spread=0.0)), question(bank, row, ability)).response
        unknown = 1.0 - knowing(bank, np.array([row]), np.array([ability]))[0]
        shares.append(np.mean(response == SKIPPED))
        assert abs(shares[-1] - share * unknown) < BOUND
    assert shares[0] > shares[1]


def test_skipping_falls_as_ability_rises():
    abilities = np.linspace(-3.0, 3.0, COUNT)
    skipped = reply((ModelTrue(), Skipping()), question(plain_bank(), 3, abilities)).response == SKIPPED
    assert spearmanr(abilities, skipped).statistic < -0.2
    assert skipped[: COUNT // 2].mean() > 2 * skipped[COUNT // 2 :].mean()


def test_skipping_is_a_habit():
    rates = np.mean(
        [
            reply((ModelTrue(), Skipping()), question(plain_bank(), row, -1.0, 2000, position=row)).response == SKIPPED
            for row in range(40)
        ],
        axis=0,
    )
    loner = np.mean(
        [
            reply((ModelTrue(), Skipping(spread=0.0)), question(plain_bank(), row, -1.0, 2000, row)).response == SKIPPED
            for row in range(40)
        ],
        axis=0,
    )
    assert rates.std() > 1.5 * loner.std()


def test_skipping_at_random_does_not_look_at_ability():
    abilities = np.linspace(-3.0, 3.0, COUNT)
    behaviours = (ModelTrue(), SkippingAtRandom(0.2, spread=0.0))
    skipped = reply(behaviours, question(plain_bank(), 3, abilities)).response == SKIPPED
    assert abs(skipped.mean() - 0.2) < BOUND
    assert abs(spearmanr(abilities, skipped).statistic) < 0.03


def test_careless_slips():
    bank = plain_bank()
    usual = reply((ModelTrue(),), question(bank, 0, 1.0)).response
    careless = reply((ModelTrue(), Careless(0.2)), question(bank, 0, 1.0)).response
    assert (careless <= usual).all()
    assert abs(careless.mean() - 0.8 * usual.mean()) < BOUND


def test_guessing_is_a_property_of_some_simulees():
    bank = mixed_bank()
    behaviours = (Guessing(0.3, chance=0.25),)
    answers = np.array([reply(behaviours, question(bank, 4, 0.0, position=place)).response for place in range(30)])
    guessers = (answers > 0).any(axis=0)
    assert abs(guessers.mean() - 0.3) < BOUND
    assert set(np.unique(answers)) == {0, 3}
    assert abs((answers[:, guessers] == 3).mean() - 0.25) < 0.01


def test_times_are_log_normal():
    design, table = single(plain_bank())
    learners = draw(design.latent, COUNT, seed=1)
    spent = np.array(
        [
            reply(
                (ModelTrue(), Timed(0.4)),
                Question(table, learners.seeds, learners.abilities[:, 0], np.zeros(COUNT, dtype=int), place),
            ).seconds
            for place in (0, 1)
        ]
    )
    logs = np.log(spent)
    assert abs(logs.mean() - np.log(60.0)) < 0.02
    assert abs(logs.std() - np.hypot(0.4, 0.5)) < 0.02
    assert abs(np.cov(logs)[0, 1] - 0.16) < 0.02


def test_skips_are_quick_and_untimed_answers_have_no_time():
    asked = question(plain_bank(), 0, -2.0)
    slow = reply((ModelTrue(), Timed()), asked)
    quick = reply((ModelTrue(), Skipping(1.0), Timed(skip_share=0.25)), asked)
    skipped = quick.response == SKIPPED
    assert skipped.any()
    assert np.allclose(quick.seconds[skipped], 0.25 * slow.seconds[skipped])
    assert np.array_equal(quick.seconds[~skipped], slow.seconds[~skipped])
    assert np.isnan(reply((ModelTrue(),), asked).seconds).all()


def test_behaviours_are_in_the_order_that_makes_sense():
    kinds = [type(b) for b in behaving(skipping=0.5, guessing=0.1, careless=0.1, timed=True)]
    assert kinds == [ModelTrue, Skipping, Careless, Guessing, Timed]
    assert behaving() == (ModelTrue(),)


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: Skipping(0.0),
        lambda: Skipping(1.5),
        lambda: Careless(-0.1),
        lambda: Guessing(2.0),
        lambda: Guessing(0.1, chance=7.0),
        lambda: SkippingAtRandom(0.0),
    ],
)
def test_shares_that_are_none_are_refused(wrong):
    with pytest.raises(DesignError, match="share of"):
        wrong()
