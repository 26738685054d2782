from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, IntegrityError

from api.database import Database, parsed_url
from api.migrations.env import metadata
from api.settings import Settings
from engine.errors import SettingError
from tests.api.conftest import World


@pytest.fixture
def database(settings: Settings) -> Iterator[Database]:
    with Database(settings.database) as database:
        database.migrate()
        yield database


def test_the_migrations_make_the_tables(database: Database) -> None:
    with database.writing() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []


def test_migrating_again_changes_nothing(database: Database) -> None:
    database.migrate()


def test_sqlite_is_durable_and_checks_foreign_keys(database: Database) -> None:
    if database.dialect != "sqlite":
        pytest.skip("another database has its own settings")
    with database.writing() as connection:
        for pragma, value in (("journal_mode", "wal"), ("synchronous", 2), ("foreign_keys", 1)):
            assert connection.execute(text(f"PRAGMA {pragma}")).scalar_one() == value
        assert int(connection.execute(text("PRAGMA busy_timeout")).scalar_one()) >= 5_000


def test_a_reading_connection_cannot_write(database: Database) -> None:
    with pytest.raises(DBAPIError, match=r"readonly|read-only"), database.reading() as connection:
        connection.execute(text("DELETE FROM clients"))


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("nonsense", "sqlite:///FILE"),
        ("mysql://localhost/jalon", "use sqlite or postgresql"),
        ("sqlite://", "name a file"),
        ("sqlite:///:memory:", "name a file"),
    ],
)
def test_a_bad_url_is_refused_with_a_sentence(url: str, words: str) -> None:
    with pytest.raises(SettingError, match=words):
        parsed_url(url)


@pytest.mark.parametrize("statement", ["UPDATE facts SET response = 1", "DELETE FROM facts"])
def test_facts_can_be_neither_changed_nor_deleted(world: World, statement: str) -> None:
    world.open()
    with pytest.raises(DBAPIError, match="append-only"), world.context.database.writing() as connection:
        connection.execute(text(statement))


def test_there_is_one_fact_at_each_place(world: World) -> None:
    world.open()
    with pytest.raises(IntegrityError), world.context.database.writing() as connection:
        connection.execute(text("INSERT INTO facts SELECT * FROM facts"))


def test_a_new_sqlite_file_is_for_its_owner_only(tmp_path: Path) -> None:
    file = tmp_path / "jalon.db"
    with Database(f"sqlite:///{file}") as database:
        database.migrate()
        for name in ("jalon.db", "jalon.db-wal", "jalon.db-shm"):
            assert (tmp_path / name).stat().st_mode & 0o777 == 0o600
    file.chmod(0o640)
    with Database(f"sqlite:///{file}"):
        assert file.stat().st_mode & 0o777 == 0o640


def test_errors_do_not_show_what_was_to_be_stored(database: Database) -> None:
    with pytest.raises(DBAPIError) as told, database.writing() as connection:
        connection.execute(text("INSERT INTO nowhere VALUES (:answer)"), {"answer": "what a learner typed"})
    assert "what a learner typed" not in str(told.value)
