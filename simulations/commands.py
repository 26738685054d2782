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
TruthBank = Annotated[
    Path | None, typer.Option(help="Folder of a bank; without --competence, all its competences together on the tree.")
]
ItemTable = Annotated[Path | None, typer.Option("--items", help="Item table (CSV) with the true parameters.")]
Scheduler = Annotated[
    str | None, typer.Option(help="Address of a Dask scheduler, e.g. tcp://host:8786, to work there instead of here.")
]
Competence = Annotated[
    str | None,
    typer.Option(help="Only items of this competence; of the shipped bank when there is no --items or --bank."),
]
Score = Annotated[
    str,
    typer.Option(help="information, posterior-information, likelihood-information, variance, kullback-leibler."),
]
Pick = Annotated[str, typer.Option(help="best, top-k or proportional.")]
Best = Annotated[int, typer.Option("--k", help="Items that top-k chooses from.", min=1)]
Count = Annotated[int, typer.Option(help="Made-up items, when neither --items nor --bank is given.", min=2)]


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


@simulate.command("certification")
def simulate_certification(
    out: Out,
    bank: BankPath = None,
    certification: Annotated[
        Path | None, typer.Option(help="Rules of the certification (YAML); the shipped ones when left out.")
    ] = None,
    learners: Learners = 1000,
    seed: Seed = 1,
    jobs: Jobs = 1,
    kinds: Annotated[
        list[str] | None,
        typer.Option(
            "--kind",
            metavar="KIND=SHARE",
            help="Kind of learner and its share, e.g. honest=0.9; repeat for several. honest, helped, helped_in_some, "
            "slow, skipping, leaving_early and guessing, in a realistic mix when left out.",
        ),
    ] = None,
    accessible: Annotated[
        list[str] | None, typer.Option(help="Only items for blind, colour_blind or deaf learners; repeat for several.")
    ] = None,
    extra_time: Annotated[float, typer.Option(help="Share of the time that all are given more.", min=0, max=3)] = 0.0,
) -> None:
    """Simulate certifications, from the positioning to the outcome: who is confirmed, lowered or suspected."""
    given = dict(locals())
    from simulations.certification.kinds import KINDS, shared
    from simulations.certification.study import simulate_certification as run
    from simulations.progress import rich_bar

    given["kinds"] = shared(kinds) if kinds else KINDS
    found = run(bar=rich_bar, **given).summary()
    names = (
        *("confirmed_rate", "lowered_rate", "not_certified_rate", "wrong_confirmation_rate", "wrong_lowering_rate"),
        *("sincerity_detection_rate", "sincerity_false_alarm_rate", "mean_minutes", "mean_items", "max_exposure"),
        *("mean_overlap", "candidates_per_second"),
    )
    told = [f"{name} {found[name]:.4g}" for name in names if found[name] is not None]
    print(f"{found['learners']} learners, {found['candidates']} eligible, {', '.join(told)}")
    print(f"Report: {out / 'report.html'}")


