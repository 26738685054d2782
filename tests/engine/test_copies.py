"""Copies: pair by pair with scalars, sessions of the honest, and copiers."""

import numpy as np
import pytest

from engine.adaptive import Design
from engine.answered import known
from engine.copies import ALIKE, Copies, copied
from engine.errors import DesignError, ResponseError
from engine.grid import Grid
from engine.latent import LatentTree
from engine.parameters import ItemParameters
from engine.responses import NONE, NOT_REACHED, SKIPPED
from engine.state import Facts
from engine.table import Table, build_table
from tests.reference import plausibility as slow
from tests.reference.banks import mixed, table_for

SMALL = Grid(-4.0, 4.0, 21)
TREE = LatentTree((0, 0, 1), (0.85, 0.7), (0.9, 0.6, 0.8))
Session = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]


def session(design: Design, table: Table, seed: int, people: int, length: int) -> Session:
    """Personal tests of different lengths, with silences, and raw answers of three kinds."""
    rng = np.random.default_rng(seed)
    item = np.stack([rng.permutation(table.competence.size)[:length] for _ in range(people)])
    response = np.where(
        rng.uniform(size=item.shape) < 0.15, rng.integers(-3, 0, item.shape), rng.integers(0, table.categories_of[item])
    )
    real = np.arange(length) < rng.integers(3, length + 1, (people, 1))
    item, response = np.where(real, item, NONE), np.where(real, response, NONE)
    posterior = known(design, table, Facts(item, response, np.full(item.shape, np.nan))).posterior
    return item, response, rng.integers(0, 3, item.shape), posterior


def test_each_candidate_gets_the_worst_pair_of_the_scalar_sums() -> None:
    design = Design(grid=SMALL, latent=TREE)
    table = table_for(design, mixed(1, 18))
    alike = np.random.default_rng(0).uniform(0.1, 0.9, 18)
    for seed in range(5):
        item, response, answer, posterior = session(design, table, seed, 6, 8)
        given = [
            {
                int(i): (int(k), int(raw))
                for i, k, raw in zip(item[n], response[n], answer[n], strict=True)
                if i != NONE and k != NOT_REACHED
            }
            for n in range(6)
        ]
        pairs = {
            (a, b): slow.matches(table, given[a], given[b], (posterior[a], posterior[b]), alike)
            for a in range(6)
            for b in range(6)
            if a != b and set(given[a]) & set(given[b])
        }
        found = copied(table, item, response, answer, posterior, alike)
        for n in range(6):
            p = {b: tail for (a, b), (_, _, tail) in pairs.items() if a == n}
            assert found.p[n] == pytest.approx(min(1.0, min(p.values()) * len(pairs) / 2), abs=1e-10)
            partner = int(found.partner[n])
            assert p[partner] == pytest.approx(min(p.values()), abs=1e-10)
            assert (found.shared[n], found.alike[n]) == pairs[n, partner][:2]


def test_sessions_side_by_side_are_as_each_alone() -> None:
    design = Design(grid=SMALL, latent=TREE)
    table = table_for(design, mixed(1, 18))
    several = [session(design, table, seed, 5, 8) for seed in range(3)]
    together = copied(table, *(np.stack(field) for field in zip(*several, strict=True)))  # type: ignore[call-arg, arg-type]
    for place, one in enumerate(several):
        for whole, single in zip(together, copied(table, *one), strict=True):
            np.testing.assert_array_equal(whole[place], single)


def test_names_and_order_do_not_matter_and_p_is_symmetric() -> None:
    design = Design(grid=SMALL, latent=TREE)
    table = table_for(design, mixed(1, 18))
    one = session(design, table, 4, 6, 8)
    order = np.array([3, 0, 5, 2, 4, 1])
    moved = copied(table, *(field[order] for field in one))  # type: ignore[arg-type]
    straight = copied(table, *one)
    np.testing.assert_allclose(moved.p, straight.p[order], atol=1e-12)
    backwards = copied(table, *(field[:, ::-1] for field in one[:3]), one[3])  # type: ignore[arg-type]
    np.testing.assert_allclose(backwards.p, straight.p, atol=1e-12)
    assert straight.p.min() == np.sort(straight.p)[1], "a pair accuses both"


