import ast
import re
from pathlib import Path
from string import Formatter

import pytest

from api.pages.words import LANGUAGES, Words, words_of
from engine.stopping import Reason
from itembank.items import FLAGS, KINDS


def places(text: str | list[str]) -> set[str]:
    texts = [text] if isinstance(text, str) else text
    return {name for each in texts for _, name, _, _ in Formatter().parse(each) if name}


def test_languages_have_the_same_texts_with_the_same_places() -> None:
    french, english = (words_of(language).texts for language in LANGUAGES)
    assert french.keys() == english.keys()
    assert [name for name in french if places(french[name]) != places(english[name])] == []
    assert [name for name in french if len(french[name]) == 0] == []


@pytest.fixture(params=LANGUAGES)
def words(request: pytest.FixtureRequest) -> Words:
    return words_of(request.param)


def test_there_are_words_for_everything_that_happens(words: Words) -> None:
    assert all(f"reason.{reason.name.lower()}" in words for reason in Reason if reason is not Reason.GO_ON)
    assert all(f"start.{flag}" in words for flag in FLAGS)
    typed = {"short_text", "number"}
    assert all(f"fault.{kind}" in words for kind in set(KINDS) - typed)


def test_french_binds_its_punctuation() -> None:
    loose = re.compile(r" [?!:;»]|« ")
    assert [name for name, text in words_of("fr").texts.items() if loose.search(str(text))] == []


TOLD = {"NOT_NOW", "INVALID_REQUEST", "NOT_FEASIBLE"}
"""Kinds that the pages of the team tell in the words of their reason."""


def reasons() -> list[tuple[str, str | None]]:
    """Place and reason of every refusal that a page of the team may have to tell."""
    found = []
    root = Path(__file__).parents[2] / "api"
    rooms = ("certification/sessions", "certification/decisions", "organisations", "campaigns")
    files = [
        root / "certification" / "happening.py",
        *(file for room in rooms for file in (root / room).rglob("*.py")),
    ]
    for file in files:
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            match node:
                case ast.Call(func=ast.Name(id="Problem"), args=[ast.Name(id=kind), *_], keywords=more) if kind in TOLD:
                    said = next((word.value for word in more if word.arg == "reason"), None)
                    reason = said.value if isinstance(said, ast.Constant) else None
                    found.append((f"{file.name}:{node.lineno}", reason if isinstance(reason, str) else None))
    return found


def test_every_refusal_has_a_reason_with_words_and_no_words_are_idle(words: Words) -> None:
    assert [place for place, reason in reasons() if f"refusal.{reason}" not in words] == []
    told = {name.removeprefix("refusal.") for name in words.texts if name.startswith("refusal.")}
    assert told == {reason for _, reason in reasons()}
