import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.adaptive import Design, begin, step
from engine.errors import DesignError
from engine.filters import AnotherTopic, Prefer, Quotas, asked_in_competence
from engine.latent import Independent
from engine.picks import Proportional
from engine.responses import SKIPPED
from engine.stopping import MaxLength, Reason
from engine.table import build_table
from engine.uniform import uniform
from tests.reference import banks


@settings(deadline=None, max_examples=30)
@given(st.data(), st.integers(1, 4), st.integers(0, 2**32 - 1))
def test_quotas_are_reached_whenever_they_can_be(data: st.DataObject, competences: int, seed: int) -> None:
    """With enough items of each competence, every run ends at its length with all minima and no maximum exceeded."""
    minimum = [data.draw(st.integers(0, 4)) for _ in range(competences)]
    maximum = [low + data.draw(st.integers(0, 4)) for low in minimum]
    length = data.draw(st.integers(sum(minimum), sum(maximum)))
    quotas = Quotas(tuple(minimum), tuple(maximum), length)
    design = Design(
        filters=(quotas, Prefer(AnotherTopic())),
        pick=Proportional(),
        stop=MaxLength(length),
        latent=Independent(competences),
    )
    competence = np.tile(np.arange(competences), 8)
    table = build_table(banks.logistic(seed, competence.size), design, competence=competence, topic=competence)
    learners = np.arange(6)
    state, decision = begin(design, table, uniform(learners, 0), (6,))
    for place in range(length):
        assert not decision.done.any()
        wrong = uniform(learners, 1000 + place) < 0.5
        state, decision = step(
            design,
            table,
            state,
            decision.item,
            np.where(wrong, SKIPPED, 1),
            np.full(6, np.nan),
            uniform(learners, place + 1),
        )
    assert (decision.reason == Reason.MAX_LENGTH).all()
    counts = asked_in_competence(banks.situation(design, table, state))
    assert (counts >= minimum).all()
    assert (counts <= maximum).all()
    assert (counts.sum(axis=1) == length).all()


def test_quotas_wait_until_the_minima_are_urgent() -> None:
    quotas = Quotas((0, 2, 1), (3, 5, 5), 6)
    competence = np.repeat([0, 1, 2], 6)
    design = Design(filters=(quotas,), latent=Independent(3))
    table = build_table(banks.logistic(8, 18), design, competence=competence)
    state, _ = begin(design, table, np.zeros(4), (4,))
    asked = np.zeros((4, 18), dtype=bool)
    asked[1, [0, 1, 2]] = True  # three left, three missing
    asked[2, [0, 1, 6, 7]] = True  # two left, one missing
    asked[3, [0, 1, 6, 7, 8]] = True  # one left, one missing
    now = banks.situation(design, table, state._replace(asked=asked, length=asked.sum(axis=1)))
    assert [set(competence[line].tolist()) for line in quotas(now)] == [{0, 1, 2}, {1, 2}, {0, 1, 2}, {2}]


def test_a_competence_is_closed_at_its_maximum() -> None:
    quotas = Quotas((0, 0), (2, 9), 8)
    design = Design(filters=(quotas,), latent=Independent(2))
    table = build_table(banks.logistic(8, 12), design, competence=np.repeat([0, 1], 6))
    state, _ = begin(design, table, 0.0)
    asked = np.arange(12) < 2
    now = banks.situation(design, table, state._replace(asked=asked, length=np.int64(2)))
    assert quotas(now).tolist() == [False] * 6 + [True] * 6


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (((1, 1), (2,), 2), "as many minima as maxima"),
        (((3,), (2,), 2), "0 <= minimum <= maximum"),
        (((-1,), (2,), 2), "0 <= minimum <= maximum"),
        (((2, 2), (3, 3), 3), "cannot make a test of 3"),
        (((0, 0), (1, 1), 3), "cannot make a test of 3"),
    ],
)
def test_quotas_that_no_test_satisfies_are_refused(
    arguments: tuple[tuple[int, ...], tuple[int, ...], int], words: str
) -> None:
    with pytest.raises(DesignError, match=words):
        Quotas(*arguments)


@pytest.mark.parametrize("wrapped", [False, True])
def test_quotas_are_for_every_competence_of_the_design(wrapped: bool) -> None:
    quotas = Quotas((1, 1), (3, 3), 4)
    design = Design(filters=(Prefer(quotas) if wrapped else quotas,), latent=Independent(3))
    table = build_table(banks.logistic(8, 18), design, competence=np.repeat([0, 1, 2], 6))
    with pytest.raises(DesignError, match="for each of the 3 competences"):
        begin(design, table, 0.0)
