"""The writer: one thread that commits in one transaction whatever has queued, and answers after COMMIT.

A durable commit costs a flush of the disk, whatever it holds; so the requests that arrive while one commit is under way
share the next. The jobs of a batch are first run together, and rows for the same table are inserted together. When
one of them fails, the batch is undone and run again with each job behind its own savepoint: a job that fails undoes its
own writes and nobody else's. A batch that the database undoes, because another process locked the same rows in another
order, is run again too. When COMMIT itself fails, every job of the batch fails, for none of them is stored.
"""

import asyncio
import queue
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from sqlalchemy import Connection, Table
from sqlalchemy.exc import DBAPIError

from api.database import Database
from api.storage import insert_rows

ATTEMPTS = 5
"""Times that a batch is run again when it and another process waited for each other."""
_DEADLOCKS = frozenset({"40P01", "40001"})
"""What PostgreSQL says when two transactions waited for each other and it undid this one."""

Result = TypeVar("Result")
Job = Callable[[Connection], Result]


class WriterClosedError(Exception):
    """A job came after the writer was closed: nothing was written."""


@dataclass(frozen=True, eq=False)
class Rows:
    """A job that only inserts complete rows; those of a batch for the same table go in together."""

    table: Table
    rows: Sequence[Mapping[str, Any]]

    def __call__(self, connection: Connection) -> None:
        """Insert the rows."""
        insert_rows(connection, self.table, self.rows)


@dataclass(frozen=True, eq=False)
class _Queued:
    """A job and the future of the request that waits for it."""

    job: Job[Any]
    loop: asyncio.AbstractEventLoop
    future: "asyncio.Future[Any]"


@dataclass(frozen=True, eq=False)
class _Outcome:
    """What became of a job: its value, or the error that undid it."""

    value: Any = None
    error: Exception | None = None


class Writer:
    """One thread through which every write of the process goes, for the requests of one event loop.

    Parameters
    ----------
    database : Database
        Where to write.
    batch : int
        Largest number of jobs in one transaction.
    """

    def __init__(self, database: Database, batch: int = 256) -> None:
        self._database = database
        self._batch = batch
        self._queue: queue.SimpleQueue[_Queued | None] = queue.SimpleQueue()
        self._closing = threading.Lock()
        self._closed = False
        self._under_way = 0
        self._when_answered: list[Callable[[], None]] = []
        self._thread = threading.Thread(target=self._work, name="jalon-writer", daemon=True)
        self._thread.start()

    async def submit(self, job: Job[Result]) -> Result:
        """Run ``job`` in a transaction and return its value once that is committed; raise what made it fail.

        A job may be run twice, the first time undone: it writes to its connection and does nothing else.
        """
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Result] = loop.create_future()
        with self._closing:
            if self._closed:
                raise WriterClosedError("the server is stopping: send the request again in a moment")
            self._queue.put(_Queued(job, loop, future))
        self._under_way += 1
        return await future

    def when_answered(self, call: Callable[[], None]) -> None:
        """Call ``call`` once the batch under way is answered, or soon when there is none.

        Work that leads to a write may wait for that: it could not be stored before, and more of it goes together.
        """
        self._when_answered.append(call)
        if self._under_way == 0:
            asyncio.get_running_loop().call_soon(self._call)

    async def close(self) -> None:
        """Refuse new jobs, commit those that wait, and end the thread."""
        with self._closing:
            if not self._closed:
                self._closed = True
                self._queue.put(None)
        await asyncio.to_thread(self._thread.join)

    def _work(self) -> None:
        while (first := self._queue.get()) is not None:
            waiting = [first]
            last = False
            while len(waiting) < self._batch and not self._queue.empty():
                queued = self._queue.get()
                if queued is None:
                    last = True
                    break
                waiting.append(queued)
            self._answer(waiting, self._committed([queued.job for queued in waiting]))
            if last:
                return

    def _committed(self, jobs: Sequence[Job[Any]]) -> list[_Outcome]:
        """Run the jobs in one transaction; each alone if they cannot go together."""
        outcomes = self._transaction(jobs, _together)
        if all(outcome.error is None for outcome in outcomes):
            return outcomes
        for _ in range(ATTEMPTS):
            outcomes = self._transaction(jobs, _one_by_one)
            if not any(_deadlocked(outcome.error) for outcome in outcomes):
                break
        return outcomes

    def _transaction(
        self, jobs: Sequence[Job[Any]], run: Callable[[Connection, Sequence[Job[Any]]], list[_Outcome]]
    ) -> list[_Outcome]:
        try:
            with self._database.writing() as connection:
                outcomes = run(connection, jobs)
        except Exception as error:  # nothing of the batch is stored: every request that waits is told
            return [_Outcome(error=error) for _ in jobs]
        return outcomes

    def _answer(self, waiting: Sequence[_Queued], outcomes: Sequence[_Outcome]) -> None:
        """Wake the requests, one call for each event loop; a loop that is closed has nobody to wake."""
        by_loop: dict[asyncio.AbstractEventLoop, list[tuple[_Queued, _Outcome]]] = {}
        for queued, outcome in zip(waiting, outcomes, strict=True):
            by_loop.setdefault(queued.loop, []).append((queued, outcome))
        for loop, pairs in by_loop.items():
            if not loop.is_closed():
                loop.call_soon_threadsafe(self._resolve, pairs)

    def _resolve(self, pairs: Sequence[tuple[_Queued, _Outcome]]) -> None:
        self._under_way -= len(pairs)
        for queued, outcome in pairs:
            if queued.future.done():
                continue
            if outcome.error is not None:
                queued.future.set_exception(outcome.error)
            else:
                queued.future.set_result(outcome.value)
        self._call()

    def _call(self) -> None:
        calls, self._when_answered = self._when_answered, []
        for call in calls:
            call()


def _together(connection: Connection, jobs: Sequence[Job[Any]]) -> list[_Outcome]:
    """Run the jobs without savepoints, rows for the same table at once; the first error undoes all."""
    rows: dict[Table, list[Mapping[str, Any]]] = {}
    outcomes = []
    for job in jobs:
        if isinstance(job, Rows):
            rows.setdefault(job.table, []).extend(job.rows)
            outcomes.append(_Outcome())
        else:
            outcomes.append(_Outcome(value=job(connection)))
    for table, together in rows.items():
        insert_rows(connection, table, together)
    return outcomes


def _one_by_one(connection: Connection, jobs: Sequence[Job[Any]]) -> list[_Outcome]:
    """Run each job behind its savepoint; an error of a job is its outcome, an error of a savepoint is raised."""
    outcomes = []
    for job in jobs:
        savepoint = connection.begin_nested()
        try:
            value = job(connection)
        except Exception as error:  # the request that waits for this job is told
            if _deadlocked(error):
                raise
            savepoint.rollback()
            outcomes.append(_Outcome(error=error))
        else:
            savepoint.commit()
            outcomes.append(_Outcome(value=value))
    return outcomes


def _deadlocked(error: Exception | None) -> bool:
    return isinstance(error, DBAPIError) and getattr(error.orig, "sqlstate", None) in _DEADLOCKS
