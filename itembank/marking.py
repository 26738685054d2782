"""Marking: an answer and an item give a response category. Pure.

The category is the number of ``credit`` shares that the answer reaches: with the usual ``(1.0,)``, 1 when all is right
and 0 otherwise. The share of an answer is

- multiple choice: (right choices - wrong choices) / choices in the key, at least 0;
- ordering: pairs of choices in the right order minus pairs in the wrong one, over all pairs, at least 0;
- matching: choices with their right option / choices;
- the other kinds: 1 or 0.

An answer whose shape does not suit the kind is not wrong, it is not an answer: AnswerError says what to send.
"""

from collections.abc import Collection
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from itertools import combinations
from typing import Any, assert_never

from engine.errors import AnswerError
from itembank.items import Item, Matching, MultipleChoice, Number, Ordering, ShortText, SingleChoice
from itembank.numerals import read_number
from itembank.short_text import MAX_LENGTH, accepts


class Problem(StrEnum):
    """What is wrong with the shape of an answer, for pages that say it in the learner's language."""

    SHAPE = "shape"
    EMPTY = "empty"
    UNKNOWN_CHOICE = "unknown_choice"
    REPEATED = "repeated"
    INCOMPLETE = "incomplete"
    NOT_A_NUMBER = "not_a_number"
    TOO_LONG = "too_long"


class UnsuitableAnswer(AnswerError):
    """An answer whose shape does not suit the kind of the item, with the problem by name."""

    def __init__(self, problem: Problem, sentence: str) -> None:
        super().__init__(sentence)
        self.problem = problem


def mark(item: Item, answer: Any) -> int:
    """Response category of an answer.

    Parameters
    ----------
    item : Item
    answer : plain data
        As decoded from JSON; see the table in itembank.items.

    Returns
    -------
    int
        0 .. item.categories - 1.

    Raises
    ------
    AnswerError
        When the shape of the answer does not suit the kind of the item; the item must then be asked again.
    """
    share = _share(item, answer)
    return sum(share >= Fraction(str(reached)) for reached in item.credit)


def _share(item: Item, answer: Any) -> Fraction:
    match item:
        case SingleChoice():
            return Fraction(_letter(answer, item.choices) == item.key)
        case MultipleChoice():
            ticked = set(_letters(answer, item.choices))
            right = len(ticked & set(item.key))
            return max(Fraction(0), Fraction(2 * right - len(ticked), len(item.key)))
        case ShortText():
            return Fraction(accepts(item.key, _text(answer), item.typos))
        case Number():
            distance = abs(_number(answer, item.unit) - Decimal(str(item.key)))
            return Fraction(distance <= Decimal(str(item.tolerance)))
        case Ordering():
            return _order_share(item, answer)
        case Matching():
            return _match_share(item, answer)
        case _:
            assert_never(item)


def _letter(answer: Any, choices: Collection[str]) -> str:
    if not isinstance(answer, str):
        raise UnsuitableAnswer(Problem.SHAPE, 'The answer to a single choice is the code of one choice, e.g. "b".')
    if answer not in choices:
        raise UnsuitableAnswer(
            Problem.UNKNOWN_CHOICE, f"There is no choice {answer[:20]!r}; use one of {', '.join(choices)}."
        )
    return answer


def _letters(answer: Any, choices: Collection[str]) -> list[str]:
    if not isinstance(answer, list | tuple) or not all(isinstance(code, str) for code in answer):
        raise UnsuitableAnswer(Problem.SHAPE, 'The answer is a list of codes of choices, e.g. ["a", "c"].')
    if not answer:
        raise UnsuitableAnswer(Problem.EMPTY, "The answer names no choice; name at least one, or skip the item.")
    if len(set(answer)) < len(answer):
        raise UnsuitableAnswer(Problem.REPEATED, "The answer names a choice twice; name each at most once.")
    return [_letter(code, choices) for code in answer]


def _text(answer: Any) -> str:
    if not isinstance(answer, str):
        raise UnsuitableAnswer(Problem.SHAPE, "The answer to a short text is a text.")
    if not answer.strip():
        raise UnsuitableAnswer(Problem.EMPTY, "The answer is empty; write something, or skip the item.")
    if len(answer) > MAX_LENGTH:
        raise UnsuitableAnswer(
            Problem.TOO_LONG, f"The answer has {len(answer)} characters; write at most {MAX_LENGTH}."
        )
    return answer


def _number(answer: Any, unit: str | None) -> Decimal:
    if isinstance(answer, bool) or not isinstance(answer, int | float | str):
        raise UnsuitableAnswer(Problem.SHAPE, 'The answer is a number, e.g. 42 or "42,5".')
    if isinstance(answer, str):
        if not answer.strip():
            raise UnsuitableAnswer(Problem.EMPTY, "The answer is empty; write a number, or skip the item.")
        value = read_number(answer, unit)
    else:
        value = Decimal(answer) if isinstance(answer, int) else Decimal(str(answer))
    if value is None or not value.is_finite():
        raise UnsuitableAnswer(Problem.NOT_A_NUMBER, 'The answer does not read as a number; write e.g. 42 or "42,5".')
    return value


def _order_share(item: Ordering, answer: Any) -> Fraction:
    order = _letters(answer, item.choices)
    if len(order) < len(item.choices):
        raise UnsuitableAnswer(
            Problem.INCOMPLETE, f"The answer orders {len(order)} of {len(item.choices)} choices; name every choice."
        )
    rank = {code: place for place, code in enumerate(order)}
    pairs = list(combinations(item.key, 2))
    right = sum(rank[first] < rank[second] for first, second in pairs)
    return max(Fraction(0), Fraction(2 * right - len(pairs), len(pairs)))


def _match_share(item: Matching, answer: Any) -> Fraction:
    if not isinstance(answer, dict) or not all(isinstance(code, str) for code in answer.values()):
        raise UnsuitableAnswer(Problem.SHAPE, 'The answer gives an option for each choice, e.g. {"a": "q", "b": "p"}.')
    if not answer:
        raise UnsuitableAnswer(Problem.EMPTY, "The answer matches nothing; match every choice, or skip the item.")
    for choice, option in answer.items():
        _letter(choice, item.choices)
        _letter(option, item.options)
    missing = [choice for choice in item.choices if choice not in answer]
    if missing:
        raise UnsuitableAnswer(
            Problem.INCOMPLETE, f"The answer says nothing of {', '.join(missing)}; match every choice."
        )
    return Fraction(sum(answer[choice] == option for choice, option in item.key.items()), len(item.key))
