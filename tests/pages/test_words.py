import re
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
