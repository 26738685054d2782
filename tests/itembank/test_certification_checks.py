from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest

from engine.certification import CertificationDesign
from itembank.bank import ItemBank
from itembank.certification import load_certification
from itembank.checks import Finding, Severity
from itembank.checks.certification import certification_proofs, failing, feasibility
from itembank.files import shipped_bank
from itembank.items import FLAGS, Item
from itembank.snapshot import Snapshot
from tests.itembank.examples import bank

SHIPPED = shipped_bank()
RULES = load_certification()
SMALL = CertificationDesign("small", 1, positioned=2, reached=2, least=1, most=2, each=2, longest=6, least_answered=1)
"""For the three competences of two topics of the small bank."""


def changed(base: ItemBank, change: Callable[[Item], dict[str, Any]]) -> ItemBank:
    """Bank whose items are changed; one without a change stays as it is."""
    return replace(base, items=tuple(item.model_copy(update=change(item)) for item in base.items))


def inaccessible(flag: str, code: str, keep: Sequence[str] = ()) -> Callable[[Item], dict[str, Any]]:
    """Take the accessibility from the items of a competence."""

    def change(item: Item) -> dict[str, Any]:
        if item.competence != code or item.id in keep:
            return {}
        return {"accessible": item.accessible.model_copy(update={flag: False})}

    return change


def said(found: Sequence[Finding]) -> list[str]:
    return [str(finding) for finding in found]


def test_the_shipped_bank_can_serve_every_candidate() -> None:
    assert said(failing(certification_proofs(SHIPPED, RULES))) == []


def test_the_small_bank_can_serve_every_candidate() -> None:
    assert said(failing(certification_proofs(bank(), SMALL))) == []


def test_a_competence_without_items_for_some_candidates_is_named() -> None:
    keep = [item.id for item in SHIPPED.items if item.competence == "3.4"][:1]
    assert said(failing(certification_proofs(changed(SHIPPED, inaccessible("deaf", "3.4", keep)), RULES))) == [
        "error: certification (fr, deaf): Competence 3.4 has 1 item for deaf candidates and the test needs 2 items "
        "there; write items or lower the minimum.",
        "error: certification (fr, blind, colour_blind, deaf): Competence 3.4 has 1 item for blind and "
        "colour-blind and deaf candidates and the test needs 2 items there; write items or lower the minimum.",
    ]
    none = said(failing(certification_proofs(changed(SHIPPED, inaccessible("deaf", "3.4")), RULES)))
    assert "Competence 3.4 has no item for deaf candidates and the test needs 2 items there" in none[0]


def test_every_poor_competence_is_named_at_once() -> None:
    poor = changed(changed(SHIPPED, inaccessible("blind", "3.4")), inaccessible("blind", "1.2"))
    found = feasibility(Snapshot.of(poor), RULES, ["blind"])
    assert [finding.sentence.split(" has ")[0] for finding in found] == ["Competence 1.2", "Competence 3.4"]
    assert feasibility(Snapshot.of(poor), RULES, ["deaf"]) == ()


def test_topics_that_lack_are_named() -> None:
    topic = next(item.topic for item in SHIPPED.items if item.competence == "2.3")
    poor = changed(SHIPPED, lambda item: {"topic": topic} if item.competence == "2.3" else {})
    assert said(feasibility(Snapshot.of(poor), RULES)) == [
        "error: certification (fr): Competence 2.3 has 1 topic with items for candidates and the test needs 2 items "
        "there; write items or lower the minimum."
    ]


def hostile(base: ItemBank, code: str) -> ItemBank:
    """All items of a competence on different topics are enemies."""
    ids = [item.id for item in base.items if item.competence == code]
    return changed(base, lambda item: {"enemies": tuple(ids)} if item.competence == code else {})


def test_enemies_that_leave_too_little_are_named() -> None:
    assert said(feasibility(Snapshot.of(hostile(SHIPPED, "3.4")), RULES, ["blind"])) == [
        "error: certification (fr, blind): Competence 3.4 has 1 topic without enemies for blind candidates and the "
        "test needs 2 items there; write items or lower the minimum."
    ]


