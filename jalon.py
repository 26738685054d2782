"""The command line: the only module that knows all four packages, and only wires them.

Commands import what they need when they run, so that ``jalon --help`` answers at once.
"""

import sys
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer
from rich.console import Console
from rich.table import Table as Grid

from api.commands import DATABASE, Database, client, key, learner, organisation, replay, retention
from engine.errors import JalonError
from simulations.commands import simulate

if TYPE_CHECKING:
    from itembank.bank import ItemBank

app = typer.Typer(
    help="Adaptive positioning and certification for competence frameworks.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
bank = typer.Typer(help="The item bank: check it, look at it, exchange it.", no_args_is_help=True)
app.command()(replay)
app.command()(retention)
app.add_typer(client, name="client")
app.add_typer(organisation, name="organisation")
app.add_typer(learner, name="learner")
app.add_typer(key, name="key")
app.add_typer(bank, name="bank")
app.add_typer(simulate, name="simulate")

BankPath = Annotated[
    Path | None, typer.Option(help="Folder of the item bank; the shipped CRCN bank when left out.", envvar="JALON_BANK")
]
Scale = Annotated[float | None, typer.Option(help="D of the item table: 1, 1.7 or 1.702; what it says, else 1.")]
Skip = Annotated[str, typer.Option(help="What a skip says: unknown, incorrect or ignored.")]
Responses = Annotated[Path, typer.Argument(metavar="RESPONSES.csv")]
Report = Annotated[
    Path | None,
    typer.Option(metavar="REPORT.json", help="Write what was found as JSON, and a page for people beside it (.html)."),
]
Prior = Annotated[
    list[str] | None,
    typer.Option(
        help="default, or e.g. 'guessing=beta(5, 17)'; repeat for several. lognormal, normal, beta and logitnormal for "
        "discrimination, difficulty, guessing and slipping. None when left out."
    ),
]
Group = Annotated[str | None, typer.Option(help="Column that says the group of a learner; the first group is N(0, 1).")]
Counts = Annotated[str | None, typer.Option(help="Column that says how many learners gave the responses of a line.")]
Ignore = Annotated[list[str] | None, typer.Option(help="Column that is left out; repeat for several.")]
Times = Annotated[Path | None, typer.Option(help="Response times in seconds (CSV), one column an item.")]
Nodes = Annotated[int, typer.Option(help="Of the grid to begin with; it is refined where needed.", min=11, max=10_001)]
KeepLoadings = Annotated[bool, typer.Option("--keep-loadings", help="Hold the loadings of the tree.")]


def main() -> None:
    """Run the command line; what goes wrong is told in one sentence, with exit status 2."""
    try:
        app()
    except (JalonError, OSError) as error:
        Console(stderr=True, highlight=False, soft_wrap=True).print(f"jalon: {error}", markup=False)
        sys.exit(2)


@app.command()
def serve(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on.", min=1, max=65535)] = 8000,
    database: Database = DATABASE,
    bank: BankPath = None,
    workers: Annotated[int, typer.Option(help="Processes.", min=1, max=64)] = 1,
    self_service: Annotated[
        bool | None,
        typer.Option(
            help="Whether visitors may start a run without a code; yes on this machine's own address only.",
            envvar="JALON_SELF_SERVICE",
        ),
    ] = None,
) -> None:
    """Serve the API and the learner's pages; the database is created when it does not exist."""
    from api.serving import listen_and_serve

    listen_and_serve(host, port, database, bank, workers, self_service)


@bank.command("check")
def bank_check(
    bank: BankPath = None,
    certification: Annotated[
        bool,
        typer.Option(
            "--certification", help="Prove for each locale and accommodation that the certification test is possible."
        ),
    ] = False,
) -> None:
    """Tell what is wrong with a bank; exit status 1 when something must be corrected before it is served."""
    from itembank.certification import load_certification
    from itembank.checks import Severity, findings
    from itembank.checks.certification import certification_proofs, failing
    from itembank.courses import load_courses

    items = _bank(bank)
    proofs = list(certification_proofs(items, load_certification(bank))) if certification else []
    found = findings(items, courses=load_courses(bank)) + failing(proofs)
    for line in (*proofs, *found):
        print(line)
    errors = sum(finding.severity is Severity.ERROR for finding in found)
    print(f"{len(items.items)} items, {errors} errors, {len(found) - errors} warnings.")
    if errors:
        raise typer.Exit(1)


@bank.command("show")
def bank_show(bank: BankPath = None, locale: Annotated[str, typer.Option(help="fr or en.")] = "fr") -> None:
    """Count what a bank holds, competence by competence, and tell which calibrations are in force."""
    from itembank.framework import title
    from itembank.summary import calibration_summary, summary

    grid = Grid("", "competence", "items", "served", "provisional", "topics", "of levels 1 to 8", title="Item bank")
    content = _bank(bank)
    for row in summary(content):
        levels = " ".join(str(row.levels[level]) for level in sorted(row.levels))
        cells = (row.items, row.served, row.provisional, row.topics, levels)
        grid.add_row(row.code, title(row.title, locale), *map(str, cells))
    Console().print(grid)
    history = Grid(
        "", "calibration", "date", "from", "model", "learners", "items", "in force for", title="Calibrations"
    )
    for one in calibration_summary(content):
        counts = ("–" if one.learners is None else f"{one.learners:,}", str(len(one.items)), str(len(one.in_force)))
        history.add_row(str(one.number), one.id, one.date, one.source, one.model, *counts)
    if content.calibrations:
        Console().print(history)
    else:
        print("No calibration yet: every parameter is provisional, or was put there by hand.")


@bank.command("export")
def bank_export(
    out: Annotated[Path, typer.Argument(help="A new folder for the whole bank, or a .csv file for its parameters.")],
    bank: BankPath = None,
) -> None:
    """Write a bank as a folder in canonical form, or its parameters as an item table."""
    from itembank.files import export_bank
    from itembank.tables import bank_table, write_item_table

    items = _bank(bank)
    if out.suffix != ".csv":
        export_bank(items, out)
    elif out.exists():
        raise JalonError(f"{out} exists already; give the name of a new file.")
    else:
        write_item_table(bank_table(items), out)
    print(f"Written: {out}")


@bank.command("import")
def bank_import(
    table: Annotated[Path, typer.Argument(help="Item table (CSV) with the parameters of items of the bank.")],
    bank: Annotated[Path, typer.Option(help="Folder of the bank to change.")],
    scale: Scale = None,
) -> None:
    """Put the parameters of an item table into a bank."""
    from itembank.files import import_parameters, load_bank, save_bank

    save_bank(import_parameters(load_bank(bank), table, scale, date=_now()), bank)
    print(f"Parameters of {table} are in {bank}.")


@bank.command("calibrate")
def bank_calibrate(
    responses: Responses,
    bank: Annotated[Path, typer.Option(help="Folder of the bank to change.")],
    model: Annotated[str | None, typer.Option(help="Of all items; the one that each has when left out.")] = None,
    hold_calibrated: Annotated[
        bool, typer.Option("--hold-calibrated", help="Bring new items on the scale of those calibrated before.")
    ] = False,
    prior: Prior = None,
    skip: Skip = "unknown",
    group: Group = None,
    counts: Counts = None,
    ignore: Ignore = None,
    times: Times = None,
    nodes: Nodes = 61,
    keep_loadings: KeepLoadings = False,
    report: Report = None,
) -> None:
    """Estimate the parameters of items of a bank, and the loadings of its tree; the bank keeps its history."""
    from simulations.calibration.command import calibrate_bank
    from simulations.calibration.study import Asked

    asked = Asked(
        responses, group, counts, tuple(ignore or ()), (), tuple(prior or ()), skip, nodes, times, keep_loadings
    )
    with _working():
        found = calibrate_bank(asked, bank, date=_now(), model=model, hold_calibrated=hold_calibrated, report=report)
    print(f"{found.told()}\nThe calibration is in force in {bank}.")


@bank.command("provisional")
def bank_provisional(bank: Annotated[Path, typer.Option(help="Folder of the bank to change.")]) -> None:
    """Give new items provisional parameters, from their level and kind; calibrated ones are kept."""
    from itembank.files import fill_provisional

    items = fill_provisional(bank)
    provisional = sum(row.provisional for row in items.parameters.values())
    print(f"{len(items.parameters)} items have parameters in {bank}, {provisional} of them provisional.")


@app.command()
def estimate(
    items: Annotated[Path, typer.Argument(metavar="ITEMS.csv")],
    responses: Annotated[Path, typer.Argument(metavar="RESPONSES.csv")],
    out: Annotated[Path, typer.Option(metavar="SCORES.csv")],
    method: Annotated[Literal["eap", "map", "ml", "wle"], typer.Option()] = "eap",
    prior_mean: Annotated[float, typer.Option(help="Of the abilities, for eap and map.")] = 0.0,
    prior_sd: Annotated[float, typer.Option(help="Of the abilities, for eap and map.")] = 1.0,
    lower: Annotated[float, typer.Option(help="No estimate lies below.")] = -6.0,
    upper: Annotated[float, typer.Option(help="No estimate lies above.")] = 6.0,
    nodes: Annotated[int, typer.Option(help="Points of the grid.", min=3, max=100_001)] = 61,
    skip: Skip = "unknown",
    scale: Scale = None,
) -> None:
    """Estimate the ability of each learner, with its standard error."""
    from engine.estimators import estimate as estimated
    from engine.penalties import Normal
    from engine.responses import skip_policy
    from itembank.responses import read_responses, write_scores
    from itembank.tables import read_item_table

    table, answers = read_item_table(items, scale), read_responses(responses)
    found = estimated(
        table.parameters,
        answers.for_items(table.ids),
        method=method,
        prior=Normal(prior_mean, prior_sd),
        lower=lower,
        upper=upper,
        nodes=nodes,
        skip=skip_policy(skip),
    )
    write_scores(answers.learners, found.ability, found.se, out)
    print(f"{len(answers.learners)} learners: {out}")


@app.command()
def calibrate(
    responses: Responses,
    out: Annotated[Path, typer.Option(metavar="ITEMS.csv", help="Item table to write.")],
    model: Annotated[str, typer.Option(help="1PL, 2PL, 3PL, 4PL, GRM or GPCM.")] = "2PL",
    structure: Annotated[
        Path | None, typer.Option(help="CSV with id and any of model, competence, domain: what each item is.")
    ] = None,
    fixed: Annotated[
        Path | None, typer.Option(help="Item table whose parameters are held; the other items come on their scale.")
    ] = None,
    scale: Scale = None,
    prior: Prior = None,
    skip: Skip = "unknown",
    group: Group = None,
    anchor: Annotated[
        list[str] | None,
        typer.Option(help="Item that all groups have in common; repeat for several, all when left out."),
    ] = None,
    counts: Counts = None,
    ignore: Ignore = None,
    times: Times = None,
    dif: Annotated[bool, typer.Option("--dif", help="Look for items that work differently in the groups.")] = False,
    nodes: Nodes = 61,
    keep_loadings: KeepLoadings = False,
    report: Report = None,
) -> None:
    """Estimate item parameters from responses, with their standard errors and fit."""
    from simulations.calibration.command import calibrate_file
    from simulations.calibration.study import Asked

    many = (tuple(ignore or ()), tuple(anchor or ()), tuple(prior or ()))
    asked = Asked(responses, group, counts, *many, skip, nodes, times, keep_loadings, dif)
    with _working():
        found = calibrate_file(asked, out, model=model, structure=structure, fixed=fixed, scale=scale, report=report)
    print(f"{found.told()}\nItems: {out}")


def _working() -> AbstractContextManager[object]:
    """Show on the terminal that something long is going on."""
    return Console(stderr=True).status("Calibrating")


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def _bank(path: Path | None) -> "ItemBank":
    from itembank.files import load_bank, shipped_bank

    return shipped_bank() if path is None else load_bank(path)


if __name__ == "__main__":
    main()
