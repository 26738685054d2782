"""The writer: one thread that commits in one transaction whatever has queued, and answers after COMMIT.

A durable commit costs a flush of the disk, whatever it holds; so the requests that arrive while one commit is under way
share the next. Each job runs behind its own savepoint: a job that fails undoes its own writes and nobody else's. When
COMMIT itself fails, every job of the batch fails, for none of them is stored.
"""

import asyncio
import queue
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from sqlalchemy import Connection

from api.database import Database

Result = TypeVar("Result")


class WriterClosedError(Exception):
    """A job came after the writer was closed: nothing was written."""


@dataclass(frozen=True, eq=False)
class _Queued:
    """A job and the future of the request that waits for it."""

    job: Callable[[Connection], Any]
    loop: asyncio.AbstractEventLoop
    future: "asyncio.Future[Any]"


@dataclass(frozen=True, eq=False)
class _Outcome:
    """What became of a job: its value, or the error that undid it."""

    value: Any = None
    error: Exception | None = None


class Writer:
    """One thread through which every write of the process goes.

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
        self._thread = threading.Thread(target=self._work, name="jalon-writer", daemon=True)
        self._thread.start()

    async def submit(self, job: Callable[[Connection], Result]) -> Result:
        """Run ``job`` in a transaction and return its value once that is committed; raise what made it fail."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Result] = loop.create_future()
        with self._closing:
            if self._closed:
                raise WriterClosedError("the server is stopping: send the request again in a moment")
            self._queue.put(_Queued(job, loop, future))
        return await future

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
            _answer(waiting, self._commit(waiting))
            if last:
                return

    def _commit(self, waiting: list[_Queued]) -> list[_Outcome]:
        try:
            with self._database.writing() as connection:
                outcomes = [_attempt(connection, queued.job) for queued in waiting]
        except Exception as error:
            return [_Outcome(error=error) for _ in waiting]
        return outcomes


def _attempt(connection: Connection, job: Callable[[Connection], Any]) -> _Outcome:
    """Run one job behind its savepoint; an error of the job is its outcome, an error of the savepoint is raised."""
    savepoint = connection.begin_nested()
    try:
        value = job(connection)
    except Exception as error:
        savepoint.rollback()
        return _Outcome(error=error)
    savepoint.commit()
    return _Outcome(value=value)


def _answer(waiting: list[_Queued], outcomes: list[_Outcome]) -> None:
    """Wake the requests, one call for each event loop; a loop that is closed has nobody to wake."""
    by_loop: dict[asyncio.AbstractEventLoop, list[tuple[_Queued, _Outcome]]] = {}
    for queued, outcome in zip(waiting, outcomes, strict=True):
        by_loop.setdefault(queued.loop, []).append((queued, outcome))
    for loop, pairs in by_loop.items():
        if not loop.is_closed():
            loop.call_soon_threadsafe(_resolve, pairs)


def _resolve(pairs: list[tuple[_Queued, _Outcome]]) -> None:
    for queued, outcome in pairs:
        if queued.future.done():
            continue
        if outcome.error is not None:
            queued.future.set_exception(outcome.error)
        else:
            queued.future.set_result(outcome.value)
