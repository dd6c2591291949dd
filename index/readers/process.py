"""What the process that reads says of a file, and how it crosses the pipe: JSON with its length before it.

Reading files in a process of its own, so that no file can harm the one that asks.

A file that crashes its parser, never ends, or eats the memory costs one clear line; the next file gets a new process.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import struct
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from pydantic import TypeAdapter, ValidationError

from index.document import Document
from index.errors import IndexingError, UnreadableDocumentError
from index.readers.reading_limits import OUT_OF_MEMORY, TOO_MUCH_MEMORY, ReadingLimits
from index.readers.source_file import Unreadable

LENGTH: Final = struct.Struct(">Q")


@dataclass(frozen=True, slots=True)
class WorkerReply:
    """One thing said; a sign of life where it holds nothing.

    Attributes:
        refused: Why nothing, or nothing more, in the file can be read.
        finished: Nothing more follows for this file.
        worn: The process has grown so large that it should be replaced.
    """

    document: Document | None = None
    unreadable: Unreadable | None = None
    refused: str | None = None
    finished: bool = False
    worn: bool = False

    def to_frame(self) -> bytes:
        """Return the reply as it is sent."""
        content = json.dumps(asdict(self), ensure_ascii=False, default=str).encode("utf-8", "replace")
        return LENGTH.pack(len(content)) + content


_STARTING_SECONDS: Final = 60.0
_READ_AT_ONCE: Final = 1 << 20
# JSON writes a control character in six bytes.
_MOST_BYTES_A_CHARACTER: Final = 6
# A parser needs no secret of ours, no proxy and no token.
_PASSED_ON: Final = ("PATH", "HOME", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "PYTHONPATH", "TESSDATA_PREFIX")
_REPLIES: Final = TypeAdapter(WorkerReply)
_OPEN_AND_SAVE: Final = "open it in its program and save it again, or split it"


class ReadingProcess:
    """Reads files one after another in a child that is started when it is needed and replaced when it dies.

    Not safe under threads.
    """

    def __init__(self, limits: ReadingLimits | None = None) -> None:
        self._limits = limits or ReadingLimits()
        self._child: _Child | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the child. Closing twice is no error, and reading starts a new one."""
        if self._child is not None:
            self._child.end()
            self._child = None

    @property
    def process_id(self) -> int | None:
        """Of the child, or None while there is none."""
        return self._child.process_id if self._child else None

    def read_file(self, path: Path, document_id: str, *, maximum_bytes: int) -> Iterator[Document | Unreadable]:
        """Read one file as `index.readers.read_file` does; the child waits where nobody takes what it has read.

        Raises:
            UnreadableDocumentError: Nothing, or nothing more, in the file can be read, or reading it takes too much
                time, memory or text, or kills its parser. The message is the reason, without the file's name.
            IndexingError: No process can be started.
        """
        try:
            size = path.stat().st_size
        except OSError:
            size = 0  # the child says what is wrong
        size = min(size, maximum_bytes)
        child = self._child = self._child or _Child(self._limits)
        last = WorkerReply()
        try:
            child.ask({"path": str(path), "document_id": document_id, "maximum_bytes": maximum_bytes, "size": size})
            while not last.finished:
                last = child.receive(self._limits.seconds_for(size), self._limits.text_for(size))
                if last.refused is not None:
                    raise UnreadableDocumentError(last.refused)
                if last.document is not None:
                    yield last.document
                if last.unreadable is not None:
                    yield last.unreadable
        finally:
            if last.worn or not last.finished:
                self.close()


class _Child:
    def __init__(self, limits: ReadingLimits) -> None:
        self._received = bytearray()
        environment = {variable: os.environ[variable] for variable in _PASSED_ON if variable in os.environ}
        command = [sys.executable, "-P", "-B", "-m", "index.readers.worker", json.dumps(asdict(limits))]
        try:
            self._process = subprocess.Popen(  # noqa: S603  # fixed arguments, no shell
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env=environment,
                start_new_session=True,  # what it starts ends with it, and an interrupt is ours to pass on
            )
            self.receive(_STARTING_SECONDS, _READ_AT_ONCE)
        except (OSError, UnreadableDocumentError) as error:
            raise IndexingError(
                f"The process that reads documents does not start ({error}): free some memory and run it again."
            ) from error

    @property
    def process_id(self) -> int:
        return self._process.pid

    def ask(self, request: dict[str, str | int]) -> None:
        assert self._process.stdin is not None, "started with a pipe"
        with contextlib.suppress(BrokenPipeError):  # that it is dead is noticed when it does not reply
            self._process.stdin.write(json.dumps(request).encode() + b"\n")
            self._process.stdin.flush()

    def receive(self, seconds: float, text_bytes: int) -> WorkerReply:
        """Return the next reply, waiting for it no longer than this.

        Raises:
            UnreadableDocumentError: It is dead, too slow, or says too much.
        """
        until = time.monotonic() + seconds
        length: int = LENGTH.unpack(self._read(LENGTH.size, until))[0]
        if length > _MOST_BYTES_A_CHARACTER * text_bytes:
            raise UnreadableDocumentError(f"has more than {text_bytes:,} characters of text: split it")
        try:
            return _REPLIES.validate_json(self._read(length, until))
        except ValidationError as error:
            raise UnreadableDocumentError(f"makes its parser talk nonsense: {_OPEN_AND_SAVE}") from error

    def end(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            assert pipe is not None, "started with pipes"
            with contextlib.suppress(BrokenPipeError):
                pipe.close()

    def _read(self, length: int, until: float) -> bytes:
        assert self._process.stdout is not None, "started with a pipe"
        pipe = self._process.stdout.fileno()
        while len(self._received) < length:
            ready, _, _ = select.select([pipe], [], [], max(0.0, until - time.monotonic()))
            if not ready:
                raise UnreadableDocumentError(_too_slow())
            some = os.read(pipe, _READ_AT_ONCE)
            if not some:
                raise UnreadableDocumentError(_why_dead(self._process.wait()))
            self._received += some
        content = bytes(self._received[:length])
        del self._received[:length]
        return content


def _too_slow() -> str:
    return f"takes too long to read: {_OPEN_AND_SAVE}"


def _why_dead(status: int) -> str:
    if status == -signal.SIGXCPU:
        return _too_slow()
    if status == -signal.SIGKILL:
        return f"was stopped by the system while it was read, which may lack memory: {_OPEN_AND_SAVE}"
    if status == OUT_OF_MEMORY:
        return TOO_MUCH_MEMORY
    how = signal.Signals(-status).name if status < 0 else f"exit status {status}"
    return f"crashes its parser ({how}): {_OPEN_AND_SAVE}"
