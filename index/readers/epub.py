"""E-books: the chapters of the spine, in the order in which they are read."""

from __future__ import annotations

import posixpath
import zipfile
from collections.abc import Iterator
from typing import Any, Final
from urllib.parse import unquote

from index.document import Document
from index.errors import UnreadableDocumentError
from index.readers.block_text import BlockText
from index.readers.html import decode_html, write_html
from index.readers.source_file import SourceFile
from index.readers.titles import choose_title, parse_date
from index.readers.zip_container import DAMAGE, open_zip, parse_xml

_CONTAINER: Final = "{urn:oasis:names:tc:opendocument:xmlns:container}"
_PACKAGE: Final = "{http://www.idpf.org/2007/opf}"
_DUBLIN: Final = "{http://purl.org/dc/elements/1.1/}"
_PAGES: Final = ("application/xhtml+xml", "text/html")


def read_epub(source: SourceFile) -> Iterator[Document]:
    """Yield the book as one document; its headings, or failing them its chapters, are the sections."""
    content = source.read()
    out = BlockText()
    try:
        with open_zip(content) as archive:
            if "META-INF/rights.xml" in archive.namelist():
                raise UnreadableDocumentError("is protected against copying (DRM): use a copy without protection")
            package_path = _package_path(archive)
            package = parse_xml(archive.read(package_path))
            for path in _spine(package, posixpath.dirname(package_path)):
                out.end_block()
                write_html(decode_html(archive.read(path)), out)
    except DAMAGE as error:
        raise UnreadableDocumentError("is damaged or no EPUB: open it in a reader and export it again") from error
    built = out.build()
    if not built.text:
        raise UnreadableDocumentError("has no text: it may hold only pictures")
    title = choose_title(source.document_id, package.findtext(f".//{_DUBLIN}title"))
    date = parse_date(package.findtext(f".//{_DUBLIN}date"))
    yield source.document(content, title, built, "application/epub+zip", date)


def _package_path(archive: zipfile.ZipFile) -> str:
    container = parse_xml(archive.read("META-INF/container.xml"))
    rootfile = next(container.iter(f"{_CONTAINER}rootfile"), None)
    if rootfile is None:
        raise ValueError("no package")
    return str(rootfile.get("full-path", ""))


def _spine(package: Any, folder: str) -> Iterator[str]:
    """Yield the names of the chapters in the archive; a navigation page is no chapter."""
    items = {item.get("id"): item for item in package.iter(f"{_PACKAGE}item")}
    for reference in package.iter(f"{_PACKAGE}itemref"):
        item = items[reference.get("idref")]
        if item.get("media-type") in _PAGES and "nav" not in item.get("properties", "").split():
            yield posixpath.normpath(posixpath.join(folder, unquote(item.get("href", ""))))
