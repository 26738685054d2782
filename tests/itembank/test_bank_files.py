import hashlib
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings

from engine.errors import BankError
from itembank.bank import ItemBank
from itembank.calibrations import covariances
from itembank.checks import findings
from itembank.files import (
    bank_texts,
    export_bank,
    fill_provisional,
    import_parameters,
    load_bank,
    save_bank,
    write_text,
)
from itembank.items import Item
from itembank.parameters import Parameters
from itembank.text_files import file_hash
from itembank.yaml_text import read_yaml, write_yaml
from tests.itembank import examples

DATE = "2026-01-31T12:00:00Z"


def calibrated() -> ItemBank:
    """Bank with two calibrations; the second speaks of one of the three items of the first."""
    bank = examples.bank()
    first, second, third = (item.id for item in bank.items[:3])
    loadings = {"domains": {"1": {"value": 0.6, "error": 0.02}}}
    bank = bank.with_calibration(examples.record({id: Parameters("2PL", 1.3, 0.2) for id in (first, second, third)}))
    return bank.with_calibration(examples.record({second: Parameters("1PL", 1.0, 0.1)}, loadings=loadings))


def test_a_bank_reads_back_and_saves_the_same_bytes(tmp_path: Path) -> None:
    bank = examples.bank()
    save_bank(bank, tmp_path)
    again = load_bank(tmp_path)
    assert again == bank
    assert bank_texts(again) == bank_texts(bank)
    assert {str(file.relative_to(tmp_path)) for file in tmp_path.rglob("*") if file.is_file()} == set(bank_texts(bank))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50, deadline=None)
@given(examples.items())
def test_any_item_reads_back(tmp_path: Path, item: Item) -> None:
    bank = ItemBank(examples.framework(), (item,), {})
    save_bank(bank, tmp_path)
    again = load_bank(tmp_path)
    assert again.items == bank.items
    assert bank_texts(again) == bank_texts(bank)


def test_one_changed_item_changes_its_lines_only(tmp_path: Path) -> None:
    bank = examples.bank()
    changed = bank.with_item(bank.items[0].model_copy(update={"time": 77}))
    before, after = bank_texts(bank), bank_texts(changed)
    assert {name for name in before if before[name] != after[name]} == {"items/1.1.yaml"}
    lines = zip(before["items/1.1.yaml"].splitlines(), after["items/1.1.yaml"].splitlines(), strict=True)
    assert [pair for pair in lines if pair[0] != pair[1]] == [("    time: 30", "    time: 77")]


def test_long_texts_are_blocks_and_short_lists_one_line(tmp_path: Path) -> None:
    bank = examples.bank().with_item(examples.item(id="x-1.1-900", stem="Première ligne\n\n  Deuxième ligne"))
    text = bank_texts(bank)["items/1.1.yaml"]
    assert "    stem: |-\n      Première ligne\n\n        Deuxième ligne\n" in text
    assert "    choices: {a: Un, b: Deux, c: Trois, d: Quatre}\n" in text


def test_a_bank_without_parameters_reads(tmp_path: Path) -> None:
    save_bank(examples.bank(), tmp_path)
    (tmp_path / "parameters.csv").unlink()
    assert load_bank(tmp_path).parameters == {}


def test_saving_over_another_bank_is_refused(tmp_path: Path) -> None:
    save_bank(examples.bank(), tmp_path)
    stranger = tmp_path / "items" / "9.9.yaml"
    stranger.write_text("x")
    with pytest.raises(BankError, match="not a file of this bank"):
        save_bank(examples.bank(), tmp_path)
    assert stranger.exists()


def test_a_file_is_written_whole_and_nothing_stays_beside(tmp_path: Path) -> None:
    target = tmp_path / "a.txt"
    write_text(target, "un\n")
    write_text(target, "deux\n")
    assert target.read_bytes() == b"deux\n"
    assert list(tmp_path.iterdir()) == [target]