def test_enemies_in_different_competences_are_found() -> None:
    """Each competence alone has what it needs; together they exclude each other."""
    ids = {code: [item.id for item in bank(per_level=1).items if item.competence == code] for code in ("1.1", "2.1")}
    poor = changed(bank(per_level=1), lambda item: {"enemies": tuple(ids["2.1"])} if item.competence == "1.1" else {})
    found = feasibility(Snapshot.of(poor), SMALL)
    assert {finding.severity for finding in found} <= {Severity.ERROR, Severity.WARNING}
    assert (
        "error: certification (fr): A test about 3 competences cannot hold 1 item of each for candidates, for "
        in (said(found)[0])
    )
    assert feasibility(Snapshot.of(poor), SMALL, competences=["1.1", "1.2"]) == ()
    alone = feasibility(Snapshot.of(poor), SMALL, competences=["1.1", "2.1"])
    assert "A test about 2 competences (1.1, 2.1) cannot hold" in said(alone)[0]


def test_too_little_time_is_named() -> None:
    [finding, *_] = feasibility(Snapshot.of(SHIPPED), replace(RULES, minutes=20))
    assert str(finding) == (
        "error: certification (fr): A test about 16 competences cannot hold 2 items of each within 19 minutes for "
        "candidates who are slow; give more time or lower the minimum."
    )
    [alone, *_] = feasibility(Snapshot.of(SHIPPED), replace(RULES, minutes=1), competences=["3.4"])
    assert "2 items of competence 3.4 take more than 1 minute for candidates" in str(alone)


def test_a_test_that_time_shortens_is_a_warning_until_it_does_not_count() -> None:
    [warning] = feasibility(Snapshot.of(SHIPPED), replace(RULES, minutes=50))
    assert warning.severity == Severity.WARNING
    assert "has 56 items and the best one within 48 minutes for candidates who are slow has " in warning.sentence
    assert feasibility(Snapshot.of(SHIPPED), replace(RULES, minutes=50), extra_time=1.0) == ()
    [error] = feasibility(Snapshot.of(SHIPPED), replace(RULES, minutes=50, complete=1.0))
    assert error.severity == Severity.ERROR


def test_a_test_that_the_bank_shortens_names_the_poorest_competences() -> None:
    topics = {item.topic for item in SHIPPED.items if item.competence == "3.4"}
    keep = sorted(topics)[:3]
    poor = changed(
        SHIPPED,
        lambda item: {"topic": keep[0]} if item.competence == "3.4" and item.topic not in keep else {},
    )
    [finding] = feasibility(Snapshot.of(poor), RULES)
    assert finding.severity == Severity.WARNING
    assert "3.4" in finding.sentence
    assert "has 30 items and the bank can give 27 to candidates" in finding.sentence


def test_minima_beyond_the_length_are_named() -> None:
    rules = replace(RULES, least=4, longest=56)
    assert said(feasibility(Snapshot.of(SHIPPED), rules)) == [
        "error: certification (fr): A test about 16 competences needs 4 items of each and has 56 at most; lengthen it "
        "or lower the minimum."
    ]
    assert feasibility(Snapshot.of(SHIPPED), rules, competences=["1.1", "1.2", "1.3", "2.1", "2.2"]) == ()


def test_a_locale_without_items_is_an_error() -> None:
    english = changed(bank(), lambda item: {"locale": "en", "status": "draft"} if item.competence == "1.1" else {})
    found = said(failing(certification_proofs(english, SMALL)))
    assert any("certification (en): The bank has no operational item" in line for line in found)
    assert any("certification (fr): Competence 1.1 has no item" in line for line in found)


@pytest.mark.parametrize("flags", [(), ("blind",), FLAGS])
def test_one_candidate_is_proved_by_the_competences_they_bring(flags: tuple[str, ...]) -> None:
    assert feasibility(Snapshot.of(SHIPPED), RULES, flags, 0.5, ["1.1", "2.1", "3.4", "4.1", "5.1"]) == ()


def test_what_was_proved_is_told_for_each_accommodation_and_extra_time() -> None:
    told = [str(one) for one in certification_proofs(SHIPPED, RULES)]
    assert len(told) == 10
    assert told[0] == "certification (fr), all items, 0 % more time: possible"
    poor = [str(one) for one in certification_proofs(changed(SHIPPED, inaccessible("deaf", "3.4")), RULES)]
    assert "certification (fr), items for deaf, 33 % more time: not possible" in poor
    assert "certification (fr), items for blind, 33 % more time: possible" in poor
