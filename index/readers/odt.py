"""OpenDocument texts: paragraphs, headings, lists and tables in order."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from index.document import Document
from index.errors import UnreadableDocumentError
from index.readers.block_text import BlockText, BuiltText, collapse
from index.readers.source_file import SourceFile
from index.readers.titles import choose_title, heading_line, parse_date
from index.readers.zip_container import DAMAGE, open_zip, parse_xml

_NAMESPACES: Final = {
    "text": "urn:oasis:names:tc:opendocument:xmlns:text:1.0",
    "table": "urn:oasis:names:tc:opendocument:xmlns:table:1.0",
    "office": "urn:oasis:names:tc:opendocument:xmlns:office:1.0",
    "style": "urn:oasis:names:tc:opendocument:xmlns:style:1.0",
    "fo": "urn:oasis:names:tc:opendocument:xmlns:xsl-fo-compatible:1.0",
    "dc": "http://purl.org/dc/elements/1.1/",
    "meta": "urn:oasis:names:tc:opendocument:xmlns:meta:1.0",
}
_MEDIA_TYPE: Final = "application/vnd.oasis.opendocument.text"
_DAMAGED: Final = "is damaged or no OpenDocument text: open it in a word processor and save it again as .odt"
_MOST_SPACES: Final = 100
_TINY: Final = ("0pt", "1pt", "0.5pt", "0in", "0cm")


def _name(short: str) -> str:
    prefix, local = short.split(":")
    return f"{{{_NAMESPACES[prefix]}}}{local}"


_HEADING, _PARAGRAPH, _LIST_ITEM = _name("text:h"), _name("text:p"), _name("text:list-item")
_ROW, _CELL, _TABLE = _name("table:table-row"), _name("table:table-cell"), _name("table:table")
_STYLE_NAME: Final = _name("text:style-name")
_SKIPPED: Final = {_name("text:tracked-changes"), _name("office:annotation-end"), _name("office:forms")}
_HIDDEN: Final = {_name("text:hidden-text"), _name("text:hidden-paragraph")}
_SPACING: Final = {_name("text:tab"): " ", _name("text:line-break"): "\n"}


def read_odt(source: SourceFile) -> Iterator[Document]:
    """Yield the file as one document, titled by its properties or its first heading."""
    content = source.read()
    try:
        with open_zip(content) as archive:
            if b"encryption-data" in archive.read("META-INF/manifest.xml"):
                raise UnreadableDocumentError("is encrypted: save it without a password")
            body = parse_xml(archive.read("content.xml"))
            meta = parse_xml(archive.read("meta.xml")) if "meta.xml" in archive.namelist() else None
        built = _Walk(body).built()
    except DAMAGE as error:
        raise UnreadableDocumentError(_DAMAGED) from error
    if not built.text:
        raise UnreadableDocumentError("has no text that can be seen" if built.hidden else "has no text")

    def declared(name: str) -> str | None:
        return None if meta is None else meta.findtext(f".//{_name(name)}")

    headings = [section.title for section in built.sections[:1]]
    title = choose_title(source.document_id, declared("dc:title"), *headings, heading_line(built.text))
    date = parse_date(declared("dc:date") or declared("meta:creation-date"))
    yield source.document(content, title, built, _MEDIA_TYPE, date)


class _Walk:
    def __init__(self, document: Any) -> None:
        self._out = BlockText()
        self._hiding = {
            style.get(_name("style:name"))
            for style in document.iter(_name("style:style"))
            for properties in style.iter(_name("style:text-properties"))
            if _hides(properties)
        }
        body = document.find(f".//{_name('office:text')}")
        if body is None:
            raise ValueError("no text")
        self._write_blocks(body)

    def built(self) -> BuiltText:
        return self._out.build()

    def _write_blocks(self, parent: Any) -> None:
        for element in parent:
            if element.tag == _HEADING:
                self._out.start_heading(int(element.get(_name("text:outline-level"), "1")))
                self._write_lines(element)
                self._out.end_heading()
            elif element.tag == _PARAGRAPH:
                in_list = parent.tag == _LIST_ITEM
                if not in_list:
                    self._out.end_block()
                self._write_lines(element)
                if not in_list:
                    self._out.end_block()
            elif element.tag == _TABLE:
                self._out.end_block()
                for row in element.iter(_ROW):
                    self._out.write_row([self._words(cell) for cell in row.iterchildren(_CELL)])
                self._out.end_block()
            elif element.tag == _LIST_ITEM:
                self._out.start_item("- ")
                self._write_blocks(element)
                self._out.start_item("")
            elif element.tag not in _SKIPPED and element.tag not in _HIDDEN:
                self._write_blocks(element)

    def _write_lines(self, paragraph: Any) -> None:
        for line in self._inline(paragraph).split("\n"):
            self._out.write(line)
            self._out.end_line()

    def _words(self, cell: Any) -> str:
        return collapse(" ".join(self._inline(paragraph) for paragraph in cell.iter(_PARAGRAPH, _HEADING)))

    def _inline(self, element: Any) -> str:
        """Return the words of a paragraph; what is hidden and what are comments go their own ways."""
        everything = "".join(element.itertext())
        if element.get(_STYLE_NAME) in self._hiding or element.tag in _HIDDEN:
            self._out.hide(everything or element.get(_name("text:string-value"), ""))
            return ""
        if element.tag == _name("office:annotation"):
            self._out.note_unseen(everything)
            return ""
        if element.tag == _name("text:s"):
            return " " * min(int(element.get(_name("text:c"), "1")), _MOST_SPACES)
        if element.tag in _SPACING:
            return _SPACING[element.tag]
        if element.tag in _SKIPPED or not isinstance(element.tag, str):
            return ""
        words = [element.text or ""]
        for child in element:
            words += [self._inline(child), child.tail or ""]
        return "".join(words)


def _hides(properties: Any) -> bool:
    is_white = properties.get(_name("fo:color"), "").lower() == "#ffffff"
    behind = properties.get(_name("fo:background-color"), "transparent")
    vanishes = properties.get(_name("text:display")) == "none"
    tiny = properties.get(_name("fo:font-size"), "") in _TINY
    return vanishes or tiny or (is_white and behind in {"transparent", "#ffffff"})
