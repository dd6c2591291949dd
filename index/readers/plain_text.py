"""Plain text, stored exactly as it stands in the file."""

from __future__ import annotations

from collections.abc import Iterator

from index.document import Document
from index.readers.block_text import BuiltText
from index.readers.encoding import decode
from index.readers.source import Source
from index.readers.titles import choose_title, heading_line


def read_plain_text(source: Source) -> Iterator[Document]:
    r"""Yield the file as one document; only line ends (to `\n`) and a byte order mark are changed."""
    content = source.read()
    text = decode(content)
    yield source.document(content, choose_title(source.document_id, heading_line(text)), BuiltText(text), "text/plain")
