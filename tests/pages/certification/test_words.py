import pytest

from api.certification.session_states import SessionKind, SessionPhase
from api.certification.states import Kind, Phase
from api.pages.certification.sitting import OTHER
from api.pages.words import LANGUAGES, Words, words_of
from engine.assembly import Softness
from engine.validation import End, Outcome
from itembank.items import FLAGS


@pytest.fixture(params=LANGUAGES)
def words(request: pytest.FixtureRequest) -> Words:
    return words_of(request.param)


def test_there_are_words_for_everything_that_happens(words: Words) -> None:
    assert all(f"phase.{phase}" in words for phase in Phase)
    assert all(f"fact.{kind}" in words for kind in (*Kind, *SessionKind))
    assert all(f"team.state_{phase}" in words and f"sheet.step_{phase}" in words for phase in SessionPhase)
    assert all(f"end.{end.name.lower()}" in words and f"session.end_{end.name.lower()}" in words for end in End)
    assert all(f"outcome.{outcome.name.lower()}" in words for outcome in Outcome)
    assert all(f"relaxed.{softness.name.lower()}" in words for softness in Softness if softness.name)
    assert all(f"room.accessible_{flag}" in words for flag in FLAGS)


def test_something_else_is_the_last_kind_of_problem(words: Words) -> None:
    assert len(words.several("session.report_kinds")) == OTHER + 1
