"""``python -m simulations.studies NAME --learners N --seed S --jobs J``."""

from importlib import import_module
from typing import Annotated

import typer

from engine.errors import DesignError

STUDIES = (
    "tree_gain",
    "joint_reduction",
    "benevolence",
    "skip_policies",
    "calibration_error",
    "wrong_model",
    "skips_in_calibration",
    "careless_learners",
    "wrong_loadings",
    "drifted_items",
    "adaptive_data",
    "certification_comparison",
    "certification_exposure",
)


def study(
    name: Annotated[str, typer.Argument(help=f"One of {', '.join(STUDIES)}.")],
    learners: Annotated[int, typer.Option(help="Simulees of each test.", min=2)] = 2000,
    seed: Annotated[int, typer.Option(help="The same seed gives the same numbers.")] = 1,
    jobs: Annotated[int, typer.Option(help="Processes.", min=1)] = 1,
) -> None:
    """Run a study and print its table."""
    if name not in STUDIES:
        raise typer.BadParameter(str(DesignError(f"There is no study {name!r}; use {', '.join(STUDIES)}.")))
    import_module(f"simulations.studies.{name}").main(learners, seed, jobs)


if __name__ == "__main__":
    typer.run(study)
