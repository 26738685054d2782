"""LSAT section 7 from its file to the item table, against the estimates of mirt."""

import json
from pathlib import Path

import numpy as np
import pytest

from itembank.files import read_item_table
from tests.reference.data import real_data
from tests.reference.golden import golden
from tests.test_command_line import Command, command

__all__ = ["command"]

MIRT = golden("mirt_lsat7_fit.json")


@pytest.mark.parametrize("model", ["1PL", "2PL"])
def test_the_command_finds_what_mirt_finds(command: Command, tmp_path: Path, model: str) -> None:
    data = real_data("lsat7")
    wanted = next(case for case in MIRT["cases"] if case["model"] == model)
    status, out, error = command("calibrate", data, "--model", model, "--out", "items.csv", "--report", "told.json")
    assert (status, error) == (0, "")
    assert "1,000 learners, 5 of 5 items calibrated" in out
    told = json.loads((tmp_path / "told.json").read_text(encoding="utf-8"))
    assert told["converged"] is True
    rows = read_item_table(tmp_path / "items.csv").rows
    np.testing.assert_allclose([row.parameters.discrimination for row in rows], wanted["a"], atol=0.005)
    np.testing.assert_allclose([row.parameters.difficulty for row in rows], wanted["b"], atol=0.005)
