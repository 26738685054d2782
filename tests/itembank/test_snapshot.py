import dataclasses
import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings

from engine.adaptive import Design, begin
from engine.errors import BankError, DesignError
from engine.stopping import MaxLength
from itembank.bank import ItemBank
from itembank.estimates import ItemEstimates
from itembank.files import load_bank, save_bank
from itembank.framework import framework_from
from itembank.items import Item, Status
from itembank.marking import mark
from itembank.parameters import Parameters
from itembank.positioning import positioning_design
from itembank.snapshot import Snapshot
from tests.itembank import examples

GOLDEN = "feef86fc67305f57"


def test_rows_are_sorted_and_codes_follow_the_framework() -> None:
    bank = examples.bank()
    snapshot = Snapshot.of(bank)
    assert snapshot.ids == tuple(item.id for item in bank.items)
    assert [snapshot.row(id) for id in snapshot.ids] == list(range(len(snapshot)))
    assert snapshot.competence.tolist() == sorted(snapshot.competence.tolist())
    assert [snapshot.topics[topic] for topic in snapshot.topic] == [(i.competence, i.topic) for i in snapshot.items]
    assert snapshot.provisional.all()
    with pytest.raises(BankError, match="no item 'nobody'"):
        snapshot.row("nobody")


def test_the_hash_is_the_same_for_the_same_content(tmp_path: Any) -> None:
    bank = examples.bank()
    shuffled = ItemBank(bank.framework, bank.items[::-1], dict(sorted(bank.parameters.items(), reverse=True)))
    save_bank(bank, tmp_path)
    hashes = {Snapshot.of(one).hash for one in (bank, examples.bank(), shuffled, load_bank(tmp_path))}
    assert len(hashes) == 1


def test_the_hash_does_not_change_between_versions() -> None:
    """When this fails, stored runs can no longer prove which bank they pinned: raise snapshot.FORMAT and say so."""
    assert Snapshot.of(examples.bank()).hash.startswith(GOLDEN)


def test_what_is_not_served_does_not_change_the_hash() -> None:
    bank = examples.bank()
    first = bank.items[0]
    draft = examples.item(id="x-1.1-900", status="draft")
    for other in (
        bank.with_item(first.model_copy(update={"why": "Autre raison."})),
        bank.with_item(draft, Parameters("2PL", 1.0, 0.0)),
        bank.with_item(draft.model_copy(update={"status": Status.OPERATIONAL})),
        dataclasses.replace(bank, parameters=dict(bank.parameters) | {"nobody": Parameters("2PL", 1.0, 0.0)}),
    ):
        assert Snapshot.of(other) == Snapshot.of(bank)


CHANGES: list[tuple[str, dict[str, Any]]] = [
    ("single_choice", {"stem": "Autre question ?"}),
    ("single_choice", {"key": "c"}),
    ("single_choice", {"choices": {"b": "Deux", "a": "Un", "c": "Trois", "d": "Quatre"}}),
    ("single_choice", {"choices": {"a": "Un", "b": "Deux", "c": "Trois", "d": "Cinq"}}),
    ("single_choice", {"time": 31}),
    ("single_choice", {"limit": 60}),
    ("single_choice", {"topic": "beta"}),
    ("single_choice", {"enemies": ["x-1.1-001"]}),
    ("single_choice", {"document": {"title": "Titre", "text": "Texte"}}),
    ("single_choice", {"code": "print(1)"}),
    ("single_choice", {"accessible": {"blind": False, "colour_blind": True, "deaf": True}}),
    ("multiple_choice", {"credit": [0.5, 1.0]}),
    ("short_text", {"typos": 2}),
    ("short_text", {"key": ["Pare-feu"]}),
    ("number", {"tolerance": 0.25}),
    ("number", {"unit": "Go"}),
    ("ordering", {"key": ["c", "a", "b", "d"]}),
    ("matching", {"key": {"a": "p", "b": "q", "c": "s"}}),
]


@pytest.mark.parametrize(("kind", "changes"), CHANGES)
def test_any_served_change_changes_the_hash(kind: str, changes: dict[str, Any]) -> None:
    def hashed(item: Item) -> str:
        return Snapshot.of(examples.bank().with_item(item, Parameters("2PL", 1.0, 0.0))).hash

    assert hashed(examples.item(kind)) != hashed(examples.item(kind, **changes))


@pytest.mark.parametrize(
    "changes", [{"discrimination": 1.11}, {"difficulty": 0.1}, {"time_intensity": 3.0}, {"provisional": False}]
)
def test_any_change_of_parameters_changes_the_hash(changes: dict[str, Any]) -> None:
    bank = examples.bank()
    id = next(id for id, known in bank.parameters.items() if known.model == "2PL")
    other = dict(bank.parameters) | {id: dataclasses.replace(bank.parameters[id], **changes)}
    assert Snapshot.of(dataclasses.replace(bank, parameters=other)) != Snapshot.of(bank)


def test_the_history_of_the_parameters_is_not_in_the_hash() -> None:
    bank = examples.bank()
    calibrated = bank.with_calibration(examples.record(bank.parameters))
    assert Snapshot.of(calibrated) != Snapshot.of(bank)
    assert Snapshot.of(dataclasses.replace(calibrated, calibrations=())).hash == Snapshot.of(calibrated).hash
    # Pins of stored runs: this hash was made before banks had a history.
    assert Snapshot.of(bank).hash.startswith("feef86fc67305f57")


