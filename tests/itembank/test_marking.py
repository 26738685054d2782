from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import AnswerError
from itembank.items import Item
from itembank.marking import Problem, UnsuitableAnswer, mark
from tests.itembank import examples

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=300),
    lambda inner: st.lists(inner, max_size=6) | st.dictionaries(st.text(max_size=3), inner, max_size=6),
    max_leaves=10,
)


@given(examples.items())
def test_the_key_always_marks_full(item: Item) -> None:
    assert mark(item, examples.right_answer(item)) == item.categories - 1


def outcome(item: Item, answer: Any) -> int | AnswerError:
    """Category, or the error that marking raised."""
    try:
        return mark(item, answer)
    except AnswerError as error:
        return error


@given(examples.items(), JSON)
def test_any_answer_has_a_category_or_a_sentence(item: Item, answer: Any) -> None:
    marked = outcome(item, answer)
    if isinstance(marked, AnswerError):
        assert str(marked).endswith(".")
        assert len(str(marked)) < 200
    else:
        assert 0 <= marked < item.categories


@given(examples.items(), st.data())
def test_marking_is_pure(item: Item, data: st.DataObject) -> None:
    answer = examples.right_answer(item)
    assert mark(item, answer) == mark(item, answer)
    assert examples.right_answer(item) == answer


@pytest.mark.parametrize(
    ("kind", "answer", "category"),
    [
        ("single_choice", "b", 1),
        ("single_choice", "a", 0),
        ("multiple_choice", ["a", "c"], 1),
        ("multiple_choice", ["c", "a"], 1),
        ("multiple_choice", ["a"], 0),
        ("multiple_choice", ["a", "b", "c"], 0),
        ("multiple_choice", ["a", "b", "c", "d"], 0),
        ("short_text", "pare feu", 1),
        ("short_text", "PARE-FEU !", 1),
        ("short_text", "parefeux", 1),
        ("short_text", "pafreeu", 0),
        ("short_text", "firewal", 1),
        ("short_text", "mur", 0),
        ("number", 42, 1),
        ("number", 42.5, 1),
        ("number", "42,5", 1),
        ("number", "42,6", 0),
        ("number", " 41.5 mo", 1),
        ("number", 43, 0),
        ("number", 10**400, 0),
        ("ordering", ["c", "a", "d", "b"], 1),
        ("ordering", ["a", "c", "d", "b"], 0),
        ("matching", {"a": "p", "b": "q", "c": "r"}, 1),
        ("matching", {"c": "r", "b": "q", "a": "p"}, 1),
        ("matching", {"a": "p", "b": "q", "c": "s"}, 0),
    ],
)
def test_right_and_wrong(kind: str, answer: Any, category: int) -> None:
    assert mark(examples.item(kind), answer) == category


@pytest.mark.parametrize(
    ("kind", "answer", "problem"),
    [
        ("single_choice", 1, Problem.SHAPE),
        ("single_choice", ["b"], Problem.SHAPE),
        ("single_choice", None, Problem.SHAPE),
        ("single_choice", "z", Problem.UNKNOWN_CHOICE),
        ("multiple_choice", "a", Problem.SHAPE),
        ("multiple_choice", [], Problem.EMPTY),
        ("multiple_choice", ["a", "a"], Problem.REPEATED),
        ("multiple_choice", ["a", "z"], Problem.UNKNOWN_CHOICE),
        ("multiple_choice", ["a", 1], Problem.SHAPE),
        ("short_text", 12, Problem.SHAPE),
        ("short_text", "  \n", Problem.EMPTY),
        ("short_text", "a" * 201, Problem.TOO_LONG),
        ("number", True, Problem.SHAPE),
        ("number", "douze", Problem.NOT_A_NUMBER),
        ("number", "", Problem.EMPTY),
        ("number", float("nan"), Problem.NOT_A_NUMBER),
        ("number", float("inf"), Problem.NOT_A_NUMBER),
        ("number", "1 2", Problem.NOT_A_NUMBER),
        ("ordering", ["c", "a", "d"], Problem.INCOMPLETE),
        ("ordering", ["c", "a", "d", "d"], Problem.REPEATED),
        ("ordering", [], Problem.EMPTY),
        ("matching", [["a", "p"]], Problem.SHAPE),
        ("matching", {}, Problem.EMPTY),
        ("matching", {"a": "p"}, Problem.INCOMPLETE),
        ("matching", {"a": "p", "b": "q", "c": "z"}, Problem.UNKNOWN_CHOICE),
        ("matching", {"a": "p", "b": "q", "c": 1}, Problem.SHAPE),
    ],
)
def test_an_unsuitable_answer_is_not_marked(kind: str, answer: Any, problem: Problem) -> None:
    with pytest.raises(UnsuitableAnswer) as raised:
        mark(examples.item(kind), answer)
    assert raised.value.problem is problem


@pytest.mark.parametrize(
    ("answer", "category"),
    [(["a", "c"], 2), (["a"], 1), (["a", "b", "c"], 1), (["a", "b"], 0), (["b"], 0), (["b", "d"], 0)],
)
def test_partial_credit_of_a_multiple_choice_takes_wrong_choices_off(answer: list[str], category: int) -> None:
    assert mark(examples.item("multiple_choice", credit=[0.5, 1]), answer) == category


@pytest.mark.parametrize(
    ("answer", "category"),
    [(["c", "a", "d", "b"], 2), (["a", "c", "d", "b"], 1), (["b", "d", "a", "c"], 0), (["a", "b", "c", "d"], 0)],
)
def test_partial_credit_of_an_ordering_counts_pairs(answer: list[str], category: int) -> None:
    assert mark(examples.item("ordering", credit=[0.5, 1]), answer) == category


@pytest.mark.parametrize("right", range(4))
def test_partial_credit_of_a_matching_counts_matches(right: int) -> None:
    item = examples.item("matching", credit=[0.3, 0.6, 1])
    pairs = examples.right_answer(item).items()
    answer = {code: option if place < right else "s" for place, (code, option) in enumerate(pairs)}
    assert mark(item, answer) == right


def test_a_share_written_in_decimals_is_reached_exactly() -> None:
    item = examples.item(
        "matching",
        choices={code: code for code in "abcde"},
        options={code: code for code in "pqrst"},
        key=dict(zip("abcde", "pqrst", strict=True)),
        credit=[0.2, 0.6, 1],
    )
    assert mark(item, {"a": "p", "b": "p", "c": "p", "d": "p", "e": "p"}) == 1
    assert mark(item, {"a": "p", "b": "q", "c": "r", "d": "p", "e": "p"}) == 2


@given(st.decimals(-1000, 1000, places=2), st.decimals(0, 10, places=2), st.decimals(-20, 20, places=2))
def test_a_number_is_right_exactly_within_its_tolerance(key: Decimal, tolerance: Decimal, error: Decimal) -> None:
    item = examples.item("number", key=float(key), tolerance=float(tolerance))
    expected = int(abs(error) <= tolerance)
    assert mark(item, str(key + error)) == expected
    assert mark(item, str(key + error).replace(".", ",")) == expected
