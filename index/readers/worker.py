"""No network for this process: its own empty network where the kernel gives one, and no sockets in Python.

The process that reads files, one after another, for the one that started it:

    python -m index.readers.worker LIMITS

LIMITS is a `ReadingLimits` as JSON. A request is a line of JSON; what it leads to is a run of `WorkerReply` frames. The
parsers of a format are imported with its first file. An error that nobody expected ends the process, and the one that
started it says so of the file.
"""

from __future__ import annotations

import ctypes
import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from index.document import Document
from index.errors import UnreadableDocumentError
from index.readers.process import WorkerReply
from index.readers.read import read_parts
from index.readers.reading_limits import (
    OUT_OF_MEMORY,
    TOO_MUCH_MEMORY,
    ReadingLimits,
    allow,
    allow_time,
    peak_memory,
    write_nothing,
)
from index.readers.source_file import Unreadable

_NEW_NETWORK: Final = 0x40000000
_NEW_USER: Final = 0x10000000


def cut_off_network() -> bool:
    """Leave the network for good; return whether the kernel did it too, so that no library in C gets round it."""
    sys.addaudithook(_refuse_sockets)
    try:
        unshare = ctypes.CDLL(None).unshare
    except (OSError, AttributeError):  # no Linux
        return False
    # Whoever may not leave alone may often do so as another user; that one may read only what this one owns.
    return not unshare(_NEW_NETWORK) or not unshare(_NEW_NETWORK | _NEW_USER)


def _refuse_sockets(event: str, _arguments: tuple[object, ...]) -> None:
    if event.startswith("socket."):
        raise PermissionError(f"a document asked for the network ({event})")


_WORN_BYTES: Final = 400_000_000
_ROOM_TO_REPLY: Final = 50_000_000
_LONGEST_HELD: Final = 0.05  # seconds


def main() -> None:
    """Serve requests until there are no more."""
    limits = ReadingLimits(**json.loads(sys.argv[1]))
    outbound = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # what a parser prints is no reply
    cut_off_network()
    write_nothing()

    flushed = time.monotonic()

    def send(reply: WorkerReply) -> None:
        nonlocal flushed
        outbound.write(reply.to_frame())
        if reply.document is None or time.monotonic() - flushed > _LONGEST_HELD:  # rows of a corpus go in lots
            outbound.flush()
            flushed = time.monotonic()

    send(WorkerReply())
    for line in sys.stdin.buffer:
        _serve(json.loads(line), limits, send)


def _serve(request: dict[str, str | int], limits: ReadingLimits, send: Callable[[WorkerReply], None]) -> None:
    path = Path(str(request["path"]))
    size = int(request["size"])
    allow(limits.memory_for(size))
    allow_time(limits.seconds_for(size))
    try:
        for reply in _replies(path, request, limits.text_for(size)):
            send(reply)
            allow_time(limits.seconds_for(size))
        last = WorkerReply(finished=True, worn=peak_memory() > _WORN_BYTES)
    except UnreadableDocumentError as error:
        last = WorkerReply(refused=str(error), finished=True, worn=peak_memory() > _WORN_BYTES)
    except (MemoryError, ImportError):  # a parser that is loaded where there is no room is "not found"
        allow(limits.memory_for(size) + _ROOM_TO_REPLY)
        last = WorkerReply(refused=TOO_MUCH_MEMORY, finished=True, worn=True)
    send(last)


def _replies(path: Path, request: dict[str, str | int], text_bytes: int) -> Iterator[WorkerReply]:
    for part in read_parts(path, str(request["document_id"]), maximum_bytes=int(request["maximum_bytes"])):
        if isinstance(part, Unreadable):
            yield WorkerReply(unreadable=part)
        elif isinstance(part, Document):
            if len(part.text) > text_bytes:
                raise UnreadableDocumentError(f"has more than {text_bytes:,} characters of text: split it")
            yield WorkerReply(document=part)
        else:
            yield WorkerReply()


if __name__ == "__main__":
    try:
        main()
    except MemoryError:
        os._exit(OUT_OF_MEMORY)
