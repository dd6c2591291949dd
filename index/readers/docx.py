"""Which words of a Word document nobody sees: vanished, tiny, or white on white.

Word documents: paragraphs, lists and tables in the order of the page.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final

import docx
from docx.opc.exceptions import OpcError
from docx.oxml.exceptions import XmlchemyError
from docx.oxml.ns import qn

from index.document import Document
from index.errors import UnreadableDocumentError
from index.readers.block_text import BlockText, BuiltText, collapse
from index.readers.source_file import SourceFile
from index.readers.titles import choose_title, heading_line
from index.readers.zip_container import DAMAGE, OLE_SIGNATURE, open_zip

if TYPE_CHECKING:
    from docx.document import Document as WordDocument

_RUN_PROPERTIES, _PARAGRAPH_PROPERTIES, _SHADING = qn("w:rPr"), qn("w:pPr"), qn("w:shd")
_VALUE: Final = qn("w:val")
_TINY_HALF_POINTS: Final = 2
_OFF: Final = ("0", "false", "off", "none")
_NO_COLOUR: Final = ("", "auto", "FFFFFF", "clear")


class Hiding:
    """Knows the styles of one document.

    Args:
        styles: The styles by id, as python-docx has them.
    """

    def __init__(self, styles: Mapping[str, Any]) -> None:
        self._styles = styles

    def hides(self, text: Any) -> bool:
        """Return whether a `w:t` element is part of the file and not of the page."""
        settings = list(self._settings(text))
        size = _first(settings, "w:sz")
        is_tiny = size.isdecimal() and int(size) <= _TINY_HALF_POINTS
        is_white = _first(settings, "w:color").upper() in {"FFFFFF", "FEFEFE"} and not self._is_shaded(text, settings)
        return _is_on(settings, "w:vanish") or is_tiny or is_white

    def _settings(self, text: Any) -> Iterator[Any]:
        """Yield the run properties that apply, the nearest first."""
        run = text.getparent()
        own = run.find(_RUN_PROPERTIES)
        paragraph = next(run.iterancestors(qn("w:p")), None)
        if own is not None:
            yield own
            yield from self._of_style(own.find(qn("w:rStyle")))
        if paragraph is not None:
            yield from self._of_style(paragraph.find(f"{_PARAGRAPH_PROPERTIES}/{qn('w:pStyle')}"))

    def _of_style(self, named: Any) -> Iterator[Any]:
        seen: set[str] = set()
        name = "" if named is None else named.get(_VALUE, "")
        while name in self._styles and name not in seen:
            seen.add(name)
            element = self._styles[name].element
            properties = element.find(_RUN_PROPERTIES)
            if properties is not None:
                yield properties
            based_on = element.find(qn("w:basedOn"))
            name = "" if based_on is None else based_on.get(_VALUE, "")

    def _is_shaded(self, text: Any, settings: list[Any]) -> bool:
        """Return whether there may be a colour behind the text: its own, its paragraph's, its table's, the page's."""
        highlighted = _first(settings, "w:highlight") not in {"", "none", "white"}
        tables = text.iterancestors(qn("w:tbl"))
        named = (table.find(f"{qn('w:tblPr')}/{qn('w:tblStyle')}") for table in tables)
        names = [style.get(_VALUE) for style in named if style is not None]
        styles = [self._styles[name].element for name in names if name in self._styles]
        around = [*settings, *styles, *text.iterancestors(qn("w:p"), qn("w:tc"))]
        behind = (shading.get(qn("w:fill"), "").upper() for element in around for shading in _shadings(element))
        in_drawing = next(text.iterancestors(qn("w:txbxContent")), None) is not None
        has_background = text.getroottree().getroot().find(qn("w:background")) is not None
        return highlighted or in_drawing or has_background or any(fill not in _NO_COLOUR for fill in behind)


def _shadings(element: Any) -> Iterator[Any]:
    if element.tag == qn("w:style"):
        yield from element.iter(_SHADING)
    else:
        yield from element.findall(_SHADING)
        yield from element.findall(f"{_PARAGRAPH_PROPERTIES}/{_SHADING}")
        yield from element.findall(f"{qn('w:tcPr')}/{_SHADING}")


