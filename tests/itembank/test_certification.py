from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pytest

from engine.assembly import Blueprint
from engine.certification import CertificationDesign, content_hash, eligibility
from engine.designs import content_hash as design_hash
from engine.designs import from_dict, to_dict
from engine.errors import BankError, DesignError
from engine.state import HELD, SEEN
from itembank.certification import (
    CERTIFICATION,
    beginning,
    certification_from,
    certification_test,
    certification_text,
    eligibility_words,
    load_certification,
)
from itembank.files import shipped_bank
from itembank.snapshot import Snapshot

RULES = load_certification()
SHIPPED = Snapshot.of(shipped_bank())
FRAMEWORK = SHIPPED.framework


def test_the_shipped_rules_are_those_of_the_calendar() -> None:
    assert (RULES.name, RULES.version, RULES.minutes, RULES.years) == ("crcn", 2, 120, 3)
    assert RULES.window(date(2021, 11, 29)) == RULES.window(date(2022, 3, 4)) == RULES.windows[0]
    assert RULES.window(date(2022, 3, 7)) == RULES.window(date(2022, 5, 27)) == RULES.windows[1]
    assert not RULES.open_on(date(2022, 3, 6))
    assert RULES.year_began(date(2022, 3, 7)) == date(2021, 9, 1)


def test_rules_survive_yaml_with_their_hash(tmp_path: Path) -> None:
    text = certification_text(RULES)
    assert certification_from(text) == RULES
    assert certification_text(certification_from(text)) == text
    other = replace(RULES, windows=(), minutes=90.5)
    (tmp_path / CERTIFICATION).write_text(certification_text(other), encoding="utf-8")
    for path in (tmp_path, tmp_path / CERTIFICATION, str(tmp_path)):
        assert load_certification(path) == other
        assert content_hash(load_certification(path)) == content_hash(other) != content_hash(RULES)


def test_the_shipped_file_names_every_rule_so_that_a_default_never_changes_it() -> None:
    text = (Path(__file__).parents[2] / "itembank" / "crcn" / CERTIFICATION).read_text(encoding="utf-8")
    for name in CertificationDesign.__dataclass_fields__:
        assert f"\n{name}:" in f"\n{text}", name


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("version: 2", "version: one", "'version' of the certification design must be a whole number, not 'one'"),
        ("minutes: 120", "minutes: 0", "minutes must be a positive number"),
        ("minutes: 120", "minuts: 120", "There is no field 'minuts'"),
        ("minutes: 120", "least: 120", "a key is given twice"),
        ("school_year: '09-01'", "school_year: 2021-09-01", "'school_year' of the certification design must be a text"),
        ("first: '11-29'", "first: '11-31'", "'11-31' is not a day of every year"),
        ("name: troisieme, ", "", "The field 'name' of window 2 is missing"),
        ("most: 6", "most: [6", "is not valid YAML"),
    ],
)
def test_a_fault_of_the_file_is_one_sentence_that_names_it(tmp_path: Path, old: str, new: str, words: str) -> None:
    shipped = (Path(__file__).parents[2] / "itembank" / "crcn" / CERTIFICATION).read_text(encoding="utf-8")
    assert old in shipped
    file = tmp_path / CERTIFICATION
    file.write_text(shipped.replace(old, new), encoding="utf-8")
    with pytest.raises(BankError) as caught:
        load_certification(file)
    said = str(caught.value)
    assert said.startswith(str(file))
    assert words in said
    assert "\n" not in said


@pytest.mark.parametrize("text", ["", "- 1\n- 2\n", "crcn"])
def test_a_file_that_holds_no_rules_is_refused(text: str) -> None:
    with pytest.raises(BankError, match=r"here\.yaml: .*must be fields and their values"):
        certification_from(text, "here.yaml")


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BankError, match=r"There is no file .*rules\.yaml"):
        load_certification(tmp_path / "rules.yaml")


def test_a_bank_without_rules_of_its_own_has_the_shipped_ones(tmp_path: Path) -> None:
    assert load_certification(tmp_path) == RULES


def test_the_design_is_the_same_for_all_candidates_with_the_same_time() -> None:
    design = certification_test(RULES, FRAMEWORK, RULES.limit())
    assert design == certification_test(RULES, FRAMEWORK, 7200)
    assert design.assembly == Blueprint(2, 6, 6, 56, 1, 6840.0)
    assert from_dict(to_dict(design)) == design
    longer = certification_test(RULES, FRAMEWORK, RULES.limit(1 / 3))
    assert longer.assembly == replace(design.assembly, seconds=9120.0)
    assert design_hash(longer) != design_hash(design)


