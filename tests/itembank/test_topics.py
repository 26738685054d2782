import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.errors import BankError, ResponseError
from engine.models import log_probability
from engine.responses import NOT_REACHED, SKIPPED, TIMED_OUT
from itembank.files import shipped_bank
from itembank.framework import framework_from
from itembank.parameters import Parameters
from itembank.snapshot import Snapshot
from itembank.topics import Suggestion, TopicTally, suggested_topics, topic_tallies
from tests.itembank import examples

SNAPSHOT = Snapshot.of(shipped_bank())
STEPS = Snapshot.of(
    replace(
        shipped_bank(),
        parameters={
            id: Parameters(
                "GRM" if row % 2 else "GPCM",
                1.2,
                thresholds=(known.location - 0.4, known.location, 1.0 + known.location),
            )
            if row % 3 == 0
            else known
            for row, (id, known) in enumerate(shipped_bank().parameters.items())
        },
    )
)
"""The shipped items, a third of them with partial credit."""
SMALL = Snapshot.of(examples.bank())
RESPONSES = st.sampled_from([SKIPPED, TIMED_OUT, NOT_REACHED]) | st.integers(0, 7)
ABILITY = st.floats(-6, 6)


@st.composite
def runs(draw: st.DrawFn) -> list[tuple[str, int]]:
    """Replies to some items of STEPS, each a category of its item or a code."""
    rows = draw(st.lists(st.integers(0, len(STEPS) - 1), unique=True, max_size=48))
    top = STEPS.parameters.categories - 1
    return [(STEPS.ids[row], min(draw(RESPONSES), int(top[row]))) for row in rows]


@settings(max_examples=60, deadline=None)
@given(runs(), st.lists(ABILITY, min_size=16, max_size=16))
def test_points_lie_within_what_was_asked_and_sum_over_topics(
    replies: list[tuple[str, int]], abilities: list[float]
) -> None:
    tallies = topic_tallies(replies, STEPS, abilities)
    reached = [(id, response) for id, response in replies if response != NOT_REACHED]
    assert sum(tally.asked for tally in tallies) == len(reached)
    assert sum(tally.skipped for tally in tallies) == sum(response == SKIPPED for _, response in reached)
    assert len({(tally.competence, tally.topic) for tally in tallies}) == len(tallies)
    for tally in tallies:
        assert 0 <= tally.obtained <= tally.asked - tally.skipped
        assert 0 <= tally.expected <= tally.asked
        # Of all the laws on [0, 1] with that mean, the one on the two ends varies most (Bhatia and Davis 2000).
        mean = tally.expected / tally.asked
        assert 0 <= tally.variance <= tally.asked * mean * (1 - mean) + 1e-9
    for one, other in zip(topic_tallies(replies[::-1], STEPS, abilities), tallies, strict=True):
        assert one.told() == pytest.approx(other.told(), abs=2e-6)


@settings(max_examples=30, deadline=None)
@given(runs(), st.lists(ABILITY, min_size=16, max_size=16), st.floats(0, 3))
def test_more_is_expected_of_the_more_able(replies: list[tuple[str, int]], abilities: list[float], more: float) -> None:
    able = topic_tallies(replies, STEPS, np.array(abilities) + more)
    for one, other in zip(topic_tallies(replies, STEPS, abilities), able, strict=True):
        assert other.expected >= one.expected - 1e-9
        assert other.obtained == one.obtained


def test_a_tally_by_hand() -> None:
    """A 2PL at its difficulty, and a partial credit item whose three categories are equally likely."""
    bank = examples.bank()
    polytomous = examples.item("ordering", id="x-1.1-801", topic="alpha", credit=[0.5, 1.0])
    plain = examples.item(id="x-1.1-802", topic="alpha")
    bank = bank.with_item(polytomous, Parameters("GPCM", 1.0, None, thresholds=(0.5, 0.5)))
    snapshot = Snapshot.of(bank.with_item(plain, Parameters("2PL", 1.3, 0.5)))
    abilities = [0.5, -3.0, 3.0]
    [tally] = topic_tallies([("x-1.1-801", 1), ("x-1.1-802", SKIPPED)], snapshot, abilities)
    assert tally.told() == {
        "competence": "1.1",
        "topic": "alpha",
        "asked": 2,
        "obtained": 0.5,
        "expected": 1.0,
        "variance": round(0.25 + 1 / 6, 6),
        "skipped": 1,
    }
    assert math.isclose(tally.short, 0.5)
    [tally] = topic_tallies([("x-1.1-801", 2), ("x-1.1-802", TIMED_OUT)], snapshot, abilities)
    assert (tally.asked, tally.obtained, tally.skipped) == (2, 1.0, 0)


def test_each_item_is_expected_at_the_ability_in_its_own_competence() -> None:
    ids = [next(item.id for item in SMALL.items if item.competence == code) for code in ("1.1", "1.2", "2.1")]
    alone = [
        topic_tallies([(id, 1)], SMALL, [ability] * 3)[0] for id, ability in zip(ids, (-1.0, 0.5, 2.0), strict=True)
    ]
    assert topic_tallies([(id, 1) for id in ids], SMALL, [-1.0, 0.5, 2.0]) == tuple(alone)


