"""``python -m tests.benchmarks.scaling``: time and memory of calibrations of more and more learners.

Each size runs in a process of its own, so that its peak of memory is its own: 500 items, 40 answers of each learner.
"""

import json
import resource
import subprocess
import sys
from time import perf_counter
from typing import Annotated

import typer

SIZES = (10_000, 30_000, 100_000, 300_000, 1_000_000)


def scaling(
    learners: Annotated[int | None, typer.Option(help="One size alone, in this process.")] = None,
    most: Annotated[int, typer.Option(help="Largest size.")] = SIZES[-1],
) -> None:
    """Print the table, or the figures of one size as JSON."""
    if learners is not None:
        print(json.dumps(measured(learners)))
        return
    print("| learners | answers | iterations | s | s an iteration | ns an answer and iteration | peak MB | data MB |")
    print("|---|---|---|---|---|---|---|---|")
    for size in (size for size in SIZES if size <= most):
        done = subprocess.run(
            [sys.executable, "-m", "tests.benchmarks.scaling", "--learners", str(size)],
            capture_output=True,
            text=True,
            check=True,
        )
        told = json.loads(done.stdout)
        each = told["seconds"] / told["iterations"]
        print(
            f"| {size:,} | {told['answers']:,} | {told['iterations']} | {told['seconds']:.2f} | {each:.3f} "
            f"| {1e9 * each / told['answers']:.0f} | {told['peak']:.0f} | {told['data']:.0f} |",
            flush=True,
        )


def measured(learners: int) -> dict[str, float]:
    """Calibrate so many learners, without standard errors."""
    from engine.calibration.calibrate import calibrate
    from engine.calibration.em import Options
    from tests.benchmarks.responses import sparse

    given = sparse(learners, 500, 40)
    began = perf_counter()
    found = calibrate(given, "2PL", options=Options(errors=False))
    return {
        "seconds": perf_counter() - began,
        "iterations": found.iterations,
        "answers": int(found.counts.sum()),
        "data": given.nbytes / 2**20,
        "peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10,
    }


if __name__ == "__main__":
    typer.run(scaling)