def test_a_pipe_is_written_to_and_stays_a_pipe(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    end = os.open(pipe, os.O_RDWR | os.O_NONBLOCK)
    write_text(pipe, "un\n")
    assert os.read(end, 9) == b"un\n"
    os.close(end)
    assert pipe.is_fifo()


def test_a_folder_that_does_not_exist_is_told(tmp_path: Path) -> None:
    with pytest.raises(BankError, match=r"There is no folder .*nowhere; make it first"):
        write_text(tmp_path / "nowhere" / "x", "un\n")


def test_parameters_are_imported_on_our_metric(tmp_path: Path) -> None:
    bank = examples.bank()
    table = tmp_path / "items.csv"
    table.write_text(f"id,model,discrimination,difficulty\n{bank.items[0].id},2PL,1.0,0.25\n")
    imported = import_parameters(bank, table, scale=1.7, date=DATE)
    assert imported.parameters[bank.items[0].id].discrimination == pytest.approx(1.7)
    assert not imported.parameters[bank.items[0].id].provisional
    assert imported.parameters[bank.items[1].id] == bank.parameters[bank.items[1].id]
    table.write_text("id,model,discrimination,difficulty\nnobody,2PL,1.0,0.25\n")
    with pytest.raises(BankError, match="no item 'nobody'"):
        import_parameters(bank, table, date=DATE)


@pytest.mark.parametrize(
    ("file", "old", "new", "words"),
    [
        ("items/1.1.yaml", "competence: '1.1'", "competence: 1.1", "quote or correct it"),
        ("items/1.1.yaml", "competence: '1.1'", "competence: '1.2'", "second file of competence 1.2"),
        ("items/1.1.yaml", "    level: 1\n", "    level: 1\n    level: 2\n", "a key is given twice"),
        ("items/1.1.yaml", "    level: 1\n", "    level: one\n", "level must be a whole number"),
        ("items/1.1.yaml", "    level: 1\n", "    level: [\n", "is not valid YAML at line"),
        ("items/1.1.yaml", "items:\n", "things:\n", "three fields"),
        ("items/1.1.yaml", "    time: 30\n", "    time: 30\n    colour: red\n", "colour is not a field of this kind"),
        ("items/1.1.yaml", "topics:\n", "topics:\n  Alpha: {fr: A}\n", "topics"),
        ("parameters.csv", ",1.1,alpha", ",1.2,alpha", "and its file gives '1.1'"),
        ("parameters.csv", "3PL", "9PL", "no response model '9PL'"),
        ("framework.yaml", "code: small", "code: [", "is not valid YAML"),
    ],
)
def test_a_faulty_file_is_named_with_a_sentence(tmp_path: Path, file: str, old: str, new: str, words: str) -> None:
    save_bank(examples.bank(), tmp_path)
    text = (tmp_path / file).read_text(encoding="utf-8")
    assert old in text
    (tmp_path / file).write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(BankError) as raised:
        load_bank(tmp_path)
    assert words in str(raised.value)
    assert str(tmp_path) in str(raised.value)


def test_provisional_parameters_are_written_for_items_without_estimates(tmp_path: Path) -> None:
    bank = examples.bank()
    save_bank(bank, tmp_path)
    before = {file: file.read_text() for file in tmp_path.rglob("*.yaml")}
    (tmp_path / "parameters.csv").write_text(f"id,model,discrimination,difficulty\n{bank.items[0].id},2PL,1.0,0.25\n")
    filled = fill_provisional(tmp_path)
    assert load_bank(tmp_path) == filled
    assert filled.parameters[bank.items[0].id] == Parameters("2PL", 1.0, 0.25)
    assert filled.parameters[bank.items[1].id] == bank.parameters[bank.items[1].id]
    assert {file: file.read_text() for file in tmp_path.rglob("*.yaml")} == before


def test_a_folder_without_a_bank_and_a_file_in_another_encoding(tmp_path: Path) -> None:
    with pytest.raises(BankError, match=r"no framework.yaml"):
        load_bank(tmp_path)
    save_bank(examples.bank(), tmp_path)
    (tmp_path / "items" / "1.1.yaml").write_bytes("topics: é".encode("latin-1"))
    with pytest.raises(BankError, match="not UTF-8"):
        load_bank(tmp_path)


def test_yaml_reads_back_and_refuses_a_key_twice() -> None:
    data = {"a": ["x", "y"], "b": {"c": "l1\nl2", "d": ["é", "oui", "yes", "1", ""]}}
    assert read_yaml(write_yaml(data), "text") == data
    with pytest.raises(BankError, match="text is not valid YAML at line 1: a key is given twice"):
        read_yaml("{a: 1, a: 2}", "text")


def test_an_imported_table_without_times_keeps_those_of_the_bank(tmp_path: Path) -> None:
    bank = examples.bank()
    id = bank.items[0].id
    (tmp_path / "new.csv").write_text(f"id,model,discrimination,difficulty\n{id},2PL,1.5,0.3\n", encoding="utf-8")
    new, old = import_parameters(bank, tmp_path / "new.csv", date=DATE).parameters[id], bank.parameters[id]
    assert (new.discrimination, new.difficulty, new.provisional) == (1.5, 0.3, False)
    assert old.time_intensity is not None
    assert (new.time_intensity, new.time_discrimination) == (old.time_intensity, old.time_discrimination)


def test_an_export_never_overwrites(tmp_path: Path) -> None:
    export_bank(examples.bank(), tmp_path / "new")
    assert load_bank(tmp_path / "new") == examples.bank()
    with pytest.raises(BankError, match="exists already"):
        export_bank(examples.bank(), tmp_path / "new")


def test_the_history_reads_back_and_is_exported(tmp_path: Path) -> None:
    bank = calibrated()
    export_bank(bank, tmp_path / "bank")
    again = load_bank(tmp_path / "bank")
    assert again == bank
    assert bank_texts(again) == bank_texts(bank)
    names = sorted(file.name for file in (tmp_path / "bank" / "calibrations").iterdir())
    assert names == [f"000{number}-{record.id}.json" for number, record in enumerate(bank.calibrations, 1)]
    assert findings(again) == findings(bank)


def test_a_new_calibration_adds_a_file_and_changes_no_other_record(tmp_path: Path) -> None:
    bank = calibrated()
    save_bank(bank, tmp_path)
    before = {file.name: file.read_bytes() for file in (tmp_path / "calibrations").iterdir()}
    more = bank.with_calibration(examples.record({bank.items[0].id: Parameters("2PL", 2.0, 0.3)}))
    save_bank(more, tmp_path)
    after = {file.name: file.read_bytes() for file in (tmp_path / "calibrations").iterdir()}
    assert after.items() > before.items()
    assert len(after) == 3
    assert load_bank(tmp_path) == more


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda one, two: one.write_text(one.read_text().replace("1.3", "1.4", 1)), "was altered: its content is that"),
        (lambda one, two: one.write_text(one.read_text()[:-9]), "is not a calibration"),
        (lambda one, two: one.write_text(one.read_text().replace("1.3", "NaN", 1)), "0001-"),
        (lambda one, two: one.write_text(one.read_text().replace('"model"', '"modal"', 1)), "modal is not a field"),
        (lambda one, two: one.write_text("[" * 100_000), "is not a calibration"),
        (lambda one, two: one.write_text('{"date": 1, "date": 2}'), "a name is given twice"),
        (lambda one, two: one.unlink(), "has no calibration 0001; restore it"),
        (lambda one, two: two.rename(two.with_name(two.name.replace("0002", "0003"))), "has no calibration 0002"),
        (lambda one, two: two.rename(two.with_name(f"0002-{'0' * 12}.json")), "was altered"),
        (lambda one, two: one.with_name("0001-copy.json").write_text(one.read_text()), "0001"),
    ],
)
def test_a_damaged_history_is_refused(tmp_path: Path, spoil: Callable[[Path, Path], object], words: str) -> None:
    save_bank(calibrated(), tmp_path)
    one, two = sorted((tmp_path / "calibrations").iterdir())
    spoil(one, two)
    with pytest.raises(BankError) as raised:
        load_bank(tmp_path)
    assert words in str(raised.value)
    assert str(tmp_path / "calibrations") in str(raised.value)