def test_retiring_an_item_or_moving_a_cut_changes_the_hash() -> None:
    bank = examples.bank()
    moved = bank.framework.model_dump(mode="json")
    moved["domains"][0]["competences"][0]["cuts"][0] = -1.6
    other = dataclasses.replace(bank, framework=framework_from(moved))
    assert len({Snapshot.of(one) for one in (bank, bank.retire([bank.items[0].id]), other)}) == 3


@settings(max_examples=40, deadline=None)
@given(examples.items())
def test_json_reads_back(item: Item) -> None:
    snapshot = Snapshot.of(examples.bank(1).with_item(item, Parameters("2PL", 1.0, 0.0)))
    again = Snapshot.from_json(snapshot.to_json(), expected=snapshot.hash)
    assert again == snapshot
    assert again.items == snapshot.items
    assert again.rows == snapshot.rows
    assert again.framework == snapshot.framework
    for one, other in zip(snapshot.items, again.items, strict=True):
        answer = examples.right_answer(one)
        assert mark(one, answer) == mark(other, answer)
        assert list(getattr(one, "choices", ())) == list(getattr(other, "choices", ()))


def test_a_database_may_reorder_the_fields_of_the_json() -> None:
    snapshot = Snapshot.of(examples.bank())
    reordered = json.dumps(dict(reversed(json.loads(snapshot.to_json()).items())), indent=1)
    assert Snapshot.from_json(reordered, expected=snapshot.hash) == snapshot


def test_an_altered_snapshot_is_refused() -> None:
    snapshot = Snapshot.of(examples.bank())
    altered = snapshot.to_json().replace('"key":"b"', '"key":"c"', 1)
    with pytest.raises(BankError, match="its content was altered"):
        Snapshot.from_json(altered, expected=snapshot.hash)
    with pytest.raises(BankError, match="not JSON"):
        Snapshot.from_json("{")
    with pytest.raises(BankError, match="not a snapshot of format 1"):
        Snapshot.from_json("[]")


def test_the_reasons_of_the_keys_stay_at_home() -> None:
    assert all(item.why == "" for item in Snapshot.of(examples.bank()).items)
    assert "Parce que" not in Snapshot.of(examples.bank()).to_json()


def test_enemies_are_pairs_of_rows_whichever_side_declares_them() -> None:
    bank = examples.bank()
    first, second, third = bank.items[:3]
    bank = bank.with_item(third.model_copy(update={"enemies": (first.id, "nobody")}))
    bank = bank.with_item(first.model_copy(update={"enemies": (third.id, second.id)}))
    assert Snapshot.of(bank).enemies == ((0, 1), (0, 2))


def test_allowed_follows_flags_exclusions_and_competences() -> None:
    bank = examples.bank()
    first, second = bank.items[:2]
    bank = bank.with_item(first.model_copy(update={"accessible": first.accessible.model_copy(update={"blind": False})}))
    snapshot = Snapshot.of(bank)
    assert snapshot.allowed().all()
    assert np.flatnonzero(~snapshot.allowed(accessible=("blind", "deaf"))).tolist() == [0]
    assert np.flatnonzero(~snapshot.allowed(exclude=[second.id, "nobody"])).tolist() == [1]
    assert set(snapshot.competence[snapshot.allowed(competences=["2.1"])]) == {2}
    with pytest.raises(BankError, match="no accessibility flag 'left_handed'"):
        snapshot.allowed(accessible=["left_handed"])


def test_the_table_is_what_the_engine_needs() -> None:
    bank = examples.bank()
    bank = bank.with_item(bank.items[0].model_copy(update={"limit": 45}))
    snapshot = Snapshot.of(bank)
    design = Design(latent=bank.framework.tree(), stop=MaxLength(5))
    table = snapshot.table(design)
    assert table.competence.tolist() == snapshot.competence.tolist()
    assert table.timed.tolist() == [True] + [False] * (len(snapshot) - 1)
    assert table.cuts.tolist() == [list(cuts) for cuts in bank.framework.cuts]
    assert np.exp(table.time_intensity) == pytest.approx([item.time for item in snapshot.items], rel=1e-3)
    _, decision = begin(design, table, 0.5)
    assert 0 <= int(decision.item) < len(snapshot)


def test_an_empty_bank_has_no_snapshot() -> None:
    with pytest.raises(BankError, match="no operational item with parameters in locale 'en'"):
        Snapshot.of(examples.bank(), locale="en")


def test_a_snapshot_carries_the_errors_of_the_calibration() -> None:
    bank = examples.bank()
    plain = Snapshot.of(bank)
    first = plain.ids[0]
    matrix = np.full((4, 4), np.nan)
    matrix[:2, :2] = [[0.04, 0.01], [0.01, 0.02]]
    entry = ItemEstimates.of(first, Parameters("2PL", 1.2, 0.3), {"difficulty": 0.1}, matrix, 500, "converged")
    calibration = examples.record({first: Parameters("2PL", 1.2, 0.3)}, items=[entry.model_dump()])
    found = Snapshot.of(bank.with_calibration(calibration))
    assert plain.covariance is None
    assert found.covariance is not None
    np.testing.assert_array_equal(found.covariance[0][:2, :2], matrix[:2, :2])
    assert np.isnan(found.covariance[1:]).all()
    assert Snapshot.from_json(found.to_json(), found.hash) == found
    uncertain = dataclasses.replace(positioning_design(bank.framework), parameters="uncertain")
    known = found.table(dataclasses.replace(uncertain, parameters="known"))
    changed = np.abs(found.table(uncertain).information - known.information).max(axis=1) > 1e-9
    assert changed.tolist() == [True] + [False] * (len(found) - 1)
    with pytest.raises(DesignError, match="covariances"):
        plain.table(uncertain)
