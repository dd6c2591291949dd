"""From bytes to text: which characters a file without a label means, and whether it is text at all.

Plain text, stored exactly as it stands in the file.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from typing import Final

from charset_normalizer import from_bytes

from index.document import Document
from index.errors import UnreadableDocumentError
from index.readers.block_text import BuiltText
from index.readers.source_file import SourceFile
from index.readers.titles import choose_title, heading_line

_BYTE_ORDER_MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # before UTF-16, whose mark is the first half of this one
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_SIGNATURES: Final = (
    (b"\x89PNG\r\n", "a PNG picture"),
    (b"\xff\xd8\xff", "a JPEG picture"),
    (b"PK\x03\x04", "a zip archive or an office document"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an old office document"),
    (b"%PDF-", "a PDF"),
    (b"\x7fELF", "a program"),
    (b"MZ\x90\x00", "a program"),
    (b"\x1f\x8b\x08", "a gzip archive"),
    (b"SQLite format 3\x00", "a database"),
)
# Few on purpose: each further one takes text away from the others when a file is short.
_CANDIDATES: Final = ["big5hkscs", "gb18030", "cp932", "cp949", "cp1251", "cp1252"]
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1a\x1c-\x1f\x7f\x80-\x9f]")
_CONTROL_SHARE: Final = 0.01
_VALID_TO_BROKEN: Final = 10
_NUL_SHARE: Final = 0.3  # of the bytes of unmarked UTF-16; a stray NUL in other text is far below
_UNKNOWN: Final = "is in a character encoding that cannot be told: save it as UTF-8"
_BINARY: Final = "is not text but binary data: save its contents as text"


def decode(content: bytes) -> str:
    r"""Return the text of a file with `\n` line ends and without a byte order mark.

    UTF-8 with a few broken bytes stays UTF-8 with U+FFFD in their place.

    Raises:
        UnreadableDocumentError: It is not text, or its encoding cannot be told.
    """
    for signature, kind in _SIGNATURES:
        if content.startswith(signature):
            raise UnreadableDocumentError(f"is not text but {kind}: give it its right suffix, or save it as text")
    text = normalise_newlines(_decode_any(content))
    if "\x00" in text or len(_CONTROL.findall(text)) > 1 + _CONTROL_SHARE * len(text):
        raise UnreadableDocumentError(_BINARY)
    return text


def normalise_newlines(text: str) -> str:
    r"""Return the text with `\r\n` and `\r` as `\n`, as Python reads text files."""
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _decode_any(content: bytes) -> str:
    for mark, encoding in _BYTE_ORDER_MARKS:
        if content.startswith(mark):
            return content[len(mark) :].decode(encoding, "replace")
    if b"\x00" in content:
        return _decode_unmarked_utf16(content)
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        return _decode_nearly_utf8(content) or _decode_by_statistics(content)


def _decode_unmarked_utf16(content: bytes) -> str:
    """Western text in UTF-16 has a NUL in every other byte; anything else with NULs is binary."""
    high, low = content[::2].count(0), content[1::2].count(0)
    if min(high, low) or len(content) % 2 or max(high, low) < _NUL_SHARE * len(content):
        raise UnreadableDocumentError(_BINARY)
    try:
        return content.decode("utf-16-be" if high else "utf-16-le")
    except UnicodeDecodeError as error:
        raise UnreadableDocumentError(_BINARY) from error


def _decode_nearly_utf8(content: bytes) -> str | None:
    text = content.decode("utf-8", "replace")
    broken = text.count("\N{REPLACEMENT CHARACTER}")
    beyond_ascii = sum(character > "\x7f" for character in text)
    return text if beyond_ascii - broken >= _VALID_TO_BROKEN * broken else None


def _decode_by_statistics(content: bytes) -> str:
    guess = from_bytes(content, cp_isolation=_CANDIDATES).best()
    if guess is None:
        raise UnreadableDocumentError(_UNKNOWN)
    try:
        return content.decode(guess.encoding)
    except UnicodeDecodeError as error:
        raise UnreadableDocumentError(_UNKNOWN) from error


def read_plain_text(source: SourceFile) -> Iterator[Document]:
    r"""Yield the file as one document; only line ends (to `\n`) and a byte order mark are changed."""
    content = source.read()
    text = decode(content)
    yield source.document(content, choose_title(source.document_id, heading_line(text)), BuiltText(text), "text/plain")