def test_a_history_is_not_overwritten_by_another_one(tmp_path: Path) -> None:
    save_bank(calibrated(), tmp_path)
    before = {file: file.read_bytes() for file in tmp_path.rglob("*") if file.is_file()}
    bank = examples.bank()
    other = bank.with_calibration(examples.record({bank.items[0].id: Parameters("2PL", 2.0, 0.3)}))
    for stranger in (bank, other):
        with pytest.raises(BankError, match=r"calibrations/0001-[0-9a-f]{12}\.json is not a file of this bank"):
            save_bank(stranger, tmp_path)
    assert {file: file.read_bytes() for file in tmp_path.rglob("*") if file.is_file()} == before


def test_a_save_that_stops_after_any_file_leaves_no_parameters_of_unknown_origin(tmp_path: Path) -> None:
    before, after = examples.bank(), calibrated()
    for written in range(len(bank_texts(after)) + 1):
        folder = tmp_path / str(written)
        save_bank(before, folder)
        (folder / "calibrations").mkdir()
        for name, text in list(bank_texts(after).items())[:written]:
            write_text(folder / name, text)
        bank = load_bank(folder)
        assert all(bank.parameters[id].provisional or id in bank.history for id in bank.parameters)
        told = {finding.sentence for finding in findings(bank)} - {finding.sentence for finding in findings(after)}
        missing = bank.calibrations != () and bank != after
        assert any("is in force" in sentence for sentence in told) == missing