def test_a_skip_is_like_nothing_and_a_right_answer_is_like_any_other() -> None:
    design = Design(grid=SMALL)
    table = build_table(ItemParameters.of("2PL", [1.0, 1.2, 0.8], [0.0, 0.5, -0.5]), design)
    item = np.tile(np.arange(3), (2, 1))
    flat = np.ones((2, 1, SMALL.count)) * np.exp(SMALL.log_weights)

    def alike(first: list[int], second: list[int], raw: list[list[int]]) -> int:
        return int(copied(table, item, np.array([first, second]), np.array(raw), flat).alike[0])

    assert alike([1, 1, 1], [1, 1, 0], [[0, 1, 2], [7, 8, 9]]) == 2
    assert alike([0, 0, 1], [0, 0, 0], [[4, 5, 6], [4, 6, 6]]) == 1
    assert alike([SKIPPED, SKIPPED, 0], [SKIPPED, 0, NOT_REACHED], [[0, 0, 0], [0, 0, 0]]) == 0


def test_who_shares_nothing_or_is_alone_is_not_suspected() -> None:
    design = Design(grid=SMALL)
    table = build_table(ItemParameters.of("2PL", np.ones(6), np.zeros(6)), design)
    belief = np.ones((3, 1, SMALL.count)) * np.exp(SMALL.log_weights)
    item = np.array([[0, 1], [2, 3], [NONE, NONE]])
    found = copied(table, item, np.where(item == NONE, NONE, 1), item, belief)
    expected = Copies(np.ones(3), np.full(3, NONE), np.zeros(3), np.zeros(3))
    for field, value in zip(found, expected, strict=True):
        np.testing.assert_array_equal(field, value)
    np.testing.assert_array_equal(copied(table, item[:1], item[:1] * 0, item[:1], belief[:1]).p, [1.0])


def test_what_cannot_be_is_refused() -> None:
    design = Design(grid=SMALL)
    table = build_table(ItemParameters.of("2PL", np.ones(6), np.zeros(6)), design)
    belief = np.ones((2, 1, SMALL.count)) * np.exp(SMALL.log_weights)
    item = np.array([[0, 1], [1, 2]])
    with pytest.raises(ResponseError, match="same shape"):
        copied(table, item, item[:1], item, belief)
    with pytest.raises(DesignError, match="between 0 and 1"):
        copied(table, item, item * 0, item, belief, 1.5)


def one_form(seed: int, people: int, shares: tuple[float, ...]) -> tuple[Design, Table, np.ndarray, np.ndarray]:
    """Everybody answers the same 40 items; wrong answers take one of three forms with the given shares."""
    rng = np.random.default_rng(seed)
    design = Design(grid=SMALL)
    bank = ItemParameters.of("2PL", rng.uniform(0.8, 2.0, 40), rng.normal(0.0, 1.0, 40))
    p = 1.0 / (1.0 + np.exp(-bank.discrimination * (rng.normal(size=(people, 1)) - bank.difficulty)))
    response = (rng.uniform(size=p.shape) < p).astype(np.int64)
    return design, build_table(bank, design), response, rng.choice(len(shares), p.shape, p=shares)


def judged(design: Design, table: Table, response: np.ndarray, answer: np.ndarray, size: int) -> Copies:
    """Sessions of ``size`` candidates."""
    item = np.broadcast_to(np.arange(40), response.shape)
    posterior = known(design, table, Facts(item, response, np.full(response.shape, np.nan))).posterior
    shape = (-1, size, 40)
    return copied(
        table,
        item.reshape(shape),
        response.reshape(shape),
        answer.reshape(shape),
        posterior.reshape(-1, size, 1, SMALL.count),
    )


@pytest.mark.parametrize("shares", [(1 / 3, 1 / 3, 1 / 3), (0.6, 0.3, 0.1), (0.5, 0.5, 0.0)])
def test_sessions_of_the_honest_are_rarely_suspected(shares: tuple[float, ...]) -> None:
    """300 sessions of 15, wrong answers at most as much alike as the default says."""
    assert sum(share**2 for share in shares) <= ALIKE
    p = judged(*one_form(1, 4500, shares), 15).p.min(axis=-1)
    assert np.mean(p < 0.05) < 0.06
    assert np.mean(p < 0.01) < 0.02


def test_copiers_are_found_with_those_they_copied_from() -> None:
    design, table, response, answer = one_form(2, 1500, (0.5, 0.3, 0.2))
    rng = np.random.default_rng(3)
    found = []
    for share in (0.0, 0.5, 0.8):
        mine, raw = response.copy(), answer.copy()
        copies = rng.uniform(size=(100, 40)) < share
        mine[1::15] = np.where(copies, response[::15], response[1::15])
        raw[1::15] = np.where(copies, answer[::15], answer[1::15])
        result = judged(design, table, mine, raw, 15)
        found.append(float(np.mean((result.p[:, 1] < 0.01) & (result.partner[:, 1] == 0))))
    assert found[0] == 0.0
    assert found[1] > 0.15
    assert found[2] > 0.8
