from collections import Counter
from importlib.resources import files
from pathlib import Path

import pytest

from itembank.checks import findings
from itembank.files import bank_texts, shipped_bank
from itembank.items import public
from itembank.marking import mark
from itembank.provisional import with_provisional
from itembank.snapshot import Snapshot
from itembank.summary import summary
from tests.itembank.examples import right_answer


def test_the_framework_is_the_crcn() -> None:
    framework = shipped_bank().framework
    assert len(framework.domains) == 5
    assert framework.codes == tuple("1.1 1.2 1.3 2.1 2.2 2.3 2.4 3.1 3.2 3.3 3.4 4.1 4.2 4.3 5.1 5.2".split())
    assert framework.competence("1.1").title["fr"] == "Mener une recherche et une veille d'information"
    assert framework.competence("5.2").title["fr"] == "Évoluer dans un environnement numérique"
    assert framework.levels == 8
    assert [band.levels for band in framework.bands] == [(1, 2), (3, 4), (5, 6), (7, 8)]
    assert framework.provisional


def test_the_bank_has_what_it_promises() -> None:
    bank = shipped_bank()
    assert len(bank.items) >= 320
    for row in summary(bank):
        assert row.served >= 20, row.code
        assert row.topics >= 4, row.code
        assert min(row.levels.values()) >= 1, row.code
        assert len(row.kinds) >= 5, row.code
    assert len(Counter(item.kind for item in bank.items)) == 6


def test_there_is_nothing_to_find() -> None:
    assert [str(finding) for finding in findings(shipped_bank())] == []


def test_every_key_marks_full_and_stays_hidden() -> None:
    for item in shipped_bank().items:
        assert mark(item, right_answer(item)) == item.categories - 1, item.id
        assert "key" not in public(item)


def test_parameters_are_the_provisional_rule_or_estimates() -> None:
    """When an item was added or changed: itembank.files.fill_provisional("itembank/crcn") writes the file again."""
    bank = shipped_bank()
    assert with_provisional(bank).parameters == bank.parameters


def test_the_snapshot_serves_every_operational_item() -> None:
    bank = shipped_bank()
    snapshot = Snapshot.of(bank)
    assert len(snapshot) == sum(item.status == "operational" for item in bank.items)
    assert Snapshot.from_json(snapshot.to_json(), snapshot.hash) == snapshot
    assert snapshot.allowed(("blind", "colour_blind", "deaf")).sum() == pytest.approx(len(snapshot), rel=0.2)


def test_the_shipped_files_are_in_canonical_form() -> None:
    """So that saving a changed bank shows what changed and nothing else."""
    folder = Path(str(files("itembank") / "crcn"))
    for name, text in bank_texts(shipped_bank()).items():
        assert (folder / name).read_text(encoding="utf-8") == text, f"{name}: run `jalon bank export`"
