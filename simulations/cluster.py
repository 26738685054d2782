"""Many tasks of one kind: in this process, on the processors of this machine, or on a Dask cluster."""

import asyncio
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from importlib import import_module
from typing import Any, Final, TypeVar

from joblib import Parallel, delayed, effective_n_jobs, parallel_config
from threadpoolctl import threadpool_limits

from engine.errors import SettingError
from simulations.progress import Advance

Shared = TypeVar("Shared")
Task = TypeVar("Task")
Found = TypeVar("Found")

PATIENCE: Final = 10.0
"""Seconds within which a scheduler must answer and have a worker."""
_GROUPS: Final = 8
"""Groups of tasks for each process: few enough to cost little, many enough to end together."""


def results_of(
    function: Callable[[Shared, Task], Found],
    shared: Shared,
    tasks: Sequence[Task],
    *,
    jobs: int = 1,
    scheduler: str | None = None,
    advance: Advance | None = None,
) -> list[Found]:
    """Do ``function(shared, task)`` for each task, in their order.

    Parameters
    ----------
    function : callable
        Of a module, so that another process finds it.
    shared : object
        What all tasks need; sent once to each worker of a cluster.
    tasks : sequence
    jobs : int
        Processes on this machine; -1 for one on each processor.
    scheduler : str, optional
        Address of a Dask scheduler, such as ``tcp://host:8786``; ``jobs`` is not used then. The workers need the same
        version of Jalon and of its libraries.
    advance : callable, optional
        Told how many more tasks are done.

    Returns
    -------
    list
        The same whatever the number of processes: each task runs on one thread, and hashes, not generators, make the
        numbers. Processors of another make may differ in the last bits.

    Raises
    ------
    SettingError
        When the scheduler does not answer or has no worker, or ``distributed`` is not installed.
    """
    if scheduler is not None:
        with _client(scheduler) as client:
            workers = max(1, sum(client.ncores().values()))
            with parallel_config(backend="dask", client=client, scatter=[shared], wait_for_workers_timeout=PATIENCE):
                return _gathered(function, shared, tasks, workers, advance)
    workers = min(int(effective_n_jobs(jobs)), max(1, len(tasks)))
    if workers > 1:
        return _gathered(function, shared, tasks, workers, advance, n_jobs=workers)
    return list(_told(([result] for result in _one_by_one(function, shared, tasks)), advance))


def _gathered(
    function: Callable[[Shared, Task], Found],
    shared: Shared,
    tasks: Sequence[Task],
    workers: int,
    advance: Advance | None,
    **where: Any,
) -> list[Found]:
    size = max(1, -(-len(tasks) // (workers * _GROUPS)))
    groups = [tasks[start : start + size] for start in range(0, len(tasks), size)]
    work = (delayed(_group)(function, shared, group) for group in groups)
    return list(_told(Parallel(return_as="generator", batch_size=1, **where)(work), advance))


def _group(function: Callable[[Shared, Task], Found], shared: Shared, tasks: Sequence[Task]) -> list[Found]:
    return list(_one_by_one(function, shared, tasks))


def _one_by_one(function: Callable[[Shared, Task], Found], shared: Shared, tasks: Sequence[Task]) -> Iterator[Found]:
    for task in tasks:
        with threadpool_limits(1):
            found = function(shared, task)
        yield found


def _told(groups: Iterable[list[Found]], advance: Advance | None) -> Iterator[Found]:
    for group in groups:
        if advance is not None:
            advance(len(group))
        yield from group


async def _answer(distributed: Any, scheduler: str) -> None:
    """Wait for an answer: a client that gets none would go on trying while it is thrown away."""
    security = distributed.Security().get_connection_args("client")
    comm = await distributed.core.connect(scheduler, timeout=PATIENCE, **security)
    await comm.close()


@contextmanager
def _client(scheduler: str) -> Iterator[Any]:
    """Client of a scheduler that answers and has a worker."""
    try:
        distributed = import_module("distributed")
    except ImportError:
        raise SettingError(
            "A cluster needs the package distributed; install Jalon with its extra: pip install 'jalon[cluster]'."
        ) from None
    try:
        with ThreadPoolExecutor(1) as thread:  # there may be a loop in this one, as in a notebook
            thread.submit(asyncio.run, _answer(distributed, scheduler)).result()
        client = distributed.Client(scheduler, timeout=PATIENCE, set_as_default=False)
    except (OSError, ValueError) as error:
        raise SettingError(
            f"No Dask scheduler answers at {scheduler} within {PATIENCE:.0f} seconds ({type(error).__name__}); start "
            "one with `dask scheduler`, or correct the address, such as tcp://host:8786."
        ) from None
    try:
        try:
            client.wait_for_workers(1, timeout=PATIENCE)
        except TimeoutError:
            raise SettingError(
                f"The Dask scheduler at {scheduler} has no worker; start one with `dask worker {scheduler}`."
            ) from None
        yield client
    finally:
        client.close()
