from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import BankError, DesignError
from engine.stopping import MaxLength
from itembank.certification import load_certification
from itembank.checks import Expectations, Finding, Severity, findings
from itembank.checks.courses import course_findings
from itembank.courses import COURSES, Course, courses_from, load_courses
from itembank.files import export_bank, shipped_bank
from itembank.framework import framework_from
from itembank.positioning import default_length
from itembank.yaml_text import write_yaml
from tests.itembank import examples

PLAIN: dict[str, Any] = {
    "name": "petit",
    "version": 1,
    "education": "seconde",
    "title": {"fr": "Petit parcours", "en": "Small course"},
    "text": {"fr": "Répondez.", "en": "Answer."},
    "levels": {"1.1": 2, "2.1": 3},
    "length": 6,
    "skip": "incorrect",
    "opens": "09-15",
    "closes": "10-31",
}


def text(*changes: dict[str, Any]) -> str:
    return write_yaml({"courses": [PLAIN | change for change in changes]})


def course(**changes: Any) -> Course:
    [made] = courses_from(text(changes))
    return made


def test_every_level_of_education_has_a_course_in_both_languages() -> None:
    courses = load_courses()
    assert [one.education for one in courses] == ["troisieme", "seconde", "terminale", "capa", "btsa"]
    for one in courses:
        assert set(one.title) == set(one.text) == {"fr", "en"}
        assert one.skip == "unknown"
        assert one.items == default_length(len(one.competences))
        assert one.opens == "09-15"


def test_a_shipped_course_opens_the_way_to_certification() -> None:
    """Its competences are enough for eligibility, and its period is over before sessions are held."""
    rules = load_certification()
    finals, troisieme = rules.windows
    for one in load_courses():
        assert len(one.competences) >= rules.positioned
        first, last = one.dates(date(2026, 9, 15))
        days = [first + timedelta(days=day) for day in range((last - first).days + 1)]
        if one.name in ("terminale", "capa", "btsa"):
            assert not any(finals.holds(day) for day in days)
        assert not any(troisieme.holds(day) for day in days)


def test_levels_aimed_at_rise_with_education() -> None:
    mean = {one.name: sum(one.levels.values()) / len(one.levels) for one in load_courses()}
    assert mean["capa"] < mean["troisieme"] <= mean["seconde"] < mean["terminale"] < mean["btsa"]
    assert all(abs(level - mean[one.name]) < 1 for one in load_courses() for level in one.levels.values())


def test_the_shipped_bank_serves_every_shipped_course() -> None:
    bank = shipped_bank()
    assert [str(finding) for finding in course_findings(bank, load_courses(), Expectations())] == []


