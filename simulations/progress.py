"""Progress of something long: a bar for people, or nothing."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

Advance = Callable[[int], None]
"""Told how much more is done."""

Bar = Callable[[str, int], AbstractContextManager[Advance]]
"""Opens a bar with words, for a total."""


@contextmanager
def rich_bar(words: str, total: int) -> Iterator[Advance]:
    """Bar on the terminal, on standard error; nothing where that is no terminal."""
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, disable=not console.is_terminal) as progress:
        task = progress.add_task(words, total=total)
        yield lambda done: progress.advance(task, done)


@contextmanager
def silent(words: str, total: int) -> Iterator[Advance]:
    """No bar."""
    yield lambda done: None
