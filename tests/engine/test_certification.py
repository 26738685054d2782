from dataclasses import fields, replace
from datetime import date, timedelta
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.calendar import Window, year_began
from engine.certification import CertificationDesign, content_hash, eligibility, from_dict, to_dict
from engine.errors import DesignError
from engine.profile import Knowledge

RULES = CertificationDesign("test", 1, windows=(Window("winter", "11-29", "03-04"), Window("spring", "03-07", "05-27")))
SHARE = st.floats(0.01, 1)
DAYS = st.dates(date(2001, 1, 1), date(2001, 12, 31)).map(lambda day: day.strftime("%m-%d"))


@st.composite
def designs(draw: st.DrawFn) -> CertificationDesign:
    positioned, least = draw(st.integers(1, 16)), draw(st.integers(1, 5))
    shares = {name: draw(SHARE) for name in ("planned", "share", "probability", "complete", "profile_weight", "copied")}
    return CertificationDesign(
        draw(st.text(min_size=1).filter(str.strip)),
        draw(st.integers(1, 99)),
        positioned=positioned,
        reached=draw(st.integers(1, positioned)),
        school_year=draw(DAYS),
        windows=tuple(draw(st.lists(st.builds(Window, st.sampled_from(["a", "b"]), DAYS, DAYS), max_size=3))),
        minutes=draw(st.floats(1, 500) | st.integers(1, 500)),
        least=least,
        most=draw(st.integers(least, 9)),
        each=draw(st.integers(least, 9)),
        least_answered=draw(st.integers(1, least)),
        **shares,
    )


@given(designs())
def test_rules_survive_plain_data_with_their_hash(rules: CertificationDesign) -> None:
    again = from_dict(to_dict(rules))
    assert again == rules
    assert content_hash(again) == content_hash(rules)


@given(designs(), designs())
def test_rules_are_equal_exactly_when_their_hashes_are(one: CertificationDesign, other: CertificationDesign) -> None:
    assert (one == other) == (content_hash(one) == content_hash(other))


def test_every_field_is_part_of_the_hash() -> None:
    words: dict[str, Any] = {"name": "other", "school_year": "08-15", "windows": ()}
    # Whole numbers go up where that keeps the rules coherent, or down.
    steps = {"reached": -1, "least": 1, "least_answered": -1}
    for field in fields(RULES):
        value = getattr(RULES, field.name)
        if field.name in words:
            change = words[field.name]
        elif value is None:
            change = 30.0
        else:
            change = value + steps.get(field.name, 1) if isinstance(value, int) else value / 2
        assert content_hash(replace(RULES, **{field.name: change})) != content_hash(RULES), field.name


def test_a_whole_number_hashes_alike_however_it_is_written() -> None:
    assert content_hash(replace(RULES, minutes=120)) == content_hash(replace(RULES, minutes=120.0))
    assert to_dict(RULES)["minutes"] == 120
    assert isinstance(to_dict(RULES)["minutes"], int)


