"""Office documents and e-books are zip archives: one check of what they unpack to, and XML that loads nothing."""

from __future__ import annotations

import io
import zipfile
import zlib
from typing import Any, Final

from lxml import etree

from index.errors import UnreadableDocumentError

_MAXIMUM_PARTS: Final = 10_000
_MAXIMUM_UNPACKED_BYTES: Final = 500_000_000
_SMALL_BYTES: Final = 20_000_000  # below this, nobody minds how well it was packed
_MAXIMUM_RATIO: Final = 100
OLE_SIGNATURE: Final = b"\xd0\xcf\x11\xe0"
# What zipfile, lxml and the office libraries raised when mutated files were read; a locked entry is a RuntimeError.
DAMAGE: Final = (
    zipfile.BadZipFile,
    zlib.error,
    etree.LxmlError,
    ArithmeticError,
    AssertionError,
    AttributeError,
    EOFError,
    LookupError,
    NotImplementedError,
    OSError,
    RuntimeError,
    TypeError,
    ValueError,
)


def open_zip(content: bytes) -> zipfile.ZipFile:
    """Return the archive, unless it is a zip bomb by what its directory declares; `zipfile` never unpacks more.

    Raises:
        UnreadableDocumentError: It unpacks to too much.
        zipfile.BadZipFile: It is no archive.
    """
    archive = zipfile.ZipFile(io.BytesIO(content))
    parts = archive.infolist()
    unpacked = sum(part.file_size for part in parts)
    too_dense = unpacked > max(_SMALL_BYTES, _MAXIMUM_RATIO * len(content))
    if len(parts) > _MAXIMUM_PARTS or unpacked > _MAXIMUM_UNPACKED_BYTES or too_dense:
        raise UnreadableDocumentError("unpacks to more than is safe to read: save it without pictures, or split it")
    return archive


def parse_xml(content: bytes) -> Any:
    """Return the root element of an XML part; entities stay as they are and nothing is loaded.

    Raises:
        etree.XMLSyntaxError: It is not well-formed, or nested too deep.
    """
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    return etree.fromstring(content, parser)
