"""Real response data beside the project; what needs them is skipped, with a word, where they are not."""

from pathlib import Path

import pytest

FOLDERS = (Path(__file__).parents[2] / "shared" / "data", Path(__file__).parents[3] / "shared" / "data")


def real_data(name: str) -> Path:
    """Path of a data set (CSV)."""
    for folder in FOLDERS:
        if (folder / f"{name}.csv").is_file():
            return folder / f"{name}.csv"
    pytest.skip(f"real data {name}.csv are not here: they are not part of the project (../shared/data)")