@simulate.command("recovery")
def simulate_recovery(
    out: Annotated[Path, typer.Option(help="Folder for summary.json, items.csv, replications.csv and report.html.")],
    items: ItemTable = None,
    bank: TruthBank = None,
    competence: Competence = None,
    scale: Scale = None,
    model: Annotated[
        str | None,
        typer.Option(help="Model that is fitted: 1PL to 4PL, GRM or GPCM; the true ones when left out."),
    ] = None,
    truth: Annotated[
        str | None, typer.Option(help="Model of made-up items; the fitted one, or 2PL, when left out.")
    ] = None,
    count: Count = 40,
    learners: Annotated[int, typer.Option(help="Simulated learners of each replication.", min=1)] = 1000,
    design: Annotated[
        str | None,
        typer.Option(
            help="Who answers what: complete, random, booklets or adaptive; follows from --answers and --booklets when "
            "left out."
        ),
    ] = None,
    answers: Annotated[int | None, typer.Option(help="Items that each learner is asked.", min=1)] = None,
    booklets: Annotated[int | None, typer.Option(help="Number of booklets, which overlap by blocks.", min=2)] = None,
    score: Score = "information",
    pick: Pick = "top-k",
    k: Best = 5,
    replications: Annotated[int, typer.Option(help="How many times responses are drawn and calibrated.", min=1)] = 100,
    seed: Seed = 1,
    jobs: Jobs = 1,
    scheduler: Scheduler = None,
    prior: Annotated[
        list[str] | None,
        typer.Option(help="Prior of the calibration: default, or PARAMETER=KIND(NUMBER, NUMBER); repeat for several."),
    ] = None,
    skip: Skip = "unknown",
    skipping: Skipping = 0.0,
    guessing: Guessing = 0.0,
    careless: Careless = 0.0,
    estimate_loadings: Annotated[
        bool,
        typer.Option("--estimate-loadings", help="Estimate the loadings of the tree too, instead of holding them."),
    ] = False,
    curve: Annotated[
        list[int] | None, typer.Option(help="Also with this many learners, for the number needed; repeat for several.")
    ] = None,
    wanted: Annotated[
        list[float] | None,
        typer.Option(help="RMSE for which the number of learners needed is told; 0.2, 0.15, 0.1, 0.05 when left out."),
    ] = None,
) -> None:
    """Simulate learners, calibrate, compare: how far a calibration can be trusted, and how many learners it needs."""
    given = dict(locals())
    from simulations.progress import rich_bar
    from simulations.recovery.run import simulate_recovery as run

    given["priors"] = given.pop("prior")
    given |= {name: tuple(given[name] or ()) for name in ("priors", "curve", "wanted")}
    found = run(bar=rich_bar, **given).summary()
    names = ("rmse_discrimination", "rmse_difficulty", "coverage_95_discrimination", "coverage_95_difficulty")
    told = [f"{name} {found[name]:.4g}" for name in (*names, "converged_share", "seconds") if found[name] is not None]
    if found["converged_share"] < 1.0:
        print("Some calibrations did not converge: 3PL and 4PL items need priors (--prior default) or many learners.")
    print(f"{found['replications']} replications, {', '.join(told)}\nReport: {out / 'report.html'}")


@simulate.command("sbc")
def simulate_sbc(
    out: Annotated[Path, typer.Option(help="Folder for summary.json, ranks.csv and report.html.")],
    items: ItemTable = None,
    bank: TruthBank = None,
    competence: Competence = None,
    scale: Scale = None,
    model: Annotated[str, typer.Option(help="Model of made-up items.")] = "2PL",
    count: Count = 40,
    learners: Learners = 2000,
    length: Annotated[int | None, typer.Option(help="Items of the test.", min=1)] = None,
    score: Score = "information",
    pick: Pick = "best",
    k: Best = 5,
    replications: Annotated[int, typer.Option(help="Calibrations whose standard errors are tested.", min=0)] = 0,
    sample: Annotated[int, typer.Option(help="Learners of each calibration.", min=50)] = 1000,
    seed: Seed = 1,
    jobs: Jobs = 1,
    scheduler: Scheduler = None,
) -> None:
    """Check by ranks whether the posteriors, and the errors of calibrations, say how sure they are (SBC)."""
    given = dict(locals())
    from simulations.progress import rich_bar
    from simulations.sbc.run import simulate_sbc as run

    run(bar=rich_bar, **given)
    print(f"Report: {out / 'report.html'}")


def _told(simulation: "Simulation", out: Path) -> None:
    """Print what a psychometrician looks at first."""
    figures = simulation.summary()
    names = ("rmse", "bias", "coverage_95", "mean_length", "max_exposure", "mean_overlap", "seconds")
    told = [f"{name} {figures[name]:.4g}" for name in names if figures[name] is not None]
    print(f"{figures['learners']} learners, {', '.join(told)}\nReport: {out / 'report.html'}")
