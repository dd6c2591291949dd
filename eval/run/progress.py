"""How far a long command has come, on stderr: a bar in a terminal, a line now and then in a file."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

_SECONDS_BETWEEN_LINES = 30.0


@contextmanager
def show_progress(title: str, total: int) -> Iterator[Callable[[], None]]:
    """Yield a function to be called after each step."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield _lines(title, total, console)
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task(title, total=total)
        yield lambda: progress.advance(task)


def _lines(title: str, total: int, console: Console) -> Callable[[], None]:
    started = told = time.monotonic()
    done = 0
    console.print(f"{title}: {total}", markup=False, highlight=False)

    def advance() -> None:
        nonlocal done, told
        done += 1
        now = time.monotonic()
        if now - told >= _SECONDS_BETWEEN_LINES:
            told = now
            minutes = (now - started) / done * (total - done) / 60
            console.print(f"{title}: {done} of {total}, about {minutes:.0f} min left", markup=False, highlight=False)

    return advance
