"""The sample: every answer in its column, whatever the layout, the policy and the borders of the blocks."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.calibration.expectation import Prior, expect
from engine.calibration.sample import BLOCK, Entries, Sample, prepare, tally
from engine.errors import DesignError, ResponseError
from engine.responses import NOT_REACHED, SKIPPED, TIMED_OUT, SkipPolicy

POLICIES = ("unknown", "incorrect", "ignored")
CATEGORIES = (2, 3, 2, 2, 4)
PLACES = (0, 0, 1, 1, 1)
VALUES = st.tuples(*(st.sampled_from([*range(k), NOT_REACHED, SKIPPED, TIMED_OUT]) for k in CATEGORIES)).map(list)


def entries(
    categories: tuple[int, ...] = CATEGORIES,
    competence: tuple[int, ...] = PLACES,
    group: tuple[int, ...] | None = None,
    column: tuple[int, ...] | None = None,
) -> Entries:
    count = len(categories)
    return Entries(
        np.arange(count) if column is None else np.array(column),
        np.array(competence),
        np.array(categories),
        np.full(count, -1) if group is None else np.array(group),
    )


def cells(sample: Sample) -> np.ndarray:
    """The whole matrix of answers (N, columns), whatever its layout."""
    blocks = []
    for block in sample.blocks:
        parts = [part if isinstance(part, np.ndarray) else part.toarray() for part in block.answers]
        assert all(part.shape[0] == block.stop - block.start for part in parts)
        blocks.append(np.hstack(parts))
    return np.vstack(blocks).astype(int)


def evidence(response: int, skip: str, time_out: str) -> int | None:
    """Category, None for no evidence: the rules in words."""
    if response >= 0:
        return response
    policy = {SKIPPED: skip, TIMED_OUT: time_out, NOT_REACHED: "ignored"}[response]
    return None if policy == "ignored" else 0


@settings(max_examples=60)
@given(st.lists(VALUES, min_size=1, max_size=12), st.sampled_from(POLICIES), st.sampled_from(POLICIES))
def test_every_answer_is_in_its_column(rows: list[list[int]], skip: SkipPolicy, time_out: SkipPolicy) -> None:
    responses = np.array(rows)
    sample = prepare(responses, entries(), np.zeros(len(rows), dtype=int), 2, skip, time_out)
    layout, found = sample.layout, cells(sample)
    assert found.shape == (len(rows), layout.first[-1])
    assert layout.competence.tolist() == list(PLACES)
    expected = np.zeros(found.shape, dtype=int)
    for learner, row in enumerate(rows):
        for item, response in enumerate(row):
            category = evidence(response, skip, time_out)
            if category is not None:
                expected[learner, layout.first[item] + category] += 1
    np.testing.assert_array_equal(found, expected)
    read = [[evidence(r, skip, time_out) for r in row] for row in rows]
    assert sample.counts.tolist() == [sum(row[i] is not None for row in read) for i in range(5)]
    assert sample.silent == sum(all(r is None for r in row) for row in read)
    tallies = tally(responses, skip, time_out)
    for item in range(5):
        for category in range(tallies.shape[1]):
            assert tallies[item, category] == sum(row[item] is not None and row[item] == category for row in read), (
                item,
                category,
            )


def test_columns_follow_items_and_competences() -> None:
    layout = prepare(np.zeros((2, 5), dtype=int), entries(), np.zeros(2, dtype=int), 2).layout
    assert layout.first.tolist() == [0, 2, 5, 7, 9, 13]
    assert layout.bounds.tolist() == [0, 2, 5]


def test_time_outs_are_wrong_answers_by_default() -> None:
    given_codes = np.array([[TIMED_OUT] * 5, [1, 1, 1, 1, 1]])
    wrong = np.where(given_codes == TIMED_OUT, 0, given_codes)
    group = np.zeros(2, dtype=int)
    np.testing.assert_array_equal(
        cells(prepare(given_codes, entries(), group, 2)), cells(prepare(wrong, entries(), group, 2))
    )


def test_entries_of_one_group_count_its_answers_only() -> None:
    responses = np.array([[1, 0], [0, 1], [1, 1], [0, SKIPPED]])
    group = np.array([0, 1, 0, 1])
    split = entries((2, 2, 2), (0, 0, 0), (-1, 0, 1), (0, 1, 1))
    sample = prepare(responses, split, group)
    assert sample.counts.tolist() == [4, 2, 2]
    expected = [[0, 1, 1, 0, 0, 0], [1, 0, 0, 0, 0, 1], [0, 1, 0, 1, 0, 0], [1, 0, 0, 0, 1, 0]]
    np.testing.assert_array_equal(cells(sample), expected)
    assert sample.silent == 0


@pytest.mark.parametrize("learners", [1, BLOCK - 1, BLOCK, BLOCK + 1, 2 * BLOCK, 2 * BLOCK + 1])
def test_nothing_shows_at_the_borders_of_the_blocks(learners: int) -> None:
    rng = np.random.default_rng(learners)
    responses = rng.integers(-3, 2, size=(learners, 4))
    laid = entries((2,) * 4, (0,) * 4)
    sample = prepare(responses, laid, np.zeros(learners, dtype=int), skip="ignored", time_out="ignored")
    assert [block.start for block in sample.blocks] == list(range(0, learners, BLOCK))
    assert sample.blocks[-1].stop == learners
    expected = np.stack([responses == 0, responses == 1], axis=2).reshape(learners, 8)
    np.testing.assert_array_equal(cells(sample), expected)
    np.testing.assert_array_equal(
        tally(responses, "ignored", "ignored"), [[(c == 0).sum(), (c == 1).sum()] for c in responses.T]
    )


def test_few_answers_are_laid_sparsely_and_expect_the_same() -> None:
    rng = np.random.default_rng(2)
    responses = np.where(rng.random((400, 12)) < 0.85, NOT_REACHED, rng.integers(0, 2, size=(400, 12)))
    laid = entries((2,) * 12, (0,) * 12)
    group = rng.integers(0, 2, size=400)
    sparse = prepare(responses, laid, group)
    # a thirteenth item that everybody answered makes the same answers dense
    full = np.column_stack([responses] + [rng.integers(0, 2, size=400)] * 6)
    dense = prepare(full, entries((2,) * 18, (0,) * 18), group)
    assert not isinstance(sparse.blocks[0].answers[0], np.ndarray)
    assert isinstance(dense.blocks[0].answers[0], np.ndarray)
    nodes = np.linspace(-4, 4, 9)
    weights = np.log(rng.dirichlet(np.ones(9), size=(2, 1)))
    log_p = np.log(rng.uniform(0.1, 0.9, size=(36, 9)))
    log_p[24:] = 0.0  # answers to the six items say nothing
    one = expect(sparse, log_p[:24], Prior(nodes, weights))
    two = expect(dense, log_p, Prior(nodes, weights))
    assert one.log_likelihood == pytest.approx(two.log_likelihood, rel=1e-13)
    np.testing.assert_allclose(one.counts, two.counts[:24], rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(one.mass, two.mass, rtol=1e-12)
    assert one.smallest_sd == pytest.approx(two.smallest_sd)
    assert one.edge == pytest.approx(two.edge)


@pytest.mark.parametrize("kind", [np.int8, np.int16, np.int64])
def test_any_whole_numbers(kind: type) -> None:
    responses = np.array([[1, SKIPPED, 0, 1, 2], [0, 2, NOT_REACHED, TIMED_OUT, 3]])
    group = np.zeros(2, dtype=int)
    np.testing.assert_array_equal(
        cells(prepare(responses.astype(kind), entries(), group, 2)), cells(prepare(responses, entries(), group, 2))
    )


def test_whole_numbers_without_sign() -> None:
    responses = np.array([[1, 2, 0, 1, 2], [0, 2, 1, 0, 3]])
    small = tally(responses.astype(np.uint8), "unknown", "incorrect")
    np.testing.assert_array_equal(small, tally(responses, "unknown", "incorrect"))


@pytest.mark.parametrize("wrong", [128, 256, 70000, 10**9])
def test_a_category_that_does_not_fit_is_refused_and_not_wrapped(wrong: int) -> None:
    """256 kept as a byte would be a wrong answer."""
    responses = np.zeros((3, 4), dtype=np.int64)
    responses[1, 2] = wrong
    with pytest.raises(ResponseError, match=f"Item number 3 has the response {wrong}; categories go from 0 to 127"):
        tally(responses, "unknown", "incorrect")


def test_codes_and_policies_that_do_not_exist_are_refused() -> None:
    with pytest.raises(ResponseError, match="no response -4"):
        tally(np.array([[0, -4]]), "unknown", "incorrect")
    with pytest.raises(DesignError, match="no policy 'wrong'"):
        tally(np.array([[0, 1]]), "wrong", "incorrect")  # type: ignore[arg-type]


@pytest.mark.parametrize("share", [1.0, 0.1])
def test_some_learners_are_taken_from_everywhere(share: float) -> None:
    """Every so many, in whatever order they come: so that data sorted by score or booklet are seen whole."""
    learners = 3 * BLOCK + 100
    rng = np.random.default_rng(0)
    responses = np.where(rng.random((learners, 5)) < share, rng.integers(0, 2, size=(learners, 5)), NOT_REACHED)
    group = rng.integers(0, 3, size=learners)
    laid = entries((2,) * 5, (False,) * 5, (0, 0, 1, 1, 1))
    sample = prepare(responses, laid, group, 2)
    some = sample.some(400)
    kept = np.arange(0, learners, learners // 400)
    np.testing.assert_array_equal(cells(some), cells(sample)[kept])
    assert some.group.tolist() == group[kept].tolist()
    assert some.learners == kept.size
    assert some.counts.tolist() == sample.counts.tolist()
    assert type(some.blocks[0].answers[0]) is type(sample.blocks[0].answers[0])
    np.testing.assert_array_equal(cells(sample.some(10**6)), cells(sample))