def test_the_hash_of_rules_already_pinned_never_changes() -> None:
    """A session is found by this hash years later: a change here is a migration, not an edit."""
    shares = {"planned": 0.9, "share": 0.5, "profile_weight": 1.0, "probability": 0.5, "complete": 0.5}
    counts = {"positioned": 3, "reached": 2, "level": 1, "least": 2, "most": 5, "each": 4, "longest": 40, "years": 3}
    flags = {"person_fit": 0.01, "sincerity": 0.02, "too_fast": 0.03, "times": 0.04, "copied": 0.05}
    others: dict[str, Any] = {"school_year": "09-01", "windows": (Window("a", "11-29", "03-04"),), "minutes": 60.0}
    others |= {"authorised_minutes": 7.5, "seen_runs": 2, "least_answered": 1, "certified": 1}
    rules = CertificationDesign("épreuve", 1, **(shares | counts | flags | others))
    assert len(to_dict(rules)) == len(shares) + len(counts) + len(flags) + len(others) + 2
    assert content_hash(rules) == "285e14c200fb1c173e54c23cae6a9eff698aaa51ed8166c66384fe8724c689f6"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"name": " "}, "needs a name"),
        ({"version": 0}, "version must be at least 1"),
        ({"positioned": 0}, "positioned must be at least 1"),
        ({"positioned": 4}, "reached (5) cannot exceed positioned (4)"),
        ({"level": 0}, "level must be at least 1"),
        ({"school_year": "02-29"}, "'02-29' is not a day of every year"),
        ({"school_year": "9-1"}, "'9-1' is not a day of every year"),
        ({"minutes": 0}, "minutes must be a positive number, not 0"),
        ({"minutes": float("nan")}, "minutes must be a positive number, not nan"),
        ({"authorised_minutes": float("inf")}, "authorised_minutes must be a positive number"),
        ({"planned": 0}, "planned must be above 0 and at most 1, not 0"),
        ({"share": 1.5}, "share must be above 0 and at most 1, not 1.5"),
        ({"probability": float("nan")}, "probability must be above 0 and at most 1, not nan"),
        ({"profile_weight": -0.1}, "profile_weight must be between 0 and 1, not -0.1"),
        ({"sincerity": 2}, "sincerity must be between 0 and 1, not 2"),
        ({"seen_runs": -1}, "seen_runs must be at least 0"),
        ({"least": 7}, "least (7) cannot exceed most (6)"),
        ({"least": 7, "most": 9}, "least (7) cannot exceed each (6)"),
        ({"longest": 1}, "least (2) cannot exceed longest (1)"),
        ({"least_answered": 3}, "least_answered (3) cannot exceed least (2)"),
        ({"certified": 0}, "certified must be at least 1"),
        ({"years": 0}, "years must be at least 1"),
    ],
)
def test_rules_that_no_session_could_follow_are_refused_in_one_sentence(change: dict[str, Any], words: str) -> None:
    with pytest.raises(DesignError) as caught:
        replace(RULES, **change)
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"minute": 120}, "There is no field 'minute' in the certification design; its fields are name, version"),
        ({"version": None}, "The field 'version' of the certification design must be a whole number, not None"),
        ({"least": 2.0}, "'least' of the certification design must be a whole number, not 2.0"),
        ({"least": True}, "must be a whole number, not True"),
        ({"minutes": "120"}, "'minutes' of the certification design must be a number, not '120'"),
        ({"name": 3}, "'name' of the certification design must be a text"),
        ({"windows": "always"}, "'windows' must be a list of windows"),
        ({"windows": [{"name": "a", "first": "11-29"}]}, "The field 'last' of window 1 is missing"),
        ({"windows": ["11-29"]}, "Window 1 must be fields and their values"),
        ({"windows": [{"name": "a", "first": 1129, "last": "03-04"}]}, "'first' of window 1 must be a text (quote it"),
        ({"windows": [{"name": "a", "first": "13-01", "last": "03-04"}]}, "'13-01' is not a day of every year"),
        ({"windows": [{"name": "", "first": "11-29", "last": "03-04"}]}, "needs a name"),
    ],
)
def test_plain_data_of_another_kind_is_refused_in_one_sentence(change: dict[str, Any], words: str) -> None:
    with pytest.raises(DesignError) as caught:
        from_dict(to_dict(RULES) | change)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("data", [None, [], "rules", 3])
def test_what_is_no_mapping_is_refused(data: object) -> None:
    with pytest.raises(DesignError, match="must be fields and their values"):
        from_dict(data)


def test_a_field_without_a_default_must_be_there() -> None:
    with pytest.raises(DesignError, match="'version' of the certification design is missing"):
        from_dict({"name": "test"})


