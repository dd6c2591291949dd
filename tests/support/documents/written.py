"""Documents of every format, written from the same parts; the same parts always give the same text."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from email.message import EmailMessage
from html import escape

import docx
import openpyxl
import pptx
from reportlab.lib.utils import simpleSplit
from reportlab.pdfgen.canvas import Canvas

_OPEN_DOCUMENT = " ".join(
    f'xmlns:{prefix}="urn:oasis:names:tc:opendocument:xmlns:{prefix}:1.0"' for prefix in ("office", "text", "table")
)
_PACKAGE = 'xmlns="http://www.idpf.org/2007/opf" xmlns:dc="http://purl.org/dc/elements/1.1/"'


@dataclass(frozen=True)
class Part:
    """A heading and its paragraphs; a page where the format has pages."""

    heading: str
    paragraphs: tuple[str, ...]


def zipped(parts: dict[str, str | bytes]) -> bytes:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as target:
        for name, content in parts.items():
            target.writestr(name, content)
    return archive.getvalue()


def plain(title: str, parts: Sequence[Part]) -> str:
    blocks = [title, *(block for part in parts for block in (part.heading, *part.paragraphs))]
    return "\n\n".join(blocks) + "\n"


def as_text(encoding: str) -> Callable[[str, Sequence[Part]], bytes]:
    return lambda title, parts: plain(title, parts).encode(encoding)


def as_markdown(title: str, parts: Sequence[Part]) -> bytes:
    blocks = [f"# {title}"]
    for part in parts:
        blocks += [f"## {part.heading}", *part.paragraphs]
    return "\n\n".join(blocks).encode()


def page(body: str, title: str = "") -> str:
    return f"<!DOCTYPE html><html><head><title>{escape(title)}</title></head><body>{body}</body></html>"


def as_html(title: str, parts: Sequence[Part]) -> bytes:
    body = "".join(
        f"<h2>{escape(part.heading)}</h2>" + "".join(f"<p>{escape(words)}</p>" for words in part.paragraphs)
        for part in parts
    )
    return page(
        f"<nav><a href='/'>Home</a> <a href='/a'>About us</a></nav><h1>{escape(title)}</h1>{body}", title
    ).encode()


def as_docx(title: str, parts: Sequence[Part]) -> bytes:
    word = docx.Document()
    word.add_heading(title, 0)
    for part in parts:
        word.add_heading(part.heading, 1)
        for words in part.paragraphs:
            word.add_paragraph(words)
    return _saved(word)


def as_pptx(title: str, parts: Sequence[Part]) -> bytes:
    slides = pptx.Presentation()
    slides.core_properties.title = title
    for part in parts:
        slide = slides.slides.add_slide(slides.slide_layouts[1])
        slide.shapes.title.text = part.heading
        slide.placeholders[1].text = "\n".join(part.paragraphs)
    return _saved(slides)


def as_xlsx(title: str, parts: Sequence[Part]) -> bytes:
    workbook = openpyxl.Workbook()
    workbook.properties.title = title
    workbook.remove(workbook.active)
    for part in parts:
        sheet = workbook.create_sheet(part.heading[:31])
        sheet.append(["Number", "Note"])
        for number, words in enumerate(part.paragraphs, start=1):
            sheet.append([number, words])
    return _saved(workbook)


def as_csv(title: str, parts: Sequence[Part]) -> bytes:
    written = io.StringIO()
    table = csv.writer(written)
    table.writerow(["Subject", "Note"])
    for part in parts:
        for words in part.paragraphs:
            table.writerow([part.heading, words])
    return written.getvalue().encode()


def as_odt(title: str, parts: Sequence[Part]) -> bytes:
    body = f'<text:h text:outline-level="1">{escape(title)}</text:h>' + "".join(
        f'<text:h text:outline-level="2">{escape(part.heading)}</text:h>'
        + "".join(f"<text:p>{escape(words)}</text:p>" for words in part.paragraphs)
        for part in parts
    )
    return open_document(body)


def open_document(body: str, styles: str = "") -> bytes:
    more = (
        'xmlns:style="urn:oasis:names:tc:opendocument:xmlns:style:1.0" '
        'xmlns:fo="urn:oasis:names:tc:opendocument:xmlns:xsl-fo-compatible:1.0"'
    )
    content = (
        f"<office:document-content {_OPEN_DOCUMENT} {more}><office:automatic-styles>{styles}</office:automatic-styles>"
        f"<office:body><office:text>{body}</office:text></office:body></office:document-content>"
    )
    return zipped(
        {
            "mimetype": "application/vnd.oasis.opendocument.text",
            "META-INF/manifest.xml": "<manifest/>",
            "content.xml": content,
        }
    )


def as_epub(title: str, parts: Sequence[Part]) -> bytes:
    chapters = {
        f"chapter{number}": page(
            f"<h1>{escape(part.heading)}</h1>" + "".join(f"<p>{escape(p)}</p>" for p in part.paragraphs)
        )
        for number, part in enumerate(parts)
    }
    return e_book(title, chapters)


def e_book(title: str, chapters: dict[str, str]) -> bytes:
    items = "".join(f'<item id="{name}" href="{name}.xhtml" media-type="application/xhtml+xml"/>' for name in chapters)
    spine = "".join(f'<itemref idref="{name}"/>' for name in chapters)
    return zipped(
        {
            "mimetype": "application/epub+zip",
            "META-INF/container.xml": '<container xmlns="urn:oasis:names:tc:opendocument:xmlns:container"><rootfiles>'
            '<rootfile full-path="book/package.opf"/></rootfiles></container>',
            "book/package.opf": f"<package {_PACKAGE}><metadata><dc:title>{escape(title)}</dc:title>"
            f"<dc:date>2024-05-01</dc:date></metadata><manifest>{items}</manifest><spine>{spine}</spine></package>",
            **{f"book/{name}.xhtml": content for name, content in chapters.items()},
        }
    )


def as_email(title: str, parts: Sequence[Part]) -> bytes:
    message = EmailMessage()
    message["From"] = "Ann Lee <ann@example.org>"
    message["To"] = "archive@example.org"
    message["Date"] = "Wed, 01 May 2024 09:00:00 +0800"
    message["Subject"] = title
    message.set_content("\n\n".join(words for part in parts[:1] for words in part.paragraphs))
    for number, part in enumerate(parts[1:], start=1):
        message.add_attachment("\n\n".join(part.paragraphs), filename=f"note{number}.txt")
    message.set_boundary("=boundary=")
    return message.as_bytes()


def as_pdf(title: str, parts: Sequence[Part]) -> bytes:
    def draw(canvas: Canvas) -> None:
        for number, part in enumerate(parts, start=1):
            canvas.setFont("Helvetica", 9)
            canvas.drawString(60, 815, title)
            canvas.drawString(280, 25, f"Page {number} of {len(parts)}")
            canvas.setFont("Helvetica-Bold", 15)
            canvas.drawString(60, 770, part.heading)
            canvas.setFont("Helvetica", 11)
            height = 735
            for words in part.paragraphs:
                for line in simpleSplit(words, "Helvetica", 11, 470):
                    canvas.drawString(60, height, line)
                    height -= 15
                height -= 15
            canvas.showPage()

    return drawn(draw, title)


def drawn(draw: Callable[[Canvas], None], title: str = "") -> bytes:
    written = io.BytesIO()
    canvas = Canvas(written, pagesize=(595, 842), invariant=1)
    if title:
        canvas.setTitle(title)
    draw(canvas)
    canvas.save()
    return written.getvalue()


def as_corpus(title: str, parts: Sequence[Part]) -> bytes:
    rows = (
        {"_id": f"{title}-{n}", "title": part.heading, "text": "\n".join(part.paragraphs)}
        for n, part in enumerate(parts)
    )
    return "\n".join(json.dumps(row, ensure_ascii=False) for row in rows).encode()


def _saved(made: object) -> bytes:
    written = io.BytesIO()
    made.save(written)  # type: ignore[attr-defined]
    return written.getvalue()


FORMATS: dict[str, Callable[[str, Sequence[Part]], bytes]] = {
    "txt": as_text("utf-8"),
    "md": as_markdown,
    "html": as_html,
    "docx": as_docx,
    "pptx": as_pptx,
    "xlsx": as_xlsx,
    "csv": as_csv,
    "odt": as_odt,
    "epub": as_epub,
    "eml": as_email,
    "pdf": as_pdf,
    "jsonl": as_corpus,
}
PAGED = ("pdf", "pptx")
SECTIONED = ("md", "html", "docx", "pptx", "xlsx", "odt", "epub")
