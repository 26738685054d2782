"""The command line: the only module that knows all four packages, and only wires them.

Commands import what they need when they run, so that ``jalon --help`` answers at once.
"""

import json
import os
import socket
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer
from rich.console import Console
from rich.table import Table as Grid

from engine.errors import JalonError

if TYPE_CHECKING:
    from itembank.bank import ItemBank
    from simulations.simulation import Simulation

APP = "api.app:from_environment"
DATABASE = "sqlite:///jalon.db"
LOCAL = ("127.0.0.1", "localhost", "::1")
BACKLOG = 2048
"""Connections that may wait: what uvicorn lets wait too."""

app = typer.Typer(
    help="Adaptive positioning and certification for competence frameworks.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
client = typer.Typer(help="Platforms that may call the API.", no_args_is_help=True)
bank = typer.Typer(help="The item bank: check it, look at it, exchange it.", no_args_is_help=True)
simulate = typer.Typer(help="Simulate learners: how far can a test be trusted?", no_args_is_help=True)
app.add_typer(client, name="client")
app.add_typer(bank, name="bank")
app.add_typer(simulate, name="simulate")

Database = Annotated[str, typer.Option(help="sqlite:///FILE or postgresql://USER@HOST/NAME.", envvar="JALON_DATABASE")]
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
    import uvicorn
    from uvicorn.supervisors import Multiprocess

    from api.app import prepare
    from api.oauth.clients import local_client
    from api.settings import chosen

    settings = chosen(database=database, bank=bank)
    local = host in LOCAL and not settings.https
    settings = chosen(database=database, bank=bank, self_service=local if self_service is None else self_service)
    with _listening(host, port) as listening:
        prepare(settings)
        os.environ |= {"JALON_DATABASE": settings.database, "JALON_SELF_SERVICE": str(settings.self_service)}
        if settings.bank is not None:
            os.environ["JALON_BANK"] = str(settings.bank)
        address = f"http://{socket.gethostname() if host in ('0.0.0.0', '::') else host}:{port}"
        print(f"Jalon is ready: open {address} in a browser (API documentation: {address}/docs).", flush=True)
        if local:
            identity, secret = local_client(settings.database)
            print(f"Local client for the API: client_id {identity} client_secret {secret}", flush=True)
        config = uvicorn.Config(APP, factory=True, workers=workers, log_level="warning", server_header=False)
        if workers > 1:
            Multiprocess(config, sockets=[listening]).run()
        else:
            uvicorn.Server(config).run(sockets=[listening])


@app.command()
def replay(run_id: str, database: Database = DATABASE) -> None:
    """Prove a stored run: re-derive every question and the result from its facts, its bank and its design."""
    from api.database import Database as Store
    from api.runs.replay import prove

    with Store(database, create=False) as store:
        proof = prove(store, run_id)
    if not proof.ok:
        print(f"Run {run_id} does not replay: {proof.difference}")
        raise typer.Exit(1)
    outcome = "and the result" if proof.finished else "so far; the run is not finished"
    print(f"Run {run_id} replays: {proof.decisions} decisions {outcome}.")


@client.command("add")
def client_add(
    name: Annotated[str, typer.Argument(help="Name for people, such as the platform's.")],
    scope: Annotated[list[str], typer.Option(help="What it may do; repeat, or separate by spaces, for several.")],
    database: Database = DATABASE,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Create a client of the API and print its secret, once."""
    from api.database import Database as Store
    from api.oauth.clients import create_client

    with Store(database) as store:
        store.migrate()
        identity, secret = create_client(store, name, " ".join(scope).replace(",", " ").split())
    if as_json:
        print(json.dumps({"client_id": identity, "client_secret": secret}))
    else:
        print(f"client_id      {identity}\nclient_secret  {secret}\nThe secret is not kept: note it now.")


@bank.command("check")
def bank_check(bank: BankPath = None) -> None:
    """Tell what is wrong with a bank; exit status 1 when something must be corrected before it is served."""
    from itembank.checks import Severity, findings

    items = _bank(bank)
    found = findings(items)
    for finding in found:
        print(finding)
    errors = sum(finding.severity is Severity.ERROR for finding in found)
    print(f"{len(items.items)} items, {errors} errors, {len(found) - errors} warnings.")
    if errors:
        raise typer.Exit(1)


@bank.command("show")
def bank_show(bank: BankPath = None, locale: Annotated[str, typer.Option(help="fr or en.")] = "fr") -> None:
    """Count what a bank holds, competence by competence."""
    from itembank.framework import title
    from itembank.summary import summary

    grid = Grid("", "competence", "items", "served", "provisional", "topics", "of levels 1 to 8", title="Item bank")
    for row in summary(_bank(bank)):
        levels = " ".join(str(row.levels[level]) for level in sorted(row.levels))
        cells = (row.items, row.served, row.provisional, row.topics, levels)
        grid.add_row(row.code, title(row.title, locale), *map(str, cells))
    Console().print(grid)


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

    save_bank(import_parameters(load_bank(bank), table, scale), bank)
    print(f"Parameters of {table} are in {bank}.")


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
) -> None:
    """Simulate the positioning that the API serves."""
    given = dict(locals())
    from simulations.positioning import simulate_positioning as run
    from simulations.progress import rich_bar

    _told(run(bar=rich_bar, **given), out)


def _bank(path: Path | None) -> "ItemBank":
    from itembank.files import load_bank, shipped_bank

    return shipped_bank() if path is None else load_bank(path)


def _listening(host: str, port: int) -> socket.socket:
    """Open the port before anything is said to be ready; who comes at once waits until the server has started."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
        listening.listen(BACKLOG)
    except OSError as error:
        listening.close()
        raise OSError(f"Port {port} of {host} cannot be used ({error.strerror}); choose another with --port.") from None
    return listening


def _told(simulation: "Simulation", out: Path) -> None:
    """Print what a psychometrician looks at first."""
    figures = simulation.summary()
    names = ("rmse", "bias", "coverage_95", "mean_length", "max_exposure", "mean_overlap", "seconds")
    told = [f"{name} {figures[name]:.4g}" for name in names if figures[name] is not None]
    print(f"{figures['learners']} learners, {', '.join(told)}\nReport: {out / 'report.html'}")


if __name__ == "__main__":
    main()