def test_an_imported_table_is_a_calibration_of_the_history(tmp_path: Path) -> None:
    bank = examples.bank()
    id = bank.items[0].id
    table = tmp_path / "items.csv"
    header = "id,model,discrimination,difficulty,thresholds,se_discrimination,se_thresholds,se_fit\n"
    table.write_text(f"{header}{id},GRM,1.0,,0.0;1.0,0.1,0.2;0.3,0.9\n")
    imported = import_parameters(bank, table, scale=1.7, date=DATE)
    (record,) = imported.calibrations
    assert (record.source, record.model, record.date, record.learners) == ("items.csv", "imported", DATE, None)
    assert record.data_hash == hashlib.sha256(table.read_bytes()).hexdigest()
    errors = record.by_id[id].errors
    assert errors is not None
    assert errors.discrimination == pytest.approx(0.17)
    assert errors.thresholds == (0.2, 0.3)
    assert covariances(imported, [id]) == [None]
    save_bank(imported, tmp_path / "bank")
    assert load_bank(tmp_path / "bank") == imported


def test_the_hash_is_that_of_the_bytes_of_a_file(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"abc")
    # FIPS 180-2, appendix B.1.
    assert file_hash(tmp_path / "x") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    with pytest.raises(BankError, match="is not a file"):
        file_hash(os.devnull)


def test_provisional_rows_of_a_table_are_no_calibration(tmp_path: Path) -> None:
    bank = examples.bank()
    id = bank.items[0].id
    header = "id,model,discrimination,difficulty,provisional\n"
    (tmp_path / "judged.csv").write_text(f"{header}{id},2PL,1.5,0.3,true\n")
    judged = import_parameters(bank, tmp_path / "judged.csv", date=DATE)
    assert judged.parameters[id].provisional
    assert judged.parameters[id].discrimination == 1.5
    assert judged.calibrations == ()
    (tmp_path / "estimated.csv").write_text(f"{header}{id},2PL,1.6,0.3,\n")
    estimated = import_parameters(judged, tmp_path / "estimated.csv", date=DATE)
    assert not estimated.parameters[id].provisional
    with pytest.raises(BankError, match=f"provisional parameters for {id}, which is calibrated"):
        import_parameters(estimated, tmp_path / "judged.csv", date=DATE)


def test_an_import_says_what_is_wrong(tmp_path: Path) -> None:
    bank = examples.bank()
    (tmp_path / "new.csv").write_text(f"id,model,discrimination,difficulty\n{bank.items[0].id},2PL,1.5,0.3\n")
    with pytest.raises(BankError, match="date 'yesterday' that is not in UTC"):
        import_parameters(bank, tmp_path / "new.csv", date="yesterday")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[" * 25, "nests too deeply"),
        ("{a: " * 25, "nests too deeply"),
        ("[" * 100_000, "nest"),  # PyYAML before 6.0.4 leaves it to us
        ("{a: " * 100_000, "nest"),
        ("a: &x [1]\nb: *x\n", "alias"),
    ],
)
def test_a_hostile_file_is_refused_before_it_is_built(text: str, words: str) -> None:
    with pytest.raises(BankError, match=words):
        read_yaml(text, "the file")
