import pytest

from engine.errors import DesignError
from engine.stopping import MaxLength
from simulations.exposure import fit_sympson_hetter
from simulations.learners import draw
from simulations.run import simulate
from simulations.use import exposure_rates
from tests.simulations.examples import plain_bank, single

DESIGN, TABLE = single(plain_bank(), stop=MaxLength(8))


def test_the_fit_brings_exposure_down():
    told = []
    fit = fit_sympson_hetter(DESIGN, TABLE, 0.4, learners=600, tolerance=0.04, progress=lambda *now: told.append(now))
    assert fit.reached
    assert fit.history[0] > 0.9
    assert told == list(enumerate(fit.history, 1))
    limited, table = single(plain_bank(), stop=MaxLength(8), pick=fit.pick)
    fresh = simulate(limited, table, draw(limited.latent, 1500, seed=99)).items
    assert exposure_rates(fresh, 60).max() < 0.48


def test_the_same_seed_gives_the_same_parameters():
    fits = [fit_sympson_hetter(DESIGN, TABLE, 0.4, learners=200, rounds=3, seed=4) for _ in range(2)]
    assert fits[0] == fits[1]
    assert len(fits[0].history) == 3


def test_a_fit_that_does_not_get_there_says_so():
    fit = fit_sympson_hetter(DESIGN, TABLE, 0.2, learners=200, rounds=1)
    assert not fit.reached
    assert fit.pick.exposure == (1.0,) * 60


def test_an_impossible_target_is_refused():
    with pytest.raises(DesignError, match="8 of 60 items"):
        fit_sympson_hetter(DESIGN, TABLE, 0.1, learners=50)
    with pytest.raises(DesignError, match="largest exposure"):
        fit_sympson_hetter(DESIGN, TABLE, 1.5)
