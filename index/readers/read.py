"""From a file's name to the reader of its format."""

from __future__ import annotations

import pkgutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from index.document import Document
from index.readers.source_file import SourceFile, StillReading, Unreadable

# Named, not imported: a parser costs memory and time, and most folders hold few formats.
_READERS: Final = {
    ".csv": "tables:read_csv",
    ".docx": "docx:read_docx",
    ".eml": "email:read_email",
    ".epub": "epub:read_epub",
    ".htm": "html:read_html",
    ".html": "html:read_html",
    ".jsonl": "corpus:read_corpus",
    ".markdown": "markdown:read_markdown",
    ".md": "markdown:read_markdown",
    ".odt": "odt:read_odt",
    ".pdf": "pdf:read_pdf",
    ".pptx": "pptx:read_pptx",
    ".text": "text_file:read_plain_text",
    ".tsv": "tables:read_csv",
    ".txt": "text_file:read_plain_text",
    ".xlsx": "xlsx:read_xlsx",
}
# Raise when the same file would give another text: every file is then read again.
READERS_VERSION: Final = "2"
SUPPORTED_SUFFIXES: Final = frozenset(_READERS)


def is_supported(path: Path) -> bool:
    """Return whether there is a reader for files with this suffix, in capitals or not."""
    return path.suffix.lower() in SUPPORTED_SUFFIXES


def read_file(path: Path, document_id: str, *, maximum_bytes: int) -> Iterator[Document | Unreadable]:
    """Read one file in this process: one document, or one for each row of a `.jsonl` corpus.

    Files of unknown origin are read by `index.readers.process.ReadingProcess`, which does the same in a child.
    Nothing is opened before the first step of the iteration, and a corpus is read row by row.

    Args:
        path: A file for which `is_supported` is true.
        document_id: Id of the document; for a corpus it only names the source of bad rows.
        maximum_bytes: A larger file is refused.

    Yields:
        Documents, and for each part of the file that cannot be read (a corpus row, a PDF page) what is wrong with it.

    Raises:
        UnreadableDocumentError: Nothing in the file can be read. The message is the reason, without the file's name.
    """
    for part in read_parts(path, document_id, maximum_bytes=maximum_bytes):
        if not isinstance(part, StillReading):
            yield part


def read_parts(path: Path, document_id: str, *, maximum_bytes: int) -> Iterator[Document | Unreadable | StillReading]:
    """Read one file as `read_file` does, with signs of life from readers that take long."""
    read: Callable[[SourceFile], Iterator[Document | Unreadable | StillReading]] = pkgutil.resolve_name(
        f"index.readers.{_READERS[path.suffix.lower()]}"
    )
    yield from read(SourceFile(path, document_id, maximum_bytes))
