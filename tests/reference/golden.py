"""Numbers that other programs computed, and the item banks they belong to."""

import json
from pathlib import Path
from typing import Any

import numpy as np

from engine.parameters import ItemParameters

FOLDER = Path(__file__).parent.parent / "golden"


def golden(name: str) -> dict[str, Any]:
    """Content of one file of tests/golden."""
    content: dict[str, Any] = json.loads((FOLDER / name).read_text(encoding="utf-8"))
    return content


def catr_bank(banks: dict[str, list[list[float]]], model: str, scaling: float = 1.0) -> ItemParameters:
    """Bank of a catR file, 1PL to 4PL: rows a, b, c, d; ``scaling`` is catR's D, which multiplies a."""
    a, b, c, d = np.array(banks[model], dtype=np.float64).T
    return ItemParameters.of(
        model, scaling * a, b, c if model in ("3PL", "4PL") else None, d if model == "4PL" else None
    )


def catr_polytomous_bank(banks: dict[str, list[list[float]]], model: str) -> ItemParameters:
    """Bank of catr_poly.json, whose file says how each model is written."""
    rows = np.array(banks[model], dtype=np.float64)
    ones = np.ones(len(rows))
    if model == "GRM":
        return ItemParameters.of("GRM", rows[:, 0], thresholds=rows[:, 1:].tolist())
    if model == "MGRM":
        return ItemParameters.of("GRM", rows[:, 0], thresholds=(rows[:, 1:2] - rows[:, 2:]).tolist())
    if model == "GPCM":
        return ItemParameters.of("GPCM", rows[:, 0], thresholds=rows[:, 1:].tolist())
    if model == "PCM":
        return ItemParameters.of("GPCM", ones, thresholds=rows.tolist())
    if model == "RSM":
        return ItemParameters.of("GPCM", ones, thresholds=(rows[:, :1] + rows[:, 1:]).tolist())
    raise ValueError(f"The file has no model {model!r}.")
