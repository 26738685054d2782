"""``jalon simulate``: its commands and their options.

They import what they need when they run, so that ``jalon --help`` answers at once.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from simulations.simulation import Simulation

simulate = typer.Typer(help="Simulate learners: how far can a test be trusted?", no_args_is_help=True)

BankPath = Annotated[
    Path | None, typer.Option(help="Folder of the item bank; the shipped CRCN bank when left out.", envvar="JALON_BANK")
]
Learners = Annotated[int, typer.Option(help="Number of simulees.", min=1, max=10_000_000)]
Seed = Annotated[int, typer.Option(help="The same seed gives the same numbers.")]
Out = Annotated[Path, typer.Option(help="Folder for summary.json, learners.csv, items.csv and report.html.")]
Scale = Annotated[float | None, typer.Option(help="D of the item table: 1, 1.7 or 1.702; what it says, else 1.")]
Jobs = Annotated[int, typer.Option(help="Processes.", min=1, max=1024)]
Skip = Annotated[str, typer.Option(help="What a skip says: unknown, incorrect or ignored.")]
Skipping = Annotated[float, typer.Option(help="Share of learners who skip what they do not know.", min=0, max=1)]
Guessing = Annotated[float, typer.Option(help="Share of learners who answer at random.", min=0, max=1)]
Careless = Annotated[float, typer.Option(help="Probability of a slip.", min=0, max=1)]
Timed = Annotated[bool, typer.Option(help="Simulate response times.")]


@simulate.command("cat")
def simulate_cat(
    out: Out,
    items: Annotated[Path | None, typer.Option(help="Item table (CSV); or a competence of a bank.")] = None,
    bank: BankPath = None,
    competence: Annotated[str | None, typer.Option(help="Code, such as 1.1.")] = None,
    scale: Scale = None,
    learners: Learners = 1000,
    seed: Seed = 1,
    jobs: Jobs = 1,
    score: Annotated[
        str,
        typer.Option(help="information, posterior-information, likelihood-information, variance, kullback-leibler."),
    ] = "information",
    pick: Annotated[str, typer.Option(help="best, top-k or proportional.")] = "best",
    k: Annotated[int, typer.Option(help="Items that top-k chooses from.", min=1)] = 5,
    length: Annotated[int, typer.Option(help="Most items.", min=1)] = 30,
    least: Annotated[int, typer.Option(help="Least items, with --sd.", min=0)] = 0,
    sd: Annotated[float | None, typer.Option(help="Stop once the posterior sd is at most this.")] = None,
    max_exposure: Annotated[
        float | None, typer.Option(help="Fit Sympson-Hetter parameters for this largest exposure first.")
    ] = None,
    nodes: Annotated[int, typer.Option(help="Points of the grid.", min=3, max=10_001)] = 61,
    design_file: Annotated[
        Path | None, typer.Option("--design", help="Design (JSON) with any rules, in place of the options for rules.")
    ] = None,
    skip: Skip = "unknown",
    skipping: Skipping = 0.0,
    guessing: Guessing = 0.0,
    careless: Careless = 0.0,
    timed: Timed = False,
) -> None:
    """Simulate an adaptive test of one competence, with any items and any rules."""
    given = dict(locals())
    from simulations.cat import simulate_cat as run
    from simulations.progress import rich_bar

    _told(run(bar=rich_bar, **given), out)


@simulate.command("positioning")
def simulate_positioning(
    out: Out,
    bank: BankPath = None,
    competences: Annotated[
        list[str] | None, typer.Option("--competence", help="Code, such as 1.1; repeat for several, all when left out.")
    ] = None,
    length: Annotated[int | None, typer.Option(help="Items asked; as served when left out.", min=1)] = None,
    benevolent: Annotated[bool, typer.Option(help="As served; without it, what benevolence costs is seen.")] = True,
    accessible: Annotated[
        list[str] | None, typer.Option(help="Only items for blind, colour_blind or deaf learners; repeat for several.")
    ] = None,
    learners: Learners = 1000,
    seed: Seed = 1,
    jobs: Jobs = 1,
    skip: Skip = "unknown",
    skipping: Skipping = 0.0,
    guessing: Guessing = 0.0,
    careless: Careless = 0.0,
    timed: Timed = False,
    uncertain: Annotated[
        bool, typer.Option("--uncertain", help="Reckon with the errors of the bank's calibration.")
    ] = False,
) -> None:
    """Simulate the positioning that the API serves."""
    given = dict(locals())
    from simulations.positioning import simulate_positioning as run
    from simulations.progress import rich_bar

    _told(run(bar=rich_bar, **given), out)


def _told(simulation: "Simulation", out: Path) -> None:
    """Print what a psychometrician looks at first."""
    figures = simulation.summary()
    names = ("rmse", "bias", "coverage_95", "mean_length", "max_exposure", "mean_overlap", "seconds")
    told = [f"{name} {figures[name]:.4g}" for name in names if figures[name] is not None]
    print(f"{figures['learners']} learners, {', '.join(told)}\nReport: {out / 'report.html'}")