def test_a_course_gives_its_design() -> None:
    framework = examples.framework()
    design = course().design(framework)
    assert design.stop == MaxLength(6)
    assert design.skip == "incorrect"
    assert design.scope == (0, 2)
    assert course().competences == ("1.1", "2.1")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"levels": {}}, r"courses\.0\.levels"),
        ({"levels": {"1.1": 0}}, r"courses\.0\.levels\.1\.1"),
        ({"levels": {"1.1": True}}, "must be a whole number"),
        ({"levels": {"1.1": 2, "2.1": 9}}, "in course petit there is no level 9 in small; levels go from 1 to 4"),
        ({"levels": {"9.9": 1}}, "in course petit there is no competence 9.9 in small; use one of 1.1, 1.2, 2.1"),
        ({"version": 0}, r"courses\.0\.version"),
        ({"skip": "cheerful"}, r"courses\.0\.skip"),
        ({"opens": "9-15"}, r"courses\.0\.opens is refused: '9-15' is not a day of every year"),
        ({"closes": "02-29"}, "'02-29' is not a day of every year"),
        ({"text": {"fr": "Répondez."}}, "in different languages"),
        ({"title": {"fr": " ", "en": "Small"}}, "is blank"),
        ({"length": 1}, "has 1 items for 2 competences"),
        ({"name": "Petit parcours"}, r"courses\.0\.name"),
        ({"colour": "red"}, "is not a field of this kind"),
    ],
)
def test_an_impossible_course_is_refused_with_its_place(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(BankError, match=words) as refusal:
        courses_from(text(changes), "my courses", examples.framework())
    assert str(refusal.value).lower().startswith("my courses")


def test_two_courses_of_one_name_and_a_competence_named_twice_are_refused() -> None:
    with pytest.raises(BankError, match="two courses of the same name"):
        courses_from(text({}, {}))
    with pytest.raises(BankError, match="given twice"):
        courses_from(text({}).replace("'2.1': 3", "'1.1': 3"))
    with pytest.raises(BankError, match="courses is refused"):
        courses_from("courses: 3")


def test_a_bank_has_its_own_courses_or_those_shipped_that_it_can_hold(tmp_path: Path) -> None:
    own = tmp_path / "own"
    export_bank(examples.bank(), own)
    assert load_courses(own) == ()
    (own / COURSES).write_text(text({}), encoding="utf-8")
    assert [one.name for one in load_courses(own)] == ["petit"]
    assert load_courses(own / COURSES) == load_courses(own)
    (own / COURSES).write_text(text({"levels": {"5.2": 1}}), encoding="utf-8")
    with pytest.raises(BankError, match=r"courses\.yaml: in course petit there is no competence 5\.2"):
        load_courses(own)
    (own / COURSES).write_text("courses: []\n", encoding="utf-8")
    assert load_courses(own) == ()
    exported = tmp_path / "exported"
    export_bank(shipped_bank(), exported)
    assert load_courses(exported) == load_courses()
    with pytest.raises(BankError, match="There is no file"):
        load_courses(tmp_path / "nowhere.yaml")
    (alone := tmp_path / "alone").mkdir()
    (alone / "mine.yaml").write_text(text({"levels": {"9.9": 1}}), encoding="utf-8")
    assert [one.competences for one in load_courses(alone / "mine.yaml")] == [("9.9",)]


@given(st.dates(date(2000, 1, 1), date(2090, 1, 1)), st.sampled_from([("09-15", "10-31"), ("11-15", "02-28")]))
def test_dates_are_the_first_period_not_over(day: date, ends: tuple[str, str]) -> None:
    first, last = course(opens=ends[0], closes=ends[1]).dates(day)
    assert (first.strftime("%m-%d"), last.strftime("%m-%d")) == ends
    assert first < last <= first + timedelta(days=366)
    assert day <= last
    assert last.replace(year=last.year - 1) < day


def found(**changes: Any) -> list[Finding]:
    bank = changes.pop("bank", examples.bank())
    return list(course_findings(bank, [course(**changes)], Expectations()))


def test_the_small_bank_serves_its_course() -> None:
    assert found() == []


def test_a_course_that_the_framework_does_not_have_is_an_error() -> None:
    [finding] = found(levels={"9.9": 1})
    assert str(finding) == ("error: course petit: There is no competence 9.9 in small; use one of 1.1, 1.2, 2.1.")
    assert "no level 5" in found(levels={"1.1": 5})[0].sentence


def test_a_course_longer_than_the_bank_is_an_error_named_by_course_and_learners() -> None:
    bank = examples.bank()
    poor = replace(bank, items=tuple(item for item in bank.items if item.competence != "2.1"))
    errors = [finding for finding in found(bank=poor) if finding.severity is Severity.ERROR]
    assert errors[0].where == "course petit: test (fr)"
    assert "at least 2 items of 2.1 and can ask 0" in errors[0].sentence
    assert {finding.where for finding in errors} >= {"course petit: test (fr, blind)", "course petit: test (fr, deaf)"}


def test_a_course_that_aims_where_there_is_no_item_is_a_warning() -> None:
    bank = examples.bank()
    easy = replace(bank, items=tuple(item for item in bank.items if item.level <= 2 or item.competence != "2.1"))
    aimed = [finding for finding in found(bank=easy, levels={"1.1": 2, "2.1": 4}) if "aims" in finding.sentence]
    assert [finding.severity for finding in aimed] == [Severity.WARNING] * 4
    assert aimed[0].where == "course petit (fr)"
    assert "It aims at level 4 of 2.1, asks at least 2 items there, and 0 are within 1.0 of its cut 1.5" in str(
        aimed[0]
    )
    assert not [finding for finding in found(bank=easy, levels={"1.1": 2, "2.1": 2}) if "aims" in finding.sentence]


def test_items_for_some_learners_only_are_told() -> None:
    bank = examples.bank()
    blind = bank.items[0].accessible.model_copy(update={"blind": False})
    some = replace(
        bank,
        items=tuple(
            item.model_copy(update={"accessible": blind}) if item.competence == "1.1" and item.level <= 3 else item
            for item in bank.items
        ),
    )
    aimed = [finding for finding in found(bank=some, levels={"1.1": 1, "2.1": 3}) if "aims" in finding.sentence]
    assert [finding.where for finding in aimed] == ["course petit (fr, blind)"]


def test_findings_look_at_courses_when_they_are_given() -> None:
    bank = examples.bank()
    plain = findings(bank, [])
    assert [one for one in findings(bank, [], courses=[course()]) if one not in plain] == []
    [more] = [one for one in findings(bank, [], courses=[course(levels={"9.9": 1})]) if one not in plain]
    assert more.where == "course petit"


def test_a_framework_that_cannot_be_a_course_s_is_told_by_misfit() -> None:
    assert course().misfit(examples.framework()) is None
    other = examples.framework().model_dump(mode="json")
    other["domains"] = other["domains"][:1]
    assert "no competence 2.1" in str(course().misfit(framework_from(other)))
    with pytest.raises((BankError, DesignError)):
        course().design(framework_from(other))
