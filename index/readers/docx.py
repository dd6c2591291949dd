"""Word documents: paragraphs, lists and tables in the order of the page."""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

import docx
from docx.opc.exceptions import OpcError
from docx.oxml.exceptions import XmlchemyError
from docx.oxml.ns import qn
from lxml.etree import XMLSyntaxError

from index.document import Document
from index.errors import UnreadableDocumentError
from index.readers.block_text import BlockText, collapse
from index.readers.source import Source
from index.readers.titles import choose_title, heading_line

if TYPE_CHECKING:
    from docx.document import Document as WordDocument

_MEDIA_TYPE: Final = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
_MAXIMUM_PARTS: Final = 10_000
_MAXIMUM_UNPACKED_BYTES: Final = 500_000_000
_SMALL_BYTES: Final = 20_000_000  # below this, nobody minds how well it was packed
_MAXIMUM_RATIO: Final = 100
# What zipfile, lxml and python-docx raised when mutated files were read; a locked zip entry is a RuntimeError.
_DAMAGE: Final = (
    zipfile.BadZipFile,
    zlib.error,
    OpcError,
    XMLSyntaxError,
    XmlchemyError,
    AttributeError,
    EOFError,
    LookupError,
    NotImplementedError,
    RuntimeError,
    TypeError,
    ValueError,
)
_OLE_SIGNATURE: Final = b"\xd0\xcf\x11\xe0"
_NOT_WORD: Final = "is damaged or no Word document: open it in a word processor and save it again as .docx"
_PROPERTIES: Final = qn("w:pPr")
_PARAGRAPH, _TABLE, _ROW, _CELL = qn("w:p"), qn("w:tbl"), qn("w:tr"), qn("w:tc")
_TEXT: Final = qn("w:t")
_SPACING: Final = {qn("w:tab"): "\t", qn("w:br"): "\n", qn("w:cr"): "\n", qn("w:noBreakHyphen"): "-"}
# A second copy of a text box, deleted text, and the place that moved text came from.
_SKIPPED: Final = {
    "{http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback",
    qn("w:del"),
    qn("w:moveFrom"),
}


def read_docx(source: Source) -> Iterator[Document]:
    """Yield the file as one document, titled by its properties, its first heading or its first line."""
    content = source.read()
    if content.startswith(_OLE_SIGNATURE):
        raise UnreadableDocumentError("is encrypted or an old Word document: save it as .docx without a password")
    try:
        _check_size(content)
        word = docx.Document(io.BytesIO(content))
        text, heading = _render(word)
        declared = word.core_properties.title
    except _DAMAGE as error:
        raise UnreadableDocumentError(_NOT_WORD) from error
    if not text:
        raise UnreadableDocumentError("has no text")
    yield source.document(
        content, choose_title(source.document_id, declared, heading, heading_line(text)), text, _MEDIA_TYPE
    )


def _check_size(content: bytes) -> None:
    """Refuse a zip bomb by what its directory declares; `zipfile` never unpacks more than that."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        parts = archive.infolist()
    unpacked = sum(part.file_size for part in parts)
    too_dense = unpacked > max(_SMALL_BYTES, _MAXIMUM_RATIO * len(content))
    if len(parts) > _MAXIMUM_PARTS or unpacked > _MAXIMUM_UNPACKED_BYTES or too_dense:
        raise UnreadableDocumentError("unpacks to more than is safe to read: save it without pictures, or split it")


def _render(word: WordDocument) -> tuple[str, str | None]:
    """Return the text and the first title or heading."""
    style_names = {style.style_id: style.name or "" for style in word.styles}
    out = BlockText()
    heading: str | None = None
    for block in _blocks(word.element.body):
        if block.tag == _TABLE:
            out.end_block()
            for row in _inside(block, _ROW):
                out.write_row([_cell_text(cell) for cell in _inside(row, _CELL)])
            out.end_block()
            continue
        words = _paragraph_text(block)
        style = style_names.get(block.style or "", "")
        is_heading = style == "Title" or style.startswith("Heading")
        if is_heading and heading is None and words.strip():
            heading = collapse(words)
        _write_paragraph(out, words, is_item=not is_heading and _is_item(block, style))
    return out.text(), heading


def _write_paragraph(out: BlockText, words: str, *, is_item: bool) -> None:
    if is_item:
        out.start_item("- ")
    else:
        out.end_block()
    for line in words.split("\n"):
        out.write(line)
        out.end_line()
    if not is_item:
        out.end_block()


def _blocks(body: Any) -> Iterator[Any]:
    """Yield paragraphs and tables in order, those in content controls (`w:sdt`) and tracked insertions too."""
    return _inside(body, _PARAGRAPH, _TABLE)


def _inside(element: Any, *tags: str) -> Iterator[Any]:
    """Yield the nearest descendants with these tags, in order; what they hold is theirs."""
    pending = list(reversed(element))
    while pending:
        child = pending.pop()
        if child.tag in tags:
            yield child
        elif child.tag not in _SKIPPED:
            pending.extend(reversed(child))


def _cell_text(cell: Any) -> str:
    return collapse("\n".join(_paragraph_text(paragraph) for paragraph in cell.iter(_PARAGRAPH)))


def _paragraph_text(paragraph: Any) -> str:
    words: list[str] = []
    for node in _inside(paragraph, _TEXT, _PARAGRAPH, *_SPACING):
        if node.tag == _PARAGRAPH:  # of a text box
            words.append(f"\n{_paragraph_text(node)}\n")
        else:
            words.append(_SPACING.get(node.tag) or node.text or "")
    return "".join(words)


def _style_id(paragraph: Any) -> str:
    style = paragraph.find(f"{_PROPERTIES}/{qn('w:pStyle')}")
    return "" if style is None else style.get(qn("w:val"), "")


def _is_item(paragraph: Any, style: str) -> bool:
    return style.startswith("List") or paragraph.find(f"{_PROPERTIES}/{qn('w:numPr')}") is not None
