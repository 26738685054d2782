"""From the fields of a question's form to an answer, and what to say of one that does not suit."""

from dataclasses import dataclass, field
from typing import Any, Final

from starlette.datastructures import FormData

from itembank.items import Item, Matching, MultipleChoice, Number, Ordering, ShortText, SingleChoice
from itembank.marking import Problem as Fault
from itembank.marking import UnsuitableAnswer, mark
from itembank.snapshot import Snapshot

ANSWER: Final = "answer"
SKIP: Final = "skip"
RANK, MATCH = "rank-", "match-"
SAME_RANK: Final = "same_rank"
LONGEST_TYPED: Final = 400
"""Characters that are read of a field; marking refuses shorter texts than that already."""
_LONGEST_POSITION: Final = 6
"""Digits."""


@dataclass(frozen=True)
class Typed:
    """What stands in the fields of a form, to be read as an answer and shown again.

    Parameters
    ----------
    texts : dict
        Content of the fields that hold one value, by name.
    ticked : tuple of str
        Choices that are ticked.
    """

    texts: dict[str, str] = field(default_factory=dict)
    ticked: tuple[str, ...] = ()


def typed_of(form: FormData) -> Typed:
    """Read the fields of a form; files are none of them."""
    pairs = [(name, value[:LONGEST_TYPED]) for name, value in form.multi_items() if isinstance(value, str)]
    return Typed(dict(pairs), tuple(value for name, value in pairs if name == ANSWER))


def asked_item(snapshot: Snapshot, typed: Typed) -> tuple[int, Item] | None:
    """Position and item that a form is about, None when it is about none that can have been asked.

    The form says them so that an old tab never answers another question.
    """
    position, id = typed.texts.get("position", ""), typed.texts.get("item", "")
    plausible = position.isascii() and position.isdigit() and len(position) <= _LONGEST_POSITION
    if not plausible or id not in snapshot.ids:
        return None
    return int(position), snapshot.items[snapshot.row(id)]


def answer_of(item: Item, typed: Typed) -> Any:
    """Answer that the fields give to an item, in the form that marking reads."""
    match item:
        case MultipleChoice():
            return list(typed.ticked)
        case Ordering():
            return [code for _, code in sorted((int(rank), code) for code, rank in _ranks(item, typed).items())]
        case Matching():
            chosen = {code: typed.texts.get(f"{MATCH}{code}", "") for code in item.choices}
            return {code: option for code, option in chosen.items() if option}
        case SingleChoice() | ShortText() | Number():
            return typed.texts.get(ANSWER, "")


def fault_of(item: Item, typed: Typed) -> str | None:
    """Name of the words that say what is wrong with the fields, None when they make an answer."""
    if isinstance(item, Ordering):
        ranks = list(_ranks(item, typed).values())
        if len(set(ranks)) < len(ranks):
            return f"fault.{SAME_RANK}"
    try:
        mark(item, answer_of(item, typed))
    except UnsuitableAnswer as unsuitable:
        return f"fault.{_words(item, unsuitable.problem)}"
    return None


def _ranks(item: Ordering, typed: Typed) -> dict[str, str]:
    """Ranks that were given, by the code of the line."""
    known = {str(rank) for rank in range(1, len(item.choices) + 1)}
    given = {code: typed.texts.get(f"{RANK}{code}", "") for code in item.choices}
    return {code: rank for code, rank in given.items() if rank in known}


def _words(item: Item, problem: Fault) -> str:
    match item:
        case ShortText() | Number():
            return problem.value if problem in (Fault.EMPTY, Fault.TOO_LONG, Fault.NOT_A_NUMBER) else "shape"
        case _:
            return item.kind
