"""From a file's name to the reader of its format."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from index.document import Document
from index.readers.corpus import read_corpus
from index.readers.csv import read_csv
from index.readers.docx import read_docx
from index.readers.html import read_html
from index.readers.markdown import read_markdown
from index.readers.pdf import read_pdf
from index.readers.plain_text import read_plain_text
from index.readers.source import Source, Unreadable

_READERS: Final[dict[str, Callable[[Source], Iterator[Document | Unreadable]]]] = {
    ".csv": read_csv,
    ".docx": read_docx,
    ".htm": read_html,
    ".html": read_html,
    ".jsonl": read_corpus,
    ".markdown": read_markdown,
    ".md": read_markdown,
    ".pdf": read_pdf,
    ".text": read_plain_text,
    ".tsv": read_csv,
    ".txt": read_plain_text,
}
# Raise when the same file would give another text: every file is then read again.
READERS_VERSION: Final = "1"
SUPPORTED_SUFFIXES: Final = frozenset(_READERS)


def is_supported(path: Path) -> bool:
    """Return whether there is a reader for files with this suffix, in capitals or not."""
    return path.suffix.lower() in SUPPORTED_SUFFIXES


def read_file(path: Path, document_id: str, *, maximum_bytes: int) -> Iterator[Document | Unreadable]:
    """Read one file: one document, or one for each row of a `.jsonl` corpus.

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
    yield from _READERS[path.suffix.lower()](Source(path, document_id, maximum_bytes))
