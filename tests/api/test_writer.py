import asyncio
import threading
from collections.abc import Callable, Iterator

import pytest
from sqlalchemy import Connection, text
from sqlalchemy.exc import IntegrityError

from api.database import Database
from api.settings import Settings
from api.writer import Writer, WriterClosedError
from tests.databases import new_database

MANY = 300


@pytest.fixture
def database(settings: Settings) -> Iterator[Database]:
    with Database(settings.database) as database:
        with database.writing() as connection:
            connection.execute(text("CREATE TABLE parents (id INTEGER PRIMARY KEY)"))
            connection.execute(
                text("CREATE TABLE children (parent INTEGER REFERENCES parents(id) DEFERRABLE INITIALLY DEFERRED)")
            )
        yield database


@pytest.fixture
def postgresql(migrated_postgresql: tuple[str, str]) -> Iterator[str]:
    """URL of an empty database."""
    with new_database(migrated_postgresql[0]) as (_, url):
        yield url


def insert(number: int) -> Callable[[Connection], int]:
    def job(connection: Connection) -> int:
        connection.execute(text("INSERT INTO parents VALUES (:id)"), {"id": number})
        return number

    return job


def stored(database: Database) -> list[int]:
    with database.reading() as connection:
        return list(connection.execute(text("SELECT id FROM parents ORDER BY id")).scalars())


async def together(writer: Writer, jobs: list[Callable[[Connection], int]]) -> list[int | BaseException]:
    outcomes = await asyncio.gather(*(writer.submit(job) for job in jobs), return_exceptions=True)
    await writer.close()
    return outcomes


def test_every_job_is_stored_when_its_value_comes(database: Database) -> None:
    outcomes = asyncio.run(together(Writer(database, batch=64), [insert(number) for number in range(MANY)]))
    assert outcomes == list(range(MANY))
    assert stored(database) == list(range(MANY))


def test_a_job_that_fails_undoes_its_own_writes_only(database: Database) -> None:
    def half(connection: Connection) -> int:
        insert(1000)(connection)
        return insert(0)(connection)  # exists: the first insert must go too

    jobs = [insert(number) for number in range(20)]
    outcomes = asyncio.run(together(Writer(database), [*jobs, half, *(insert(number) for number in range(20, 30))]))
    assert isinstance(outcomes[20], IntegrityError)
    assert stored(database) == list(range(30))


def test_an_exception_of_ours_reaches_the_request_that_waits(database: Database) -> None:
    def refuse(connection: Connection) -> int:
        insert(5)(connection)
        raise LookupError("nothing here")

    outcomes = asyncio.run(together(Writer(database), [insert(1), refuse, insert(2)]))
    assert outcomes[0] == 1
    assert outcomes[2] == 2
    assert isinstance(outcomes[1], LookupError)
    assert stored(database) == [1, 2]


def test_when_commit_fails_every_job_of_the_batch_fails(database: Database) -> None:
    """A deferred foreign key is checked by COMMIT itself."""
    entered = asyncio.Event()

    def orphan(connection: Connection) -> int:
        connection.execute(text("INSERT INTO children VALUES (404)"))
        return 0

    async def scenario() -> list[int | BaseException]:
        writer = Writer(database)
        entered.set()
        return await together(writer, [insert(1), orphan, insert(2)])

    outcomes = asyncio.run(scenario())
    batch = [outcome for outcome in outcomes if isinstance(outcome, IntegrityError)]
    assert isinstance(outcomes[1], IntegrityError)
    assert stored(database) == [outcome for outcome in outcomes if isinstance(outcome, int)]
    assert len(batch) + len(stored(database)) == 3


def test_closing_stores_what_waits_and_refuses_what_comes(database: Database) -> None:
    async def scenario() -> None:
        writer = Writer(database)
        waiting = [asyncio.create_task(writer.submit(insert(number))) for number in range(50)]
        await asyncio.sleep(0)
        await writer.close()
        assert await asyncio.gather(*waiting) == list(range(50))
        with pytest.raises(WriterClosedError):
            await writer.submit(insert(99))
        await writer.close()

    asyncio.run(scenario())
    assert stored(database) == list(range(50))


def test_a_request_that_went_away_does_not_disturb_the_others(database: Database) -> None:
    async def scenario() -> None:
        writer = Writer(database)
        gone = asyncio.create_task(writer.submit(insert(1)))
        stays = asyncio.create_task(writer.submit(insert(2)))
        await asyncio.sleep(0)
        gone.cancel()
        assert await stays == 2
        await writer.close()

    asyncio.run(scenario())
    assert stored(database) == [1, 2]


def test_two_processes_that_wait_for_each_other_are_both_served_in_the_end(postgresql: str) -> None:
    """PostgreSQL undoes one of two transactions that lock the same rows in opposite orders: its batch runs again."""
    databases = [Database(postgresql), Database(postgresql)]
    with databases[0].writing() as connection:
        connection.execute(text("CREATE TABLE deadlock_test (id INTEGER PRIMARY KEY, times INTEGER)"))
        connection.execute(text("INSERT INTO deadlock_test VALUES (1, 0), (2, 0)"))
    both = threading.Barrier(2)

    def crossing(first: int, second: int) -> Callable[[Connection], int]:
        count = iter(range(100))

        def job(connection: Connection) -> int:
            attempt = next(count)
            for number in (first, second):
                connection.execute(text("UPDATE deadlock_test SET times = times + 1 WHERE id = :id"), {"id": number})
                if number == first and attempt == 0:
                    both.wait()
            return attempt

        return job

    async def scenario() -> list[int]:
        writers = [Writer(database) for database in databases]
        done = await asyncio.gather(writers[0].submit(crossing(1, 2)), writers[1].submit(crossing(2, 1)))
        for writer in writers:
            await writer.close()
        return list(done)

    try:
        attempts = asyncio.run(scenario())
        with databases[0].writing() as connection:
            assert list(connection.execute(text("SELECT times FROM deadlock_test")).scalars()) == [2, 2]
    finally:
        for database in databases:
            database.close()
    assert max(attempts) >= 1  # and it may be both, when the first that runs again overtakes the other


def test_a_batch_is_run_again_until_nobody_is_in_its_way(postgresql: str) -> None:
    database = Database(postgresql)
    attempts = iter(range(100))

    def unlucky(connection: Connection) -> int:
        attempt = next(attempts)
        if attempt < 4:
            connection.execute(text("DO $$ BEGIN RAISE EXCEPTION 'crossed' USING ERRCODE = '40P01'; END $$"))
        return attempt

    try:
        outcomes = asyncio.run(together(Writer(database), [unlucky]))
    finally:
        database.close()
    assert outcomes == [4]
