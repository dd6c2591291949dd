"""Processes that open Chroma in the place of this one: forked from a server that has imported it.

Chroma does not fail on bad files, it may end the process that opens them (chroma-core/chroma#7238): here that is a
sentence. And it writes to the disk what it finds in memory it was given: a process that has seen no text writes none.
"""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable
from contextlib import closing
from multiprocessing import forkserver
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerContext
from typing import Any, Final

from index.errors import IndexingError

_PRELOADED: Final = ["index.generation.check", "index.generation.write", "index.search.vectors"]

Work = Callable[..., str]


def get_ready() -> ForkServerContext:
    """Have the server start and import, while this process does something else."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(_PRELOADED)
    forkserver.ensure_running()
    return context


class Child:
    """A process that does one thing.

    Args:
        work: Called in the process with a connection to receive from, and the arguments; returns what went wrong.
        arguments: Can be pickled.
    """

    def __init__(self, work: Work, *arguments: object) -> None:
        context = get_ready()
        given, self._giving = context.Pipe(duplex=False)
        self._answer, answering = context.Pipe(duplex=False)
        self._process = context.Process(target=_work, args=(work, given, answering, arguments), daemon=True)
        self._process.start()
        given.close()
        answering.close()

    def give(self, something: object) -> None:
        """Send the process something; it may have ended already, which `end` tells."""
        try:
            self._giving.send(something)
        except BrokenPipeError:
            return

    def end(self) -> None:
        """Wait until it has done its work.

        Raises:
            IndexingError: It failed, or died.
        """
        self._giving.close()
        with closing(self._answer):
            try:
                problem = self._answer.recv()
            except EOFError:
                self._process.join()
                problem = f"a process that opened Chroma ended with code {self._process.exitcode}"
        self._process.join()
        if problem:
            raise IndexingError(problem)


def _work(work: Work, given: Connection, answering: Connection, arguments: tuple[Any, ...]) -> None:
    try:
        answering.send(work(given, *arguments))
    except EOFError:
        return  # whoever wanted it is gone
    except (IndexingError, OSError) as error:
        answering.send(str(error))
