import dataclasses
from typing import Any

import pytest

from engine.adaptive import Design
from engine.filters import OnePerTopic, Quotas
from engine.stopping import AnyOf, MaxLength, PreciseEnough
from itembank.bank import ItemBank
from itembank.checks import Expectations, Finding, Severity, findings
from itembank.framework import framework_from
from itembank.parameters import Parameters
from itembank.positioning import positioning_design
from tests.itembank import examples

EXPECTED = Expectations(items=8, topics=2, items_of_topic=2, accessible=4, reach=0.6)


def found(bank: ItemBank, **changes: Any) -> list[Finding]:
    """Findings of a test of twelve items on the small bank."""
    designs = changes.pop("designs", [positioning_design(bank.framework, length=12)])
    return findings(bank, designs, dataclasses.replace(EXPECTED, **changes))


def first(bank: ItemBank, **changes: Any) -> ItemBank:
    """Bank whose first item is changed."""
    return bank.with_item(bank.items[0].model_copy(update=changes))


def one(findings: list[Finding]) -> Finding:
    """Only finding there is."""
    assert len(findings) == 1, [str(finding) for finding in findings]
    return findings[0]


def test_a_good_bank_has_no_findings() -> None:
    assert found(examples.bank()) == []


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"competence": "9.9"}, "There is no competence 9.9"),
        ({"topic": "omega"}, "has no topic 'omega'"),
        ({"level": 5}, "There is no level 5"),
        ({"enemies": ("nobody",)}, "Its enemy 'nobody' is not in the bank"),
    ],
)
def test_an_item_that_points_nowhere_is_an_error(changes: dict[str, Any], words: str) -> None:
    bank = examples.bank(3)
    finding = one([finding for finding in found(first(bank, **changes)) if finding.where == bank.items[0].id])
    assert finding.severity is Severity.ERROR
    assert words in finding.sentence


def test_two_items_with_the_same_question_are_an_error() -> None:
    bank = examples.bank()
    twin = first(bank, stem=bank.items[1].stem.upper() + " ")
    finding = one(found(twin))
    assert finding.severity is Severity.ERROR
    assert finding.where == f"{bank.items[0].id}, {bank.items[1].id}"
    assert found(twin.retire([bank.items[0].id]), items=1, items_of_topic=1) == []
    assert found(first(bank, stem=bank.items[1].stem, code="autre matériel")) == []


def test_a_missing_translation_is_a_warning() -> None:
    bank = examples.bank()
    plain = bank.framework.model_dump(mode="json")
    del plain["domains"][0]["competences"][0]["topics"][0]["title"]["en"]
    finding = one(found(dataclasses.replace(bank, framework=framework_from(plain))))
    assert (finding.severity, finding.where) == (Severity.WARNING, "topic 1.1/alpha")


def test_missing_and_stray_parameters_are_errors() -> None:
    bank = examples.bank(3)
    id = bank.items[0].id
    parameters = {other: known for other, known in bank.parameters.items() if other != id}
    missing = dataclasses.replace(bank, parameters=parameters)
    assert "has no parameters" in one(found(missing)).sentence
    stray = dataclasses.replace(bank, parameters=dict(bank.parameters) | {"nobody": Parameters("2PL", 1.0, 0.0)})
    assert one(found(stray)).where == "nobody"
    assert found(missing.with_item(bank.items[0].model_copy(update={"status": "draft"}))) == []


def test_categories_that_differ_are_an_error() -> None:
    bank = examples.bank()
    id = next(item.id for item in bank.items if item.kind == "matching")
    item = bank.item(id)
    finding = one(found(bank.with_item(item.model_copy(update={"credit": (0.5, 1.0)}))))
    assert finding == Finding(
        Severity.ERROR,
        id,
        "Marking gives 3 categories and the parameters know 2; change its credit or calibrate it again.",
    )


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        (Parameters("2PL", 1.2, 3.0), "far from its level 1"),
        (Parameters("2PL", 0.1, -1.0), "next to nothing"),
        (Parameters("3PL", 1.2, -1.0, guessing=0.6), "next to nothing"),
        (Parameters("2PL", 1.2, -1.0, time_intensity=6.0), "Learners take 403 s and the item expects 30 s"),
    ],
)
def test_implausible_parameters_are_warnings(parameters: Parameters, words: str) -> None:
    bank = examples.bank(3)
    finding = one(found(bank.with_calibration(examples.record({bank.items[0].id: parameters}))))
    assert finding.severity is Severity.WARNING
    assert words in finding.sentence


def test_thin_competences_and_topics_are_warnings() -> None:
    bank = examples.bank()
    thin = found(bank, items=9)
    assert [finding.where for finding in thin] == ["1.1 (fr)", "1.2 (fr)", "2.1 (fr)"]
    assert all("8 items to serve, 9 wanted" in finding.sentence for finding in thin)
    assert len(found(bank, topics=3)) == 3
    assert {finding.where for finding in found(bank, items_of_topic=5)} >= {"1.1 (fr) alpha", "2.1 (fr) beta"}


def test_a_level_without_items_near_its_cut_is_an_error() -> None:
    bank = examples.bank(3)
    top = [item.id for item in bank.of_competence("1.2") if item.level >= 3]
    low = {id: dataclasses.replace(bank.parameters[id], difficulty=-1.0) for id in top}
    finding = one(found(bank.with_calibration(examples.record(low)), drift=9.0))
    assert finding.severity is Severity.ERROR
    assert finding.sentence == "Level 4 is out of reach: no item within 0.6 of its cut 1.5; write some there."


