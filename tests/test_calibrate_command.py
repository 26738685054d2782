"""``jalon calibrate`` and ``jalon bank calibrate`` as a psychometrician meets them."""

import json
from pathlib import Path

import numpy as np
import pytest

from engine.parameters import ItemParameters
from itembank.files import load_bank, read_item_table, shipped_bank
from tests.simulations.calibration_files import answers, write
from tests.test_command_line import Command, command

__all__ = ["command"]

LSAT7 = Path(__file__).parents[1] / "itembank" / "examples" / "lsat7.csv"

ITEMS = ItemParameters.of("2PL", [0.8, 1.2, 1.0, 1.6, 0.7, 1.1, 1.4, 0.9], [-1.5, -1.0, -0.5, 0.0, 0.3, 0.7, 1.0, 1.5])
IDS = [f"i{n}" for n in range(1, 9)]


def report(folder: Path) -> dict:
    return json.loads((folder / "report.json").read_text(encoding="utf-8"))


def test_the_example_of_the_readme(command: Command, tmp_path: Path) -> None:
    words = ("calibrate", LSAT7, "--counts", "count", "--model", "2PL", "--out", "items.csv", "--report", "report.json")
    status, out, _ = command(*words)
    assert status == 0
    assert "1,000 learners, 5 of 5 items calibrated; log-likelihood -2658.805" in out
    table = read_item_table(tmp_path / "items.csv")
    assert table.ids == tuple(f"Item.{n}" for n in range(1, 6))
    assert all(row.errors["se_difficulty"] > 0 and not row.parameters.provisional for row in table.rows)
    told = report(tmp_path)
    assert told["log_likelihood"] == pytest.approx(-2658.805, abs=0.01)
    assert told["converged"] is True
    assert told["gradient"] < 1e-4
    assert (told["learners"], told["items"], told["iterations"] > 1, told["seconds"] > 0) == (1000, 5, True, True)
    assert [entry["status"] for entry in told["by_item"]] == ["converged"] * 5
    assert told["competences"][0]["m2"] == pytest.approx(11.94, abs=0.02)
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    for heading in ("Characteristic curves", "Information", "Wright map", "Standard errors", "S-X2", "Infit"):
        assert heading in page
    assert "http" not in page.replace("http://www.w3.org", "")


def test_its_item_table_is_what_estimate_reads(command: Command, tmp_path: Path) -> None:
    theta = np.random.default_rng(1).normal(size=800)
    write(tmp_path / "r.csv", IDS, answers(ITEMS, theta, 2))
    assert command("calibrate", "r.csv", "--out", "items.csv")[0] == 0
    assert command("estimate", "items.csv", "r.csv", "--out", "scores.csv")[0] == 0
    ability = np.loadtxt(tmp_path / "scores.csv", delimiter=",", skiprows=1, usecols=1)
    assert np.corrcoef(ability, theta)[0, 1] > 0.75


def test_items_that_cannot_be_calibrated_are_named_and_stop_nothing(command: Command, tmp_path: Path) -> None:
    given = answers(ITEMS, np.random.default_rng(1).normal(size=300), 2)
    given[:, 2] = 1
    shown = np.ones(given.shape, dtype=bool)
    shown[10:, 4] = False
    shown[:, 5] = False
    shown[0] = False
    write(tmp_path / "r.csv", IDS, given, shown)
    status, out, _ = command("calibrate", "r.csv", "--out", "items.csv", "--report", "report.json")
    assert status == 0
    assert "Left out: i3 (constant), i5 (too few), i6 (too few)" in out
    told = report(tmp_path)
    assert told["left_out"] == {"i3": "constant", "i5": "too few", "i6": "too few"}
    assert (told["learners"], told["silent_learners"], told["calibrated"]) == (300, 1, 5)
    assert read_item_table(tmp_path / "items.csv").ids == ("i1", "i2", "i4", "i7", "i8")


