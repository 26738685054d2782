import json
from typing import Any

import pytest
from hypothesis import given
from pydantic import ValidationError

from engine.errors import BankError
from itembank.items import FLAGS, Item, item_from, plain, public
from tests.itembank import examples


@pytest.mark.parametrize("kind", examples.KINDS)
def test_every_kind_reads_and_is_frozen(kind: str) -> None:
    item = examples.item(kind)
    assert item.kind == kind
    assert item.categories == 2
    with pytest.raises(ValidationError):
        item.stem = "Autre"


@given(examples.items())
def test_plain_data_reads_back(item: Item) -> None:
    assert item_from(plain(item)) == item
    assert item_from(json.loads(json.dumps(plain(item)))) == item


@given(examples.items())
def test_a_learner_sees_neither_key_nor_hints(item: Item) -> None:
    view = public(item)
    assert not {"key", "why", "typos", "tolerance", "credit", "level", "enemies", "status"} & set(view)
    assert json.loads(json.dumps(view)) == view
    assert view["stem"] == item.stem
    for name in ("choices", "options"):
        if name in view:
            assert {shown["code"]: shown["text"] for shown in view[name]} == getattr(item, name)


@pytest.mark.parametrize("kind", ["single_choice", "ordering"])
def test_choices_are_shown_in_the_order_written(kind: str) -> None:
    shuffled = {"c": "Trois", "a": "Un", "b": "Deux"}
    view = public(examples.item(kind, choices=shuffled, key="b" if kind == "single_choice" else ["a", "b", "c"]))
    assert [choice["code"] for choice in view["choices"]] == ["c", "a", "b"]


@pytest.mark.parametrize(
    ("kind", "changes", "words"),
    [
        ("single_choice", {"key": "z"}, "none of the choices"),
        ("single_choice", {"choices": {"a": "Un", "b": "Un"}}, "same text twice"),
        ("single_choice", {"choices": {"a": "Un"}, "key": "a"}, "choices"),
        ("single_choice", {"choices": {"a": True, "b": "Non"}, "key": "b"}, "must be a text; quote it"),
        ("single_choice", {"stem": "  "}, "is blank"),
        ("single_choice", {"stem": 12}, "must be a text"),
        ("single_choice", {"level": 0}, "level"),
        ("single_choice", {"level": "1"}, "level must be a whole number"),
        ("single_choice", {"time": 2}, "time"),
        ("single_choice", {"typos": 1}, "typos is not a field of this kind"),
        ("single_choice", {"accessible": {"blind": True}}, "accessible.colour_blind is missing"),
        ("single_choice", {"accessible": dict.fromkeys(FLAGS, "yes")}, "must be true or false"),
        ("single_choice", {"credit": [0.5, 1]}, "right or wrong"),
        ("single_choice", {"enemies": ["x-1.1-01"]}, "enemies holds the item itself"),
        ("single_choice", {"id": "Un id"}, "id"),
        ("single_choice", {"table": {"header": ["a"], "rows": [["a", "b"]]}}, "2 cells in row 1 for 1 columns"),
        ("single_choice", {"status": "ready"}, "status"),
        ("multiple_choice", {"key": []}, "key"),
        ("multiple_choice", {"key": ["a", "b", "c", "d"]}, "not all of them"),
        ("multiple_choice", {"key": ["a", "a"]}, "each once"),
        ("multiple_choice", {"credit": [1, 0.5]}, "shares that increase"),
        ("multiple_choice", {"credit": [0.5]}, "shares that increase"),
        ("short_text", {"key": ["\u200b"]}, "nothing is left"),
        ("short_text", {"key": []}, "key"),
        ("short_text", {"typos": 3}, "typos"),
        ("number", {"key": "42"}, "key"),
        ("number", {"key": True}, "key"),
        ("number", {"key": float("nan")}, "key"),
        ("number", {"tolerance": -1}, "tolerance"),
        ("ordering", {"key": ["a", "b", "c", "d"]}, "right order already"),
        ("ordering", {"key": ["a", "b", "c"]}, "every choice once"),
        ("matching", {"key": {"a": "p"}}, "one of the options for every choice"),
        ("matching", {"key": {"a": "p", "b": "q", "c": "z"}}, "one of the options for every choice"),
    ],
)
def test_a_faulty_item_is_refused_with_a_sentence(kind: str, changes: dict[str, Any], words: str) -> None:
    with pytest.raises(BankError, match=r"^Item ") as raised:
        examples.item(kind, **changes)
    assert words in str(raised.value)
    assert str(raised.value).endswith(".")


def test_an_unknown_kind_names_the_known_ones() -> None:
    with pytest.raises(BankError, match=r"unknown kind 'essay'; use one of .*'number'"):
        item_from(examples.BASE | {"kind": "essay"})


def test_all_faults_are_named_at_once() -> None:
    with pytest.raises(BankError, match=r"Item x-1.1-01: .*stem.*; .*time") as raised:
        examples.item(stem=1, time="x")
    assert raised.value.__cause__ is not None