def test_a_competence_without_items_is_an_error() -> None:
    bank = examples.bank()
    gone = bank.retire([item.id for item in bank.of_competence("2.1")])
    assert ("2.1 (fr)", "The competence has no item to serve; write some.") in {
        (finding.where, finding.sentence) for finding in found(gone)
    }


@pytest.mark.parametrize(("kept", "severity"), [(1, Severity.WARNING), (0, Severity.ERROR)])
def test_too_few_accessible_items_are_found(kept: int, severity: Severity) -> None:
    bank = examples.bank()
    for item in bank.of_competence("1.2")[kept:]:
        closed = item.accessible.model_copy(update={"deaf": False})
        bank = bank.with_item(item.model_copy(update={"accessible": closed}))
    all_of_them = found(bank)
    coverage = [finding for finding in all_of_them if finding.where == "1.2 (fr)"]
    assert one(coverage).severity is severity
    assert "the flag deaf" in one(coverage).sentence
    tests = [finding for finding in all_of_them if finding.where == "test (fr, deaf)"]
    assert f"The test asks at least 3 items of 1.2 and can ask {kept}" in tests[0].sentence


def quotas(least: int, most: int, length: int) -> Quotas:
    """The same quotas for the three competences."""
    return Quotas((least,) * 3, (most,) * 3, length)


@pytest.mark.parametrize(
    ("filters", "length", "words"),
    [
        ((quotas(9, 9, 27),), 27, "at least 9 items of 1.1 and can ask 8"),
        ((quotas(3, 3, 9), OnePerTopic()), 9, "at least 3 items of 1.1 and can ask 2"),
        ((OnePerTopic(),), 7, "has 7 items and the bank can give 6"),
        ((), 25, "has 25 items and the bank can give 24"),
        ((Quotas((1,), (9,), 5),), 5, "for 1 competences, not 3"),
    ],
)
def test_a_test_that_the_bank_cannot_serve_is_an_error(filters: tuple[Any, ...], length: int, words: str) -> None:
    bank = examples.bank()
    design = Design(filters=filters, stop=AnyOf((PreciseEnough(0.3), MaxLength(length))), latent=bank.framework.tree())
    impossible = found(bank, designs=[design])
    assert all(finding.severity is Severity.ERROR for finding in impossible)
    assert any(words in finding.sentence for finding in impossible)


def test_parameters_that_no_calibration_gives_are_found() -> None:
    bank = examples.bank(3)
    id = bank.items[0].id
    known = dataclasses.replace(bank.parameters[id], provisional=False)
    calibrated = bank.with_calibration(examples.record({id: known}))
    assert found(calibrated) == []
    for other in (dataclasses.replace(known, difficulty=known.location + 0.001), bank.parameters[id]):
        finding = one(found(dataclasses.replace(calibrated, parameters=dict(bank.parameters) | {id: other})))
        assert (finding.severity, finding.where) == (Severity.ERROR, id)
        assert f"Parameters of item {id} differ from calibration {calibrated.calibrations[0].id}" in finding.sentence
    unrecorded = one(found(dataclasses.replace(calibrated, calibrations=())))
    assert unrecorded.severity is Severity.WARNING
    assert "no calibration of the bank gives them" in unrecorded.sentence


def test_time_parameters_that_no_calibration_gives_may_change() -> None:
    bank = examples.bank(3)
    id = bank.items[0].id
    bare = dataclasses.replace(bank.parameters[id], time_intensity=None, time_discrimination=None)
    calibrated = bank.with_calibration(examples.record({id: bare}))
    slower = dataclasses.replace(calibrated.parameters[id], time_intensity=3.5)
    assert found(dataclasses.replace(calibrated, parameters=dict(calibrated.parameters) | {id: slower})) == []
    timed = calibrated.with_calibration(examples.record({id: slower}, source="times.csv"))
    again = timed.with_calibration(examples.record({id: bare}, source="again.csv"))
    assert again.parameters[id].time_intensity == 3.5
    assert found(again) == []
    lost = dataclasses.replace(again, parameters=dict(again.parameters) | {id: calibrated.parameters[id]})
    assert one(found(lost)).severity is Severity.ERROR


def test_loadings_that_no_calibration_gives_are_found() -> None:
    bank = examples.bank(3)
    id = bank.items[0].id
    loadings = {"domains": {"1": {"value": 0.6}}, "competences": {"2.1": {"value": 0.5, "error": 0.1}}}
    calibrated = bank.with_calibration(examples.record({id: bank.parameters[id]}, loadings=loadings))
    assert found(calibrated) == []
    findings = found(dataclasses.replace(calibrated, framework=bank.framework))
    assert {(finding.where, finding.severity) for finding in findings} == {
        ("domain 1", Severity.ERROR),
        ("competence 2.1", Severity.ERROR),
    }
    assert "0.9 differs from the 0.6 of calibration" in findings[0].sentence


def test_errors_come_first_and_read_as_one_line() -> None:
    bank = first(examples.bank(), enemies=("nobody",))
    severities = [finding.severity for finding in found(bank, items=99)]
    assert severities == sorted(severities)
    assert str(found(bank)[0]).startswith(f"error: {bank.items[0].id}: Its enemy")
