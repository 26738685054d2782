"""Files of a simulation: summary.json, learners.csv, items.csv, report.html; never half-written."""

import json
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from engine.arrays import Bools, Floats
from engine.errors import JalonError
from engine.levels import level
from engine.picks import SympsonHetter
from engine.responses import NONE, SKIPPED
from engine.stopping import Reason
from itembank.csv_text import table_text
from itembank.files import write_text
from simulations.report import report
from simulations.simulation import Simulation


def write(simulation: Simulation, out: Path | str) -> None:
    """Write the four files of a simulation into a folder.

    Parameters
    ----------
    simulation : Simulation
    out : Path or str
        A new folder appears only once it is complete; in a folder that exists, each file is replaced whole and
        summary.json comes last.
    """
    write_files(
        {
            "learners.csv": learners_text(simulation),
            "items.csv": items_text(simulation),
            "report.html": report(simulation),
            "summary.json": json.dumps(simulation.summary(), indent=2, allow_nan=False) + "\n",
        },
        check_folder(out),
    )


def check_folder(out: Path | str) -> Path:
    """Path of a folder that can be written; asked before a long simulation, not after it."""
    folder = Path(out)
    if folder.exists() and not folder.is_dir():
        raise JalonError(f"{folder} is a file, not a folder; give another name to --out.")
    return folder


def write_files(texts: Mapping[str, str], folder: Path) -> None:
    """Write files whole or not at all, by name."""
    if folder.exists():
        for name, text in texts.items():
            write_text(folder / name, text)
        return
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{folder.name}.") as beside:
        complete = Path(beside) / folder.name
        complete.mkdir()
        for name, text in texts.items():
            write_text(complete / name, text)
        complete.rename(folder)


def learners_text(simulation: Simulation) -> str:
    """Table of the simulees, one row each; with several competences, the columns end in the competence's code."""
    result, measures, codes = simulation.result, simulation.measures, simulation.competences
    seconds = np.where(result.items == NONE, 0.0, result.seconds).sum(axis=1)
    columns: dict[str, Sequence[Any]] = {
        "learner": range(1, len(result) + 1),
        "seed": result.seeds.tolist(),
        "length": result.length.tolist(),
        "reason": [Reason(code).name.lower() for code in result.reason.tolist()],
        "seconds": _texts(seconds, 1),
    }
    reached = level(result.levels)
    for place, code in enumerate(codes):
        end = f"_{code}" if len(codes) > 1 else ""
        columns[f"ability{end}"] = _texts(result.abilities[:, place])
        columns[f"estimate{end}"] = _texts(result.mean[:, place])
        columns[f"sd{end}"] = _texts(result.sd[:, place])
        columns[f"lower_95{end}"] = _texts(result.quantiles[:, place, 0])
        columns[f"upper_95{end}"] = _texts(result.quantiles[:, place, -1])
        if result.levels.shape[-1] > 1:
            columns[f"true_level{end}"] = measures.true_levels[:, place].tolist()
            columns[f"level{end}"] = reached.level[:, place].tolist()
            columns[f"level_probability{end}"] = _texts(reached.probability[:, place])
    return table_text(list(columns), zip(*columns.values(), strict=True))


def items_text(simulation: Simulation) -> str:
    """Table of the items: parameters, how often they were asked and how they were answered."""
    result, table, count = simulation.result, simulation.table, len(simulation.items)
    parameters, told = table.parameters, result.items != NONE
    rows = result.items[told]
    asked = np.bincount(rows, minlength=count)

    def share(happened: Bools | Floats) -> Floats:
        sums = np.bincount(rows, weights=happened, minlength=count)
        return np.asarray(np.divide(sums, asked, out=np.full(count, np.nan), where=asked > 0))

    responses = result.responses[told]
    columns: dict[str, Sequence[Any]] = {
        "id": simulation.items,
        "competence": [simulation.competences[place] for place in table.competence.tolist()],
        "discrimination": _texts(parameters.discrimination),
        "difficulty": _texts(parameters.difficulty),
        "guessing": _texts(parameters.guessing),
        "slipping": _texts(parameters.slipping),
        "asked": asked.tolist(),
        "exposure": _texts(simulation.measures.exposure),
        "success": _texts(share(responses == table.categories_of[rows] - 1)),
        "skipped": _texts(share(responses == SKIPPED)),
        "mean_seconds": _texts(share(result.seconds[told]), 1),
    }
    if isinstance(simulation.design.pick, SympsonHetter):
        columns["exposure_parameter"] = _texts(np.array(simulation.design.pick.exposure))
    return table_text(list(columns), zip(*columns.values(), strict=True))


def _texts(values: Floats, decimals: int = 6) -> list[str]:
    """Cells of a column; empty where there is no number."""
    return ["" if value != value else f"{value:.{decimals}f}" for value in values.tolist()]