def _first(settings: list[Any], name: str) -> str:
    for properties in settings:
        found = properties.find(qn(name))
        if found is not None:
            return str(found.get(_VALUE, ""))
    return ""


def _is_on(settings: list[Any], name: str) -> bool:
    for properties in settings:
        found = properties.find(qn(name))
        if found is not None:
            return found.get(_VALUE, "true").lower() not in _OFF
    return False


_MEDIA_TYPE: Final = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
_DAMAGE: Final = (*DAMAGE, OpcError, XmlchemyError)
_NOT_WORD: Final = "is damaged or no Word document: open it in a word processor and save it again as .docx"
_HEADING_STYLE = re.compile(r"Heading [1-9]")
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


def read_docx(source: SourceFile) -> Iterator[Document]:
    """Yield the file as one document, titled by its properties, its first heading or its first line."""
    content = source.read()
    if content.startswith(OLE_SIGNATURE):
        raise UnreadableDocumentError("is encrypted or an old Word document: save it as .docx without a password")
    try:
        open_zip(content)
        word = docx.Document(io.BytesIO(content))
        built = _render(word)
        declared, date = word.core_properties.title, word.core_properties.modified
    except _DAMAGE as error:
        raise UnreadableDocumentError(_NOT_WORD) from error
    if not built.text:
        raise UnreadableDocumentError("has no text that can be seen" if built.hidden else "has no text")
    headings = [section.title for section in built.sections[:1]]
    title = choose_title(source.document_id, declared, *headings, heading_line(built.text))
    yield source.document(content, title, built, _MEDIA_TYPE, date and date.date())


def _render(word: WordDocument) -> BuiltText:
    styles = {style.style_id: style for style in word.styles}
    hiding = Hiding(styles)
    out = BlockText()
    for block in _blocks(word.element.body):
        if block.tag == _TABLE:
            out.end_block()
            for row in _inside(block, _ROW):
                out.write_row([_cell_text(cell, hiding, out) for cell in _inside(row, _CELL)])
            out.end_block()
            continue
        style = styles.get(block.style or "")
        _write_paragraph(out, _paragraph_text(block, hiding, out), block, (style and style.name) or "")
    properties = word.core_properties
    for words in (properties.subject, properties.keywords, properties.comments, properties.category):
        out.note_unseen(words)
    return out.build()


def _write_paragraph(out: BlockText, words: str, paragraph: Any, style: str) -> None:
    level = 1 if style == "Title" else int(style[-1]) if _HEADING_STYLE.fullmatch(style) else 0
    is_item = not level and _is_item(paragraph, style)
    if level:
        out.start_heading(level)
    elif is_item:
        out.start_item("- ")
    else:
        out.end_block()
    for line in words.split("\n"):
        out.write(line)
        out.end_line()
    if not is_item:
        out.end_heading()


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


def _cell_text(cell: Any, hiding: Hiding, out: BlockText) -> str:
    return collapse("\n".join(_paragraph_text(paragraph, hiding, out) for paragraph in cell.iter(_PARAGRAPH)))


def _paragraph_text(paragraph: Any, hiding: Hiding, out: BlockText) -> str:
    words: list[str] = []
    hidden: list[str] = []
    for node in _inside(paragraph, _TEXT, _PARAGRAPH, *_SPACING):
        if node.tag == _PARAGRAPH:  # of a text box
            words.append(f"\n{_paragraph_text(node, hiding, out)}\n")
        else:
            is_hidden = node.tag == _TEXT and hiding.hides(node)
            (hidden if is_hidden else words).append(_SPACING.get(node.tag) or node.text or "")
    out.hide("".join(hidden))
    return "".join(words)


def _is_item(paragraph: Any, style: str) -> bool:
    return style.startswith("List") or paragraph.find(f"{_PROPERTIES}/{qn('w:numPr')}") is not None