@pytest.mark.parametrize(
    ("day", "name"),
    [
        (date(2021, 11, 28), None),
        (date(2021, 11, 29), "winter"),
        (date(2021, 12, 31), "winter"),
        (date(2022, 1, 1), "winter"),
        (date(2024, 2, 29), "winter"),
        (date(2022, 3, 4), "winter"),
        (date(2022, 3, 5), None),
        (date(2022, 3, 7), "spring"),
        (date(2022, 5, 27), "spring"),
        (date(2022, 5, 28), None),
    ],
)
def test_sessions_are_held_within_their_windows(day: date, name: str | None) -> None:
    window = RULES.window(day)
    assert (window and window.name) == name
    assert RULES.open_on(day) == (name is not None)
    assert replace(RULES, windows=()).open_on(day)


@given(DAYS, DAYS, st.dates(date(2001, 1, 1), date(2030, 12, 31)))
def test_a_window_and_the_days_between_it_make_a_year(first: str, last: str, day: date) -> None:
    """Walk from the first day to the last, whatever years it takes."""
    month, number = int(first[:2]), int(first[3:])
    walk, days = date(day.year - 1, month, number), set()
    while walk.strftime("%m-%d") != last:
        days.add(walk.strftime("%m-%d"))
        walk += timedelta(days=1)
    days.add(last)
    if day.strftime("%m-%d") != "02-29":
        assert Window("any", first, last).holds(day) == (day.strftime("%m-%d") in days)


@given(DAYS, st.dates(date(2001, 1, 1), date(2030, 12, 31)))
def test_the_school_year_is_the_last_one_that_began(first: str, day: date) -> None:
    began = year_began(first, day)
    assert began.strftime("%m-%d") == first
    assert began <= day < began.replace(year=began.year + 1)
    assert replace(RULES, school_year=first).year_began(day) == began


def test_extra_time_is_a_share_of_the_time() -> None:
    assert RULES.limit() == timedelta(hours=2)
    assert RULES.limit(0.33) == timedelta(minutes=159.6)
    with pytest.raises(DesignError, match="share of at least 0"):
        RULES.limit(-0.1)


@st.composite
def profiles(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    runs, competences = draw(st.integers(1, 4)), draw(st.integers(1, 16))
    codes = st.lists(st.integers(0, 2), min_size=competences, max_size=competences)
    levels = st.lists(st.integers(0, 8), min_size=competences, max_size=competences)
    recent = st.lists(st.booleans(), min_size=competences, max_size=competences)
    return tuple(np.array(draw(st.lists(each, min_size=runs, max_size=runs))) for each in (codes, levels, recent))


@given(profiles(), st.integers(1, 6), st.integers(1, 6), st.integers(1, 3))
def test_eligibility_is_counting(
    profile: tuple[np.ndarray, np.ndarray, np.ndarray], positioned: int, reached: int, level: int
) -> None:
    rules = replace(RULES, positioned=max(positioned, reached), reached=reached, level=level)
    found = eligibility(rules, *profile)
    for run, (codes, levels, recent) in enumerate(zip(*(each.tolist() for each in profile), strict=True)):
        measured = [code == Knowledge.MEASURED and now for code, now in zip(codes, recent, strict=True)]
        fit = [known and got >= level for known, got in zip(measured, levels, strict=True)]
        assert found.measured[run].tolist() == measured
        assert found.certifiable[run].tolist() == fit
        assert found.lacks_positioned[run] == max(rules.positioned - sum(measured), 0)
        assert found.lacks_reached[run] == max(rules.reached - sum(fit), 0)
        assert found.eligible[run] == (sum(measured) >= rules.positioned and sum(fit) >= rules.reached)


@given(profiles())
def test_eligibility_of_one_is_that_of_many(profile: tuple[np.ndarray, np.ndarray, np.ndarray]) -> None:
    rules = replace(RULES, positioned=3, reached=2)
    many = eligibility(rules, *profile)
    for run in range(len(profile[0])):
        one = eligibility(rules, *(each[run] for each in profile))
        assert one.eligible.shape == ()
        for alone, together in zip(one, many, strict=True):
            np.testing.assert_array_equal(alone, together[run])