def test_a_structure_with_domains_estimates_loadings(command: Command, tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    root, unique = rng.normal(size=(1500, 1)), rng.normal(size=(1500, 4))
    theta = 0.7 * root + np.sqrt(1.0 - 0.49) * unique
    items = ItemParameters.of("2PL", [1.5] * 24, np.tile(np.linspace(-1.5, 1.5, 6), 4))
    ids = [f"i{n}" for n in range(24)]
    write(tmp_path / "r.csv", ids, answers(items, np.repeat(theta, 6, axis=1), 4))
    rows = [f"{id},{'ABCD'[n // 6]},{'XXYY'[n // 6]}" for n, id in enumerate(ids)]
    (tmp_path / "s.csv").write_text("id,competence,domain\n" + "\n".join(rows) + "\n")
    words = ("calibrate", "r.csv", "--structure", "s.csv", "--out", "items.csv", "--report", "report.json")
    assert command(*words)[0] == 0
    told = report(tmp_path)["loadings"]
    assert told["domains"]["X"] == told["domains"]["Y"]
    across = told["domains"]["X"]["value"] ** 2
    found = across * told["competences"]["A"]["value"] * told["competences"]["C"]["value"]
    assert found == pytest.approx(0.49, abs=0.08)
    assert {row.competence for row in read_item_table(tmp_path / "items.csv").rows} == set("ABCD")


def test_new_items_come_on_the_scale_of_fixed_ones(command: Command, tmp_path: Path) -> None:
    theta = 1.0 + 0.8 * np.random.default_rng(5).normal(size=3000)
    write(tmp_path / "r.csv", IDS, answers(ITEMS, theta, 6))
    slopes, places = ITEMS.discrimination[:5], ITEMS.difficulty[:5]
    rows = [f"{id},2PL,{a},{b}" for id, a, b in zip(IDS[:5], slopes, places, strict=True)]
    (tmp_path / "old.csv").write_text("id,model,discrimination,difficulty\n" + "\n".join(rows) + "\n")
    assert command("calibrate", "r.csv", "--fixed", "old.csv", "--out", "new.csv", "--report", "report.json")[0] == 0
    told = report(tmp_path)
    assert told["populations"][0]["mean"] == pytest.approx(1.0, abs=0.1)
    assert told["populations"][0]["sd"] == pytest.approx(0.8, abs=0.1)
    found = read_item_table(tmp_path / "new.csv")
    assert found.parameters.difficulty[:5].tolist() == places.tolist()
    np.testing.assert_allclose(found.parameters.difficulty[5:], ITEMS.difficulty[5:], atol=0.25)
    assert [row.errors == {} for row in found.rows] == [True] * 5 + [False] * 3


def test_held_items_of_a_tree_give_the_scale_of_other_learners(command: Command, tmp_path: Path) -> None:
    rng = np.random.default_rng(17)
    root, own = rng.normal(size=(1500, 1)), rng.normal(size=(1500, 2))
    theta = 1.0 + 0.8 * root + 0.6 * own
    items = ItemParameters.of("2PL", [1.5] * 24, np.tile(np.linspace(-1.0, 2.0, 12), 2))
    ids = [f"i{n}" for n in range(24)]
    write(tmp_path / "r.csv", ids, answers(items, np.repeat(theta, 12, axis=1), 18))
    rows = [f"{id},{'AB'[n // 12]},{'XY'[n // 12]}" for n, id in enumerate(ids)]
    (tmp_path / "s.csv").write_text("id,competence,domain\n" + "\n".join(rows) + "\n")
    old = [f"{ids[n]},2PL,1.5,{items.difficulty[n]}" for n in range(0, 24, 2)]
    (tmp_path / "old.csv").write_text("id,model,discrimination,difficulty\n" + "\n".join(old) + "\n")
    words = (
        "calibrate",
        "r.csv",
        "--structure",
        "s.csv",
        "--fixed",
        "old.csv",
        "--out",
        "n.csv",
        "--report",
        "report.json",
    )
    assert command(*words)[0] == 0
    assert [row["mean"] for row in report(tmp_path)["populations"]] == pytest.approx([1.0, 1.0], abs=0.15)
    found = {row.id: row.parameters.location for row in read_item_table(tmp_path / "n.csv").rows}
    new = [found[ids[n]] - items.difficulty[n] for n in range(1, 24, 2)]
    assert np.mean(new) == pytest.approx(0.0, abs=0.06)


def test_groups_with_anchors(command: Command, tmp_path: Path) -> None:
    rng = np.random.default_rng(7)
    theta = np.concatenate([rng.normal(size=2000), 0.5 + rng.normal(size=2000)])
    given = answers(ITEMS, theta, 8)
    lines = [f"{'ab'[n >= 2000]},{','.join(map(str, row))}" for n, row in enumerate(given.tolist())]
    (tmp_path / "r.csv").write_text(f"school,{','.join(IDS)}\n" + "\n".join(lines) + "\n")
    words = ("calibrate", "r.csv", "--group", "school", "--out", "items.csv", "--report", "report.json")
    assert command(*words, *(word for id in IDS[:6] for word in ("--anchor", id)))[0] == 0
    told = report(tmp_path)
    assert [row["group"] for row in told["populations"]] == ["a", "b"]
    assert told["populations"][1]["mean"] == pytest.approx(0.5, abs=0.1)
    assert told["populations"][0]["mean_se"] is None
    assert told["populations"][1]["mean_se"] < 0.1
    assert read_item_table(tmp_path / "items.csv").ids == (*IDS[:6], "i7@a", "i7@b", "i8@a", "i8@b")


def test_an_item_that_works_differently_in_a_group_is_flagged(command: Command, tmp_path: Path) -> None:
    rng = np.random.default_rng(13)
    theta = rng.normal(size=3000)
    given = answers(ITEMS, theta, 14)
    harder = ItemParameters.of("2PL", ITEMS.discrimination, ITEMS.difficulty + np.array([0, 0, 0, 0.9, 0, 0, 0, 0]))
    given[1500:] = answers(harder, theta[1500:], 15)
    lines = [f"{'ab'[n >= 1500]},{','.join(map(str, row))}" for n, row in enumerate(given.tolist())]
    (tmp_path / "r.csv").write_text(f"school,{','.join(IDS)}\n" + "\n".join(lines) + "\n")
    words = ("calibrate", "r.csv", "--group", "school", "--dif", "--out", "items.csv", "--report", "report.json")
    assert command(*words)[0] == 0
    told = report(tmp_path)["dif"]
    assert [row["id"] for row in told if row["mh_flagged"]] == ["i4"]
    assert [row["id"] for row in told if row["lr_flagged"]] == ["i4"]
    assert told[3]["mh_delta"] < -1.5
    assert told[3]["lr_signed"] < -0.1
    assert "Items that work differently for b" in (tmp_path / "report.html").read_text(encoding="utf-8")


def test_dif_without_groups_is_refused(command: Command, tmp_path: Path) -> None:
    write(tmp_path / "r.csv", IDS, answers(ITEMS, np.random.default_rng(1).normal(size=100), 2))
    status, _, err = command("calibrate", "r.csv", "--dif", "--out", "items.csv")
    assert status == 2
    assert "--group" in err
    assert not (tmp_path / "items.csv").exists()


def test_response_times_ride_along(command: Command, tmp_path: Path) -> None:
    rng = np.random.default_rng(9)
    write(tmp_path / "r.csv", IDS, answers(ITEMS, rng.normal(size=1000), 10))
    intensity = np.linspace(3.0, 4.5, 8)
    seconds = np.exp(intensity - 0.3 * rng.normal(size=(1000, 1)) + 0.5 * rng.normal(size=(1000, 8)))
    np.savetxt(tmp_path / "t.csv", seconds, delimiter=",", fmt="%.2f", header=",".join(IDS), comments="")
    assert command("calibrate", "r.csv", "--times", "t.csv", "--out", "items.csv", "--report", "report.json")[0] == 0
    rows = read_item_table(tmp_path / "items.csv").rows
    np.testing.assert_allclose([row.parameters.time_intensity for row in rows], intensity, atol=0.1)
    np.testing.assert_allclose([row.parameters.time_discrimination for row in rows], 2.0, atol=0.15)
    assert rows[0].errors["se_time_intensity"] < 0.05
    assert report(tmp_path)["times"]["speed_sd"] == pytest.approx(0.3, abs=0.05)


BAD = {
    "an unknown response": ("a,b\n1,0\n1,x\n", (), ("line 3", "'b'", "'x'")),
    "a category out of range": ("learner,a,b\nana,1,0\nbob,2,0\n", (), ("bob", "line 3, column 'a'", "2PL", "0 and 1")),
    "a learner twice": ("learner,a,b\nana,1,0\nbob,1,0\nana,0,1\n", (), ("line 4", "ana")),
    "a ragged line": ("a,b\n1,0\n1\n", (), ("line 3", "1 cell")),
    "a wrong delimiter": ("a;b\n1;0\n", (), ("semicolon",)),
    "no learner": ("a,b\n", (), ("no learner",)),
    "nothing that can be calibrated": ("a,b\n1,0\n0,1\n", (), ("20 answers",)),
    "an unknown model": ("a,b\n1,0\n0,1\n", ("--model", "5PL"), ("5PL", "GPCM")),
    "an unknown prior": ("a,b\n1,0\n0,1\n", ("--prior", "guessing=gamma(1,2)"), ("guessing=gamma(1,2)", "beta")),
    "an unknown policy": ("a,b\n1,0\n0,1\n", ("--skip", "wrong"), ("wrong", "unknown")),
    "an unknown column of groups": ("a,b\n1,0\n0,1\n", ("--group", "school"), ("school",)),
    "an anchor that is no item": ("g,a,b\nx,1,0\ny,0,1\n", ("--group", "g", "--anchor", "z"), ("'z'",)),
    "a report that is a page": ("a,b\n1,0\n", ("--report", "r.html"), (".json",)),
    "a missing folder": ("a,b\n1,0\n", ("--report", "no/r.json"), ("no folder",)),
    "fixed items without responses": ("a,b\n1,0\n", ("--fixed", "old.csv"), ("old.csv",)),
    "an unknown column of the structure": ("a,b\n1,0\n", ("--structure", "t.csv"), ("'modell'", "t.csv", "competence")),
    "responses that would be overwritten": ("a,b\n1,0\n", ("--report", "r.csv"), ("named twice",)),
    "an item without a row in the structure": ("a,z\n1,0\n", ("--structure", "s.csv"), ("'z'", "s.csv")),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_one_sentence_and_writes_nothing(command: Command, tmp_path: Path, case: str) -> None:
    text, words, expected = BAD[case]
    (tmp_path / "r.csv").write_text(text)
    (tmp_path / "old.csv").write_text("id,model,difficulty\nq,1PL,0\n")
    (tmp_path / "s.csv").write_text("id,competence\na,A\n")
    (tmp_path / "t.csv").write_text("id,modell\na,3PL\n")
    before = sorted(path.name for path in tmp_path.iterdir())
    status, _, err = command("calibrate", "r.csv", "--out", "items.csv", *words)
    assert status == 2
    assert "Traceback" not in err
    assert len(err.strip().splitlines()) == 1
    for word in expected:
        assert word in err, err
    assert sorted(path.name for path in tmp_path.iterdir()) == before


def test_bytes_that_are_not_utf_8_are_told_with_their_line(command: Command, tmp_path: Path) -> None:
    (tmp_path / "r.csv").write_bytes(b"learner,a,b\nana,1,0\nJos\xe9,0,1\n")
    status, _, err = command("calibrate", "r.csv", "--out", "items.csv")
    assert status == 2
    assert "line 3" in err
    assert "UTF-8" in err


def test_a_bank_is_calibrated_twice_and_keeps_its_history(command: Command, tmp_path: Path) -> None:
    bank = shipped_bank()
    ids = [item.id for item in bank.items if item.competence in ("1.1", "1.2") and item.id in bank.parameters][:24]
    rng = np.random.default_rng(11)
    items = ItemParameters.of("2PL", np.exp(rng.normal(0.0, 0.2, 24)), rng.normal(size=24))
    given = answers(items, rng.normal(size=1200), 12)
    write(tmp_path / "r.csv", ids[:18], given[:, :18])
    assert command("bank", "export", "bank")[0] == 0
    words = ("bank", "calibrate", "r.csv", "--bank", "bank", "--model", "2PL", "--report", "report.json")
    status, out, _ = command(*words)
    assert status == 0
    assert "18 of 18 items" in out
    changed = load_bank(tmp_path / "bank")
    assert not any(changed.parameters[id].provisional for id in ids[:18])
    assert all(row == bank.parameters[id] for id, row in changed.parameters.items() if id not in ids[:18])
    np.testing.assert_allclose([changed.parameters[id].location for id in ids[:18]], items.difficulty[:18], atol=0.5)
    write(tmp_path / "new.csv", ids, given)
    assert command("bank", "calibrate", "new.csv", "--bank", "bank", "--model", "2PL", "--hold-calibrated")[0] == 0
    after = load_bank(tmp_path / "bank")
    assert [len(record.items) for record in after.calibrations] == [18, 6]
    assert all(after.parameters[id] == changed.parameters[id] for id in ids[:18])
    np.testing.assert_allclose([after.parameters[id].location for id in ids[18:]], items.difficulty[18:], atol=0.5)
    status, out, _ = command("bank", "show", "--bank", "bank")
    assert "Calibrations" in out
    assert "r.csv" in out
    assert "new.csv" in out
    assert "calibration" not in command("bank", "check", "--bank", "bank")[1]
    status, _, err = command("bank", "calibrate", "r.csv", "--bank", "bank", "--hold-calibrated")
    assert status == 2
    assert "none to estimate" in err


def test_a_bank_refuses_items_that_it_does_not_hold(command: Command, tmp_path: Path) -> None:
    (tmp_path / "r.csv").write_text("crcn-1.1-01,nobody\n1,0\n")
    assert command("bank", "export", "bank")[0] == 0
    status, _, err = command("bank", "calibrate", "r.csv", "--bank", "bank")
    assert status == 2
    assert "nobody" in err
    assert not (tmp_path / "bank" / "calibrations").exists()
