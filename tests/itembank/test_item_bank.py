import dataclasses

import pytest

from engine.errors import BankError
from itembank.bank import ItemBank
from itembank.items import Status
from itembank.parameters import Parameters, to_engine
from tests.itembank import examples


def test_items_are_in_the_order_of_competence_then_id() -> None:
    bank = examples.bank()
    shuffled = ItemBank(bank.framework, bank.items[::-1], dict(sorted(bank.parameters.items(), reverse=True)))
    assert shuffled == bank
    assert [item.competence for item in bank.items] == sorted(item.competence for item in bank.items)


def test_an_id_used_twice_is_refused() -> None:
    bank = examples.bank()
    with pytest.raises(BankError, match=r"several items x-1\.1-000"):
        ItemBank(bank.framework, (*bank.items, bank.items[0]), {})


def test_with_item_adds_or_replaces_and_leaves_the_bank_alone() -> None:
    bank = examples.bank()
    new = examples.item(id="x-1.1-999", stem="Nouvelle question ?")
    grown = bank.with_item(new, Parameters("2PL", 1.0, 0.0))
    assert len(grown.items) == len(bank.items) + 1
    assert grown.item("x-1.1-999") == new
    changed = bank.items[0].model_copy(update={"stem": "Autre question ?"})
    assert bank.with_item(changed).item(changed.id) == changed
    assert bank.with_item(changed).parameters == bank.parameters
    assert bank.item(changed.id) != changed


def test_a_retired_item_stays_and_is_not_served() -> None:
    bank = examples.bank()
    id = bank.items[3].id
    retired = bank.retire([id])
    assert retired.item(id).status is Status.RETIRED
    assert id in {item.id for item in bank.served()}
    assert id not in {item.id for item in retired.served()}
    with pytest.raises(BankError, match="no item 'nobody'"):
        bank.retire(["nobody"])


def test_with_calibration_replaces_parameters_of_items_that_exist() -> None:
    bank = examples.bank()
    id = bank.items[0].id
    estimate = Parameters("2PL", 1.3, 0.2)
    old = bank.parameters[id]
    record = examples.record({id: estimate})
    calibrated = bank.with_calibration(record)
    assert old.provisional
    assert bank.parameters[id] == old
    assert calibrated.parameters[id] == dataclasses.replace(
        estimate, time_intensity=old.time_intensity, time_discrimination=old.time_discrimination
    )
    assert calibrated.calibrations == (record,)
    assert calibrated.in_force(id) is record
    assert calibrated.in_force(bank.items[1].id) is None
    assert {other for other, known in calibrated.parameters.items() if known != bank.parameters[other]} == {id}
    with pytest.raises(BankError, match="no item 'nobody'"):
        bank.with_calibration(examples.record({"nobody": estimate}))
    with pytest.raises(BankError, match=f"holds the calibration {record.id} already"):
        calibrated.with_calibration(record)


def test_a_calibration_with_loadings_changes_those_of_the_tree() -> None:
    bank = examples.bank()
    loadings = {"domains": {"1": {"value": 0.55}}, "competences": {"1.2": {"value": 0.45, "error": 0.03}}}
    record = examples.record({bank.items[0].id: Parameters("2PL", 1.0, 0.0)}, loadings=loadings)
    framework = bank.with_calibration(record).framework
    assert framework.tree().domain_loadings == (0.55, 0.7)
    assert framework.tree().competence_loadings == (0.8, 0.45, 0.8)
    assert framework.provisional  # the cuts still are
    assert framework.competence("1.1").topics == bank.framework.competence("1.1").topics
    for code, wrong in (("9", "no domain '9'"), ("1", "loading is refused")):
        bad = examples.record(
            {bank.items[0].id: Parameters("2PL", 1.0, 0.0)}, loadings={"domains": {code: {"value": 1.5}}}
        )
        with pytest.raises(BankError, match=wrong):
            bank.with_calibration(bad)


def test_only_operational_items_with_parameters_are_served() -> None:
    bank = examples.bank()
    first, second, third = (item.id for item in bank.items[:3])
    draft = bank.item(second).model_copy(update={"status": Status.FIELD_TEST})
    english = bank.item(third).model_copy(update={"locale": "en"})
    without = dataclasses.replace(
        bank.with_item(draft).with_item(english),
        parameters={id: known for id, known in bank.parameters.items() if id != first},
    )
    assert {item.id for item in bank.items} - {item.id for item in without.served()} == {first, second, third}
    assert [item.id for item in without.served("en")] == [third]


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"model": "5PL"}, "no response model '5PL'"),
        ({"model": "2PL", "difficulty": None}, "need a difficulty"),
        ({"model": "GRM"}, "need thresholds and no difficulty"),
        ({"model": "GRM", "difficulty": None}, "no thresholds"),
        ({"model": "GRM", "difficulty": None, "thresholds": (1.0, 0.0)}, "do not increase"),
        ({"model": "2PL", "guessing": 0.2}, "guessing"),
        ({"model": "2PL", "discrimination": -1.0}, "discrimination"),
        ({"model": "2PL", "time_discrimination": 0.0}, "time discrimination"),
    ],
)
def test_impossible_parameters_are_refused(fields: dict[str, object], words: str) -> None:
    with pytest.raises(ValueError, match="(?i)" + words):
        Parameters(**({"difficulty": 0.0} | fields))  # type: ignore[arg-type]


def test_parameters_become_arrays_in_order() -> None:
    rows = [Parameters("3PL", 1.2, 0.5, guessing=0.2), Parameters("GPCM", 0.9, thresholds=(-1.0, 0.4))]
    arrays = to_engine(rows)
    assert arrays.discrimination.tolist() == [1.2, 0.9]
    assert arrays.guessing.tolist() == [0.2, 0.0]
    assert arrays.categories.tolist() == [row.categories for row in rows] == [2, 3]
    assert arrays.difficulty[1] == pytest.approx(rows[1].location) == pytest.approx(-0.3)