def test_expected_points_are_those_of_simulated_answers() -> None:
    """What the engine draws from the model has this mean and this variance."""
    rng = np.random.default_rng(5)
    row = int(np.flatnonzero(STEPS.parameters.categories > 2)[0])
    abilities = np.full(16, 0.3)
    [tally] = topic_tallies([(STEPS.ids[row], 0)], STEPS, abilities)
    chances = np.exp(log_probability(STEPS.parameters.take([row]), [0.3]))[0, :, 0]
    points = rng.choice(len(chances), size=200_000, p=chances / chances.sum()) / (STEPS.parameters.categories[row] - 1)
    assert tally.expected == pytest.approx(points.mean(), abs=0.005)
    assert tally.variance == pytest.approx(points.var(), abs=0.005)


def test_a_run_without_replies_has_no_topics() -> None:
    assert topic_tallies([], SMALL, [0.0] * 3) == ()
    assert topic_tallies([(SMALL.ids[0], NOT_REACHED)], SMALL, [0.0] * 3) == ()


@pytest.mark.parametrize(
    ("replies", "abilities", "words"),
    [
        ([("nobody", 1)], [0.0] * 3, "no item 'nobody'"),
        ([(SMALL.ids[0], 9)], [0.0] * 3, "not a category of its item"),
        ([(SMALL.ids[0], -4)], [0.0] * 3, "not a category of its item"),
        ([(SMALL.ids[0], 1)], [0.0] * 2, "one finite ability for each of 3 competences"),
        ([(SMALL.ids[0], 1)], [0.0, math.nan, 0.0], "one finite ability"),
    ],
)
def test_an_impossible_tally_is_refused(replies: list[tuple[str, int]], abilities: list[float], words: str) -> None:
    with pytest.raises((BankError, ResponseError), match=words):
        topic_tallies(replies, SMALL, abilities)


def tally(topic: str, obtained: float, expected: float, skipped: int = 0, asked: int = 2) -> TopicTally:
    return TopicTally("1.1", topic, asked, obtained, expected, 0.3, skipped)


def suggested(*tallies: TopicTally, level: int = 2, count: int = 3) -> list[tuple[str, str]]:
    found = suggested_topics(tallies, SNAPSHOT.framework, SNAPSHOT, "1.1", level, count)
    return [(one.topic, one.reason) for one in found]


def topics_at(level: int) -> list[str]:
    """Topics of 1.1 that have items at a level, as the framework orders them."""
    there = {item.topic for item in SNAPSHOT.items if item.competence == "1.1" and item.level == level}
    return [topic.code for topic in SNAPSHOT.framework.competence("1.1").topics if topic.code in there]


def test_the_topic_most_below_expectation_comes_first() -> None:
    given = (tally("veille", 1.0, 1.2), tally("moteurs", 0.0, 1.5), tally("requetes", 2.0, 1.2))
    assert suggested(*given, count=2) == [("moteurs", "missed"), ("veille", "missed")]
    assert suggested(*given[::-1], count=2) == suggested(*given, count=2)


def test_skips_are_named_when_they_cost_most() -> None:
    assert suggested(tally("moteurs", 0.0, 1.5, skipped=2), count=1) == [("moteurs", "skipped")]
    assert suggested(tally("moteurs", 0.5, 1.5, skipped=1), count=1) == [("moteurs", "skipped")]
    assert suggested(tally("moteurs", 0.0, 1.5, skipped=1), count=1) == [("moteurs", "missed")]


def test_a_skip_that_was_made_up_for_is_no_suggestion() -> None:
    assert ("moteurs", "skipped") not in suggested(tally("moteurs", 1.0, 0.9, skipped=1), count=9)


def test_topics_not_seen_follow_when_the_next_level_has_items_there() -> None:
    for level in range(9):
        ready = topics_at(min(level + 1, 8))
        assert ready, level
        assert suggested(level=level, count=9) == [(topic, "not_seen") for topic in ready]
    ready = topics_at(3)
    below = tally(ready[0], 0.0, 1.0)
    assert suggested(below, count=9) == [(ready[0], "missed"), *((topic, "not_seen") for topic in ready[1:])]
    assert suggested(tally(ready[0], 2.0, 1.0), count=9) == [(topic, "not_seen") for topic in ready[1:]]


def test_what_is_of_another_competence_is_of_no_consequence() -> None:
    other = TopicTally("1.2", "moteurs", 2, 0.0, 1.5, 0.3, 0)
    assert suggested(other) == suggested()


def test_topics_that_the_framework_gave_up_are_not_suggested() -> None:
    plain = SNAPSHOT.framework.model_dump(mode="json")
    plain["domains"][0]["competences"][0]["topics"] = plain["domains"][0]["competences"][0]["topics"][1:]
    fewer = framework_from(plain)
    found = suggested_topics([tally("moteurs", 0.0, 1.5)], fewer, SNAPSHOT, "1.1", 0, 9)
    assert "moteurs" not in [one.topic for one in found]
    assert Suggestion("navigation", "not_seen") in found


def test_impossible_suggestions_are_refused() -> None:
    assert suggested(count=0) == []
    with pytest.raises(BankError, match="cannot be -1 suggestions"):
        suggested(count=-1)
    with pytest.raises(BankError, match="no level 9"):
        suggested(level=9)
    with pytest.raises(BankError, match=r"no competence '9\.9'"):
        suggested_topics([], SNAPSHOT.framework, SNAPSHOT, "9.9", 1)
