"""A file to be read, the document made of it, and the parts that could not be read."""

from __future__ import annotations

import datetime
import hashlib
import re
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from index.document import Document
from index.errors import UnreadableDocumentError
from index.readers.block_text import BuiltText
from index.readers.prompt_injection import is_planted, marks_of
from index.readers.titles import readable_name

_UNSTORABLE = re.compile(r"[\x00\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A part of a file that was left out while the rest was read.

    Attributes:
        source: Where it is, such as `corpus.jsonl, line 7`.
        reason: What is wrong with it and what to do, one clause.
    """

    source: str
    reason: str


@dataclass(frozen=True, slots=True)
class StillReading:
    """A sign of life from a reader that does slow work on purpose."""


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A file on disk that a reader turns into documents."""

    path: Path
    document_id: str
    maximum_bytes: int

    def read(self) -> bytes:
        """Return the file's bytes.

        Raises:
            UnreadableDocumentError: It is no regular file, may not be read, is empty or is too large.
        """
        self._check()
        try:
            with self.path.open("rb") as file:
                content = file.read(self.maximum_bytes + 1)
        except OSError as error:
            raise UnreadableDocumentError(describe(error)) from error
        if len(content) > self.maximum_bytes:
            raise UnreadableDocumentError(_too_large(self.maximum_bytes))
        if not content.strip():
            raise UnreadableDocumentError("is empty")
        return content

    def lines(self) -> Iterator[tuple[int, bytes]]:
        """Yield each line that is not blank with its number (from 1), without holding the whole file.

        Raises:
            UnreadableDocumentError: As for `read`, except that an empty file has no lines.
        """
        self._check()
        try:
            with self.path.open("rb") as file:
                for number, line in enumerate(file, start=1):
                    if line.strip():
                        yield number, line
        except OSError as error:
            raise UnreadableDocumentError(describe(error)) from error

    def document(
        self, content: bytes, title: str, built: BuiltText, media_type: str, date: datetime.date | None = None
    ) -> Document:
        """Return the document with what no database stores (NUL, lone surrogates) replaced, lengths unchanged.

        A title that speaks to a machine gives way to the file's name.
        """
        text = storable(built.text)
        marks = marks_of(text, built, title)
        return Document(
            document_id=self.document_id,
            title=readable_name(self.document_id) if is_planted(title) else title,
            text=text,
            media_type=media_type,
            source_hash=hashlib.sha256(content).hexdigest(),
            pages=built.pages,
            sections=tuple(section for section in built.sections if not is_planted(section.title)),
            date=date,
            marks=marks,
        )

    def _check(self) -> None:
        try:
            self.document_id.encode()
        except UnicodeEncodeError as error:
            raise UnreadableDocumentError("has a name that is not valid text: rename it") from error
        try:
            status = self.path.stat()
        except OSError as error:
            raise UnreadableDocumentError(describe(error)) from error
        if stat.S_ISDIR(status.st_mode):
            raise UnreadableDocumentError("is a folder with the name of a document: rename it")
        if not stat.S_ISREG(status.st_mode):
            raise UnreadableDocumentError("is not a regular file: put a copy of the document in its place")
        if status.st_size > self.maximum_bytes:
            raise UnreadableDocumentError(_too_large(self.maximum_bytes))


def storable(text: str) -> str:
    """Return the text with every NUL and lone surrogate replaced by U+FFFD, one for one."""
    return _UNSTORABLE.sub("\N{REPLACEMENT CHARACTER}", text)


def _too_large(maximum_bytes: int) -> str:
    return f"is larger than {maximum_bytes:,} bytes: split it, or raise the limit"


def describe(error: OSError) -> str:
    """Return why a file or folder cannot be read, and what to do."""
    if isinstance(error, FileNotFoundError):
        return "is not there: it was removed, or it is a broken link"
    if isinstance(error, PermissionError):
        return "may not be opened: give yourself permission to read it"
    return f"cannot be read from the disk: {error.strerror or error}"
