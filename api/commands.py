"""What an operator does to a server: clients, organisations, learners, keys, replays."""

import json
from pathlib import Path
from typing import Annotated

import typer

from engine.errors import SettingError

DATABASE = "sqlite:///jalon.db"
Database = Annotated[str, typer.Option(help="sqlite:///FILE or postgresql://USER@HOST/NAME.", envvar="JALON_DATABASE")]

client = typer.Typer(help="Platforms that may call the API.", no_args_is_help=True)
organisation = typer.Typer(help="Organisations: schools and others, with their learners.", no_args_is_help=True)
learner = typer.Typer(help="What is kept of a learner.", no_args_is_help=True)
key = typer.Typer(help="Keys that sign certificates.", no_args_is_help=True)


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


@organisation.command("add")
def organisation_add(
    name: Annotated[str, typer.Argument(help="Name of the school or organisation.")],
    uai: Annotated[str | None, typer.Option(help="Code of the school, such as 0370001A.")] = None,
    database: Database = DATABASE,
) -> None:
    """Create an organisation on this server and print the token of its administrator, once."""
    from api.database import Database as Store
    from api.organisations.local import create_organisation

    with Store(database) as store:
        store.migrate()
        token = create_organisation(store, name, uai)
    print(f"token  {token}\nIts holder signs in at /team with it. It is not kept: note it now.")


@organisation.command("list")
def organisation_list(database: Database = DATABASE) -> None:
    """Show every organisation of this server with its id."""
    from api.database import Database as Store
    from api.organisations.local import list_all

    with Store(database, create=False) as store:
        store.migrate()
        for one in list_all(store):
            print(f"{one.id}  {one.uai or '-':8}  {one.name}")


@organisation.command("admin")
def organisation_admin(
    organisation_id: Annotated[str, typer.Argument(help="As jalon organisation list shows it.")],
    name: Annotated[str, typer.Argument(help="Of the administrator.")],
    database: Database = DATABASE,
) -> None:
    """Make an administrator of an organisation that lost its tokens, and print their token, once."""
    from api.database import Database as Store
    from api.organisations.local import add_administrator

    with Store(database, create=False) as store:
        store.migrate()
        token = add_administrator(store, organisation_id, name)
    print(f"token  {token}\nIts holder signs in at /team with it. It is not kept: note it now.")


@learner.command("export")
def learner_export(
    learner_id: Annotated[str, typer.Argument(help="Account of the learner.")], database: Database = DATABASE
) -> None:
    """Print everything that is kept of a learner, as JSON."""
    from api.database import Database as Store
    from api.privacy.local import export_learner

    with Store(database, create=False) as store:
        store.migrate()
        print(json.dumps(export_learner(store, learner_id), ensure_ascii=False, indent=1))


@learner.command("erase")
def learner_erase(
    learner_id: Annotated[str, typer.Argument(help="Account of the learner.")],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    database: Database = DATABASE,
) -> None:
    """Forget who a learner is, for good; anonymous answers and results stay."""
    from api.database import Database as Store
    from api.privacy.local import forget_learner

    if not yes:
        typer.confirm("There is no way back. Erase this learner?", abort=True)
    with Store(database, create=False) as store:
        store.migrate()
        forget_learner(store, learner_id)
    print("The learner is erased. Backups still hold them until they are overwritten.")


def retention(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only count.")] = False, database: Database = DATABASE
) -> None:
    """Forget what was kept long enough, as the settings keep_*_days say; run it once a day."""
    from api.clock import now
    from api.database import Database as Store
    from api.privacy.local import apply_retention
    from api.settings import chosen

    with Store(database, create=False) as store:
        store.migrate()
        found = apply_retention(store, chosen(database=database), now(), dry_run)
    words = ", ".join(f"{count} {name}" for name, count in found.told().items())
    print(f"{'Would be forgotten' if dry_run else 'Forgotten'}: {words}.")


@key.command("create")
def key_create(
    folder: Annotated[Path, typer.Argument(help="Folder of the keys; the newest signs, all are published.")],
) -> None:
    """Draw a new Ed25519 key that signs certificates from the next start of the server on."""
    from api.certification.certificates.signing import create_key

    print(f"Key: {create_key(folder)}\nGive the folder to the server as JALON_CREDENTIAL_KEYS.")


def replay(
    run_id: Annotated[str | None, typer.Argument(help="Run of the database.")] = None,
    database: Database = DATABASE,
    audit: Annotated[
        Path | None, typer.Option(metavar="AUDIT.json", help="Audit file of a certification, instead of a database.")
    ] = None,
) -> None:
    """Prove a stored run: re-derive every question and the result from its facts, its bank and its design."""
    from api.certification.audit import check_audit
    from api.database import Database as Store
    from api.runs.replay import prove

    if (run_id is None) == (audit is None):
        raise SettingError("Give the id of a run, or an audit file with --audit; one of them.")
    if audit is not None:
        proof = check_audit(audit)
    else:
        assert run_id is not None
        with Store(database, create=False) as store:
            proof = prove(store, run_id)
    if not proof.ok:
        print(f"Run {proof.run_id} does not replay: {proof.difference}")
        raise typer.Exit(1)
    outcome = "and the result" if proof.finished else "so far; the run is not finished"
    print(f"Run {proof.run_id} replays: {proof.decisions} decisions {outcome}.")
