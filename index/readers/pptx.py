"""PowerPoint presentations: a page a slide, its title a heading."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator
from typing import Any, Final

import pptx
from pptx.enum.shapes import PP_PLACEHOLDER
from pptx.exc import PythonPptxError

from index.document import Document
from index.errors import UnreadableDocumentError
from index.readers.block_text import BlockText, collapse
from index.readers.source_file import SourceFile
from index.readers.titles import choose_title
from index.readers.zip_container import DAMAGE, OLE_SIGNATURE, open_zip

_MEDIA_TYPE: Final = "application/vnd.openxmlformats-officedocument.presentationml.presentation"
_TINY_POINTS: Final = 1
# They repeat on every slide.
_FURNITURE: Final = (PP_PLACEHOLDER.FOOTER, PP_PLACEHOLDER.DATE, PP_PLACEHOLDER.SLIDE_NUMBER, PP_PLACEHOLDER.HEADER)
_HEADINGS: Final = (PP_PLACEHOLDER.TITLE, PP_PLACEHOLDER.CENTER_TITLE, PP_PLACEHOLDER.VERTICAL_TITLE)


def read_pptx(source: SourceFile) -> Iterator[Document]:
    """Yield the presentation as one document: on each slide its shapes from top to bottom, then the speaker's notes."""
    content = source.read()
    if content.startswith(OLE_SIGNATURE):
        raise UnreadableDocumentError("is encrypted or an old presentation: save it as .pptx without a password")
    out = BlockText()
    try:
        open_zip(content)
        presentation = pptx.Presentation(io.BytesIO(content))
        for number, slide in enumerate(presentation.slides, start=1):
            out.start_page(number)
            _write_slide(slide, presentation, out)
        properties = presentation.core_properties
        declared, date = properties.title, properties.modified
        for words in (properties.subject, properties.keywords, properties.comments, properties.category):
            out.note_unseen(words)
    except (*DAMAGE, PythonPptxError) as error:
        raise UnreadableDocumentError(
            "is damaged or no PowerPoint file: open it in a presentation program and save it again as .pptx"
        ) from error
    built = out.build()
    if not built.text:
        raise UnreadableDocumentError("has no text that can be seen" if built.hidden else "has no text")
    first = [section.title for section in built.sections[:1]]
    title = choose_title(source.document_id, None if declared == "PowerPoint Presentation" else declared, *first)
    yield source.document(content, title, built, _MEDIA_TYPE, date and date.date())


def _write_slide(slide: Any, presentation: Any, out: BlockText) -> None:
    shapes = sorted(_flat(slide.shapes), key=lambda shape: (not _is_heading(shape), shape.top or 0, shape.left or 0))
    if slide.element.get("show") == "0":
        out.hide("\n".join(shape.text_frame.text for shape in shapes if shape.has_text_frame))
        return
    for shape in shapes:
        if shape.has_text_frame and (_is_off(shape, presentation) or _is_furniture(shape)):
            note = out.leave_out if _is_furniture(shape) else out.hide
            note(shape.text_frame.text)
        elif shape.has_text_frame:
            _write_text(shape, out)
        elif shape.has_table:
            out.end_block()
            for row in shape.table.rows:
                out.write_row([collapse(cell.text) for cell in row.cells])
            out.end_block()
    if slide.has_notes_slide and slide.notes_slide.notes_text_frame is not None:
        notes = slide.notes_slide.notes_text_frame.text
        out.write_verbatim(notes) if notes.strip() else out.end_block()


def _write_text(shape: Any, out: BlockText) -> None:
    if _is_heading(shape):
        out.start_heading(1)
    for paragraph in shape.text_frame.paragraphs:
        if not _is_heading(shape):
            out.end_block()
        for run in paragraph.runs:
            is_tiny = run.font.size is not None and run.font.size.pt <= _TINY_POINTS
            out.hide(run.text) if is_tiny else out.write(run.text.replace("\v", " "))
        out.write(" ")
    out.end_heading()


def _flat(shapes: Iterable[Any]) -> Iterator[Any]:
    """Yield shapes, those in groups too."""
    pending = list(shapes)[::-1]
    while pending:
        shape = pending.pop()
        if hasattr(shape, "shapes"):
            pending.extend(list(shape.shapes)[::-1])
        else:
            yield shape


def _is_heading(shape: Any) -> bool:
    return bool(shape.is_placeholder and shape.placeholder_format.type in _HEADINGS)


def _is_furniture(shape: Any) -> bool:
    return bool(shape.is_placeholder and shape.placeholder_format.type in _FURNITURE)


def _is_off(shape: Any, presentation: Any) -> bool:
    """Return whether a shape lies outside of the slide; a shape without a place has that of its layout."""
    if None in {shape.left, shape.top, shape.width, shape.height}:
        return False
    inside = shape.left < presentation.slide_width and shape.top < presentation.slide_height
    return not (inside and shape.left + shape.width > 0 and shape.top + shape.height > 0)
