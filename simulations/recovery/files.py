"""Files of a recovery study: summary.json, items.csv, replications.csv, report.html; never half-written."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np

from engine.arrays import Floats
from engine.calibration.result import ItemStatus
from engine.parameters import POLYTOMOUS, Model
from itembank.csv_text import table_text
from simulations.output import check_folder, write_files
from simulations.recovery.report import report
from simulations.recovery.study import Recovery

ITEM_COLUMNS: Final = (
    *("id", "competence", "model", "true_model", "parameter", "truth", "mean", "bias", "bias_error", "rmse", "sd"),
    *("mean_se", "expected_se", "coverage_95", "used", "calibrated", "at_bound", "answers"),
)


def write(recovery: Recovery, out: Path | str) -> None:
    """Write the four files of a study into a folder, whole or not at all; summary.json comes last."""
    write_files(
        {
            "items.csv": items_text(recovery),
            "replications.csv": replications_text(recovery),
            "report.html": report(recovery),
            "summary.json": json.dumps(recovery.summary(), indent=2, allow_nan=False) + "\n",
        },
        check_folder(out),
    )


def items_text(recovery: Recovery) -> str:
    """Table of the parameters, one row for each of each item.

    ``used`` is the share of all replications whose estimate counts; ``calibrated`` and ``at_bound`` are those of the
    item. A parameter that was never estimated has no row, unless the item has no other.
    """
    return table_text(ITEM_COLUMNS, _item_rows(recovery))


def replications_text(recovery: Recovery) -> str:
    """Table of the replications, one row each; figures are empty where one did not converge."""
    found = recovery.replications
    columns: dict[str, Sequence[Any]] = {
        "replication": range(1, len(found) + 1),
        "seed": [each.seed for each in found],
        "converged": ["true" if each.converged else "false" for each in found],
        "iterations": [each.iterations for each in found],
        "log_likelihood": _texts(np.array([each.log_likelihood for each in found]), 4),
        "calibrated": [int(np.count_nonzero(each.status <= ItemStatus.FIXED)) for each in found],
        "at_bound": [int(np.count_nonzero(each.status == ItemStatus.AT_BOUND)) for each in found],
        "without_answers": [each.silent for each in found],
    }
    for name, parts in recovery.figures.replications.items():
        columns[f"bias_{name}"] = _texts(parts.bias)
        columns[f"rmse_{name}"] = _texts(np.sqrt(parts.mean_square))
        columns[f"correlation_{name}"] = _texts(parts.correlation)
        columns[f"coverage_95_{name}"] = _texts(parts.coverage)
    columns["seconds"] = _texts(np.array([each.seconds for each in found]), 4)
    return table_text(list(columns), zip(*columns.values(), strict=True))


def _item_rows(recovery: Recovery) -> Iterator[tuple[object, ...]]:
    truth, items, figures = recovery.plan.truth, recovery.figures.items, recovery.figures
    names, width = parameter_names(items.used.shape[1]), items.used.shape[1]
    answers = np.mean([each.answers for each in recovery.replications], axis=0)
    total = len(recovery.replications)
    for row in range(len(truth)):
        model = Model(int(truth.parameters.model[row]))
        kept = [at for at in range(width) if items.used[row, at] > 0] or [0]
        for at in kept:
            name = "difficulty" if at == 1 and model not in POLYTOMOUS else names[at]
            values = (items.mean, items.bias, items.bias_error, items.rmse, items.sd, items.mean_se)
            yield (
                truth.ids[row],
                truth.competences[truth.competence[row]],
                recovery.plan.models[row],
                model.label,
                name,
                *_texts(np.array([items.truth[row, at], *(value[row, at] for value in values)])),
                *_texts(np.array([recovery.expected[row, at], items.coverage[row, at], items.used[row, at] / total])),
                *_texts(np.array([figures.calibrated[row], figures.at_bound[row]])),
                *_texts(answers[[row]], 1),
            )


def parameter_names(width: int) -> list[str]:
    """Names of the columns of :func:`simulations.recovery.truth.reported`.

    Examples
    --------
    >>> parameter_names(5)
    ['discrimination', 'threshold 1', 'threshold 2', 'guessing', 'slipping']
    """
    return ["discrimination", *(f"threshold {step}" for step in range(1, width - 2)), "guessing", "slipping"]


def _texts(values: Floats, decimals: int = 6) -> list[str]:
    """Cells; empty where there is no number."""
    return ["" if value != value else f"{value:.{decimals}f}" for value in values.tolist()]