@pytest.mark.parametrize("limit", [0, -1.0, float("nan"), float("inf"), timedelta(0)])
def test_a_test_without_time_is_refused(limit: float | timedelta) -> None:
    with pytest.raises(DesignError, match="needs a positive time"):
        certification_test(RULES, FRAMEWORK, limit)


def test_a_run_begins_with_what_suits_the_candidate() -> None:
    codes, seen = ["1.1", "3.4", "5.2"], [SHIPPED.ids[3], SHIPPED.ids[200], "retired-long-ago"]
    allowed, reserve = beginning(SHIPPED, RULES, 7, ["blind"], codes, seen)
    for row, item in enumerate(SHIPPED.items):
        assert allowed[row] == (item.competence in codes and item.accessible.blind)
        assert (reserve[row] == SEEN) == (item.id in seen)
    assert set(reserve.tolist()) == {0, HELD, SEEN}
    assert beginning(SHIPPED, replace(RULES, share=1.0), 7).reserve.tolist() == [0] * len(SHIPPED)
    assert beginning(SHIPPED, RULES, 7).allowed.all()


def test_many_candidates_begin_as_each_of_them() -> None:
    seeds = np.array([3, 1, 4])
    many = beginning(SHIPPED, RULES, seeds, seen=[SHIPPED.ids[0]])
    for place, seed in enumerate(seeds):
        np.testing.assert_array_equal(
            beginning(SHIPPED, RULES, seed, seen=[SHIPPED.ids[0]]).reserve, many.reserve[place]
        )


@pytest.mark.parametrize(
    ("measured", "levels", "french", "english"),
    [
        (
            range(5),
            [1] * 5,
            "La certification est ouverte ; elle porte sur 5 compétences : 1.1, 1.2, 1.3, 2.1, 2.2.",
            "Certification is open; it is about 5 competences: 1.1, 1.2, 1.3, 2.1, 2.2.",
        ),
        (
            range(6),
            [0, 3, 3, 3, 3, 3],
            "La certification est ouverte ; elle porte sur 5 compétences : 1.2, 1.3, 2.1, 2.2, 2.3.",
            "Certification is open; it is about 5 competences: 1.2, 1.3, 2.1, 2.2, 2.3.",
        ),
        (
            range(5),
            [0, 1, 1, 1, 1],
            "Il faut le niveau 1 ou plus dans 5 compétences : il est atteint dans 4, il en manque 1 (1.1 est "
            "au-dessous).",
            "Level 1 or above is needed in 5 competences: it is reached in 4, 1 is missing (1.1 is below it).",
        ),
        (
            range(5),
            [0, 0, 1, 1, 1],
            "Il faut le niveau 1 ou plus dans 5 compétences : il est atteint dans 3, il en manque 2 (1.1, 1.2 sont "
            "au-dessous).",
            "Level 1 or above is needed in 5 competences: it is reached in 3, 2 are missing (1.1, 1.2 are below it).",
        ),
        (
            range(4),
            [1] * 4,
            "Il manque un positionnement dans 1 compétence ; il en faut 5 depuis le début de l'année scolaire, et 4 "
            "sont acquis : 1.1, 1.2, 1.3, 2.1. Il faut le niveau 1 ou plus dans 5 compétences : il est atteint dans 4, "
            "il en manque 1.",
            "1 more competence must be measured by a positioning; 5 are needed since the school year began, and 4 are: "
            "1.1, 1.2, 1.3, 2.1. Level 1 or above is needed in 5 competences: it is reached in 4, 1 is missing.",
        ),
        (
            range(0),
            [],
            "Il manque un positionnement dans 5 compétences ; il en faut 5 depuis le début de l'année scolaire, et "
            "aucun n'est acquis. Il faut le niveau 1 ou plus dans 5 compétences : il est atteint dans 0, il en manque "
            "5.",
            "5 more competences must be measured by a positioning; 5 are needed since the school year began, and none "
            "is. Level 1 or above is needed in 5 competences: it is reached in 0, 5 are missing.",
        ),
    ],
)
def test_what_is_missing_is_said_in_words(measured: range, levels: list[int], french: str, english: str) -> None:
    codes, reached = np.zeros(16, dtype=int), np.zeros(16, dtype=int)
    codes[list(measured)], reached[list(measured)] = 2, levels
    found = eligibility(RULES, codes, reached, np.ones(16, dtype=bool))
    assert eligibility_words(FRAMEWORK, RULES, found, "fr") == french
    assert eligibility_words(FRAMEWORK, RULES, found, "en") == english
    assert eligibility_words(FRAMEWORK, RULES, found, "de") == english
