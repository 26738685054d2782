"""Files of a simulated certification: summary.json, learners.csv, items.csv, report.html; never half-written."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from engine.assembly import Softness
from engine.responses import NONE
from engine.validation import End, Outcome, OutcomeReason, Status
from itembank.csv_text import table_text
from simulations.certification.report import report
from simulations.certification.results import Certification
from simulations.output import check_folder, write_files


def write(result: Certification, out: Path | str) -> None:
    """Write the four files into a folder, whole or not at all; summary.json comes last."""
    write_files(
        {
            "learners.csv": learners_text(result),
            "items.csv": items_text(result),
            "report.html": report(result),
            "summary.json": json.dumps(result.summary(), indent=2, allow_nan=False) + "\n",
        },
        check_folder(out),
    )


def learners_text(result: Certification) -> str:
    """Table of the learners, one row each; empty cells for who was not eligible."""
    found, codes = result.found, result.test.snapshot.framework.codes
    tests, count = found.tests, found.seeds.size
    place = np.full(count, NONE)
    place[found.sat] = np.arange(found.sat.size)
    sat = place != NONE

    def told(values: Sequence[Any]) -> list[Any]:
        return [values[row] if row != NONE else "" for row in place.tolist()]

    columns: dict[str, Sequence[Any]] = {
        "learner": range(1, count + 1),
        "seed": found.seeds.tolist(),
        "kind": [result.kinds[kind].name for kind in found.kind.tolist()],
        "eligible": sat.astype(int).tolist(),
        "outcome": told([Outcome(code).name.lower() for code in tests.outcome.tolist()]),
        "reasons": told([_named(bits, OutcomeReason) for bits in tests.reasons.tolist()]),
        "end": told([End(code).name.lower() for code in tests.end.tolist()]),
        "minutes": told([f"{value / 60:.1f}" for value in tests.used.tolist()]),
        "items": told(tests.replies.tolist()),
        "relaxed": told([_named(bits, Softness) for bits in np.bitwise_or.reduce(tests.relaxed, axis=1).tolist()]),
    }
    for name in ("person_fit", "sincerity", "too_fast", "times"):
        columns[f"p_{name}"] = told([f"{value:.6f}" for value in getattr(tests, name).tolist()])
    for column, code in enumerate(codes):
        columns[f"true_level_{code}"] = result.true_levels[:, column].tolist()
        columns[f"profile_level_{code}"] = found.levels[:, column].tolist()
        examined = tests.status[:, column] != Status.NOT_EXAMINED
        columns[f"certified_level_{code}"] = told(
            [level if yes else "" for level, yes in zip(tests.level[:, column].tolist(), examined, strict=True)]
        )
    return table_text(list(columns), zip(*columns.values(), strict=True))


def items_text(result: Certification) -> str:
    """Table of the items, with how often they were asked."""
    tests, table, snapshot = result.found.tests, result.test.table, result.test.snapshot
    rows = tests.asked[tests.asked != NONE]
    asked = np.bincount(rows, minlength=len(snapshot))
    gave = (tests.relaxed & int(Softness.EXPOSURE) != 0)[tests.asked != NONE]
    eligible = np.count_nonzero(tests.status != Status.NOT_EXAMINED, axis=0)
    columns: dict[str, Sequence[Any]] = {
        "id": snapshot.ids,
        "competence": [snapshot.framework.codes[place] for place in table.competence.tolist()],
        "topic": [snapshot.topics[place][1] for place in table.topic.tolist()],
        "difficulty": [f"{value:.6f}" for value in table.parameters.difficulty.tolist()],
        "asked": asked.tolist(),
        "exposure": [f"{value:.6f}" for value in result.exposure.tolist()],
        "exposure_in_competence": [
            f"{count / of:.6f}" if of else ""
            for count, of in zip(asked.tolist(), eligible[table.competence].tolist(), strict=True)
        ],
        "held_back_yet_asked": np.bincount(rows[gave], minlength=len(snapshot)).tolist(),
    }
    return table_text(list(columns), zip(*columns.values(), strict=True))


def _named(bits: int, flags: type[OutcomeReason] | type[Softness]) -> str:
    """Names of flags, joined by +."""
    return "+".join(flag.name.lower() for flag in flags if flag.name and bits & int(flag))
