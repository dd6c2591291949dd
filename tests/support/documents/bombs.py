"""Small files that unpack, nest, loop or repeat until a careless reader is out of memory or time."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from collections.abc import Callable

from tests.support.documents.written import FORMATS, Part, drawn, e_book, open_document, page, zipped

_PARTS = [Part("Words", ("Some words.",))]
_MEGABYTE = 1_000_000
Bomb = Callable[[], tuple[str, bytes]]


def _changed(suffix: str, part: str, change: Callable[[bytes], bytes]) -> tuple[str, bytes]:
    archive = zipfile.ZipFile(io.BytesIO(FORMATS[suffix]("Title", _PARTS)))
    parts = {name: archive.read(name) for name in archive.namelist()}
    return f"bomb.{suffix}", zipped({**parts, part: change(parts[part])})


def _laughing(content: bytes, element: bytes) -> bytes:
    entities = b'<!ENTITY a0 "ha">' + b"".join(
        b'<!ENTITY a%d "%s">' % (level, b"&a%d;" % (level - 1) * 10) for level in range(1, 10)
    )
    prolog, _, rest = (
        content.partition(b"?>") if content.startswith(b"<?xml") else (b"<?xml version='1.0'", b"", content)
    )
    return prolog + b"?><!DOCTYPE x [" + entities + b"]>" + rest.replace(element, element + b"&a9;", 1)


def _pdf(*objects: bytes) -> bytes:
    body = b"%PDF-1.4\n"
    places = []
    for number, content in enumerate(objects, start=1):
        places.append(len(body))
        body += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    trailer = b"<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, len(body))
    return body + b"xref\n0 %d\n0000000000 65535 f \n%strailer\n%s" % (len(objects) + 1, table, trailer)


def _stream(content: bytes, extra: bytes = b"", filters: bytes = b"/FlateDecode") -> bytes:
    return b"<< /Length %d /Filter %s %s>>\nstream\n%s\nendstream" % (len(content), filters, extra, content)


_PAGE = b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Resources << %s >> >>"
_CATALOGUE, _ONE_PAGE = b"<< /Type /Catalog /Pages 2 0 R %s>>", b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>"


def _pdf_page(stream: bytes, resources: bytes = b"", *more: bytes, catalogue: bytes = b"") -> tuple[str, bytes]:
    return "bomb.pdf", _pdf(_CATALOGUE % catalogue, _ONE_PAGE, _PAGE % resources, stream, *more)


def _packed_twice(size: int) -> bytes:
    return zlib.compress(zlib.compress(bytes(size), 9), 9)


def _page_loop() -> tuple[str, bytes]:
    return "bomb.pdf", _pdf(_CATALOGUE % b"", b"<< /Type /Pages /Kids [2 0 R 2 0 R 2 0 R] /Count 1000000000 >>")


def _page_tree() -> tuple[str, bytes]:
    return "bomb.pdf", _pdf(
        _CATALOGUE % b"",
        b"<< /Type /Pages /Kids [" + b"3 0 R " * 300_000 + b"] /Count 300000 >>",
        _PAGE % b"",
        _stream(zlib.compress(b"")),
    )


def _form_tower() -> tuple[str, bytes]:
    forms = [
        _stream(
            zlib.compress(b"/X Do " * 10),
            b"/Type /XObject /Subtype /Form /BBox [0 0 9 9] /Resources << /XObject << /X %d 0 R >> >>" % (6 + level),
        )
        for level in range(12)
    ]
    last = _stream(zlib.compress(b""), b"/Type /XObject /Subtype /Form /BBox [0 0 9 9]")
    return _pdf_page(_stream(zlib.compress(b"/X Do")), b"/XObject << /X 5 0 R >>", *forms, last)


def _outline_loop() -> tuple[str, bytes]:
    outline = b"<< /Title (Again) /Next 5 0 R /First 5 0 R /Last 5 0 R /Parent 5 0 R >>"
    return _pdf_page(_stream(zlib.compress(b"")), b"", outline, catalogue=b"/Outlines 5 0 R ")


def _huge_picture() -> tuple[str, bytes]:
    def draw(canvas: object) -> None:
        canvas.setPageSize((14_000, 14_000))  # type: ignore[attr-defined]
        canvas.setFillColorRGB(1, 1, 1)  # type: ignore[attr-defined]
        canvas.drawString(50, 50, "pale")  # type: ignore[attr-defined]

    return "bomb.pdf", drawn(draw)


def _lying_zip() -> tuple[str, bytes]:
    packed = bytearray(zipped({"word/document.xml": bytes(30 * _MEGABYTE)}))
    place = packed.rindex(b"PK\x01\x02") + 24
    packed[place : place + 4] = struct.pack("<I", 100)
    return "bomb.docx", bytes(packed)


def _nested_zip() -> tuple[str, bytes]:
    inner = bytes(15 * _MEGABYTE)
    for level in range(8):
        inner = zipped({f"{level}-{copy}": inner for copy in range(2)})
    return "bomb.epub", inner


def _mail_tower() -> tuple[str, bytes]:
    return "bomb.eml", b"Subject: x\n" + b"Content-Type: message/rfc822\n\n" * 20_000 + b"words"


def _mail_boundaries() -> tuple[str, bytes]:
    head = b'Subject: x\nContent-Type: multipart/mixed; boundary="b"\n\n'
    return "bomb.eml", head + b"--b\nContent-Type: text/plain\n\nx\n" * 200_000


BOMBS: dict[str, Bomb] = {
    "zip of zeros": lambda: ("bomb.docx", zipped({"word/document.xml": bytes(300 * _MEGABYTE)})),
    "lying zip": _lying_zip,
    "nested zips": _nested_zip,
    "many parts": lambda: ("bomb.odt", zipped({f"part{number}": b"" for number in range(20_000)})),
    "laughing Word": lambda: _changed("docx", "word/document.xml", lambda xml: _laughing(xml, b"<w:t>")),
    "laughing slides": lambda: _changed("pptx", "ppt/slides/slide1.xml", lambda xml: _laughing(xml, b"<a:t>")),
    "laughing sheet": lambda: _changed("xlsx", "xl/worksheets/sheet1.xml", lambda xml: _laughing(xml, b"<t>")),
    "laughing OpenDocument": lambda: _changed("odt", "content.xml", lambda xml: _laughing(xml, b"<text:p>")),
    "laughing book": lambda: _changed("epub", "book/package.opf", lambda xml: _laughing(xml, b"<dc:title>")),
    "deep OpenDocument": lambda: ("bomb.odt", open_document("<text:list><text:list-item>" * 100_000)),
    "wide OpenDocument": lambda: ("bomb.odt", open_document('<text:p><text:s text:c="999999999"/>x</text:p>' * 50_000)),
    "far cell": lambda: _changed(
        "xlsx",
        "xl/worksheets/sheet1.xml",
        lambda xml: xml.replace(b"</sheetData>", b'<row r="1048576"><c r="XFD1048576"><v>1</v></c></row></sheetData>'),
    ),
    "wide rows": lambda: _changed(
        "xlsx",
        "xl/worksheets/sheet1.xml",
        lambda xml: xml.replace(
            b"</sheetData>",
            b"".join(b'<row r="%d"><c r="XFD%d"><v>1</v></c></row>' % (row, row) for row in range(10, 20_000))
            + b"</sheetData>",
        ),
    ),
    "deep page": lambda: ("bomb.html", b"<div>" * 900_000),
    "many tags": lambda: ("bomb.html", b"<p>" + b"<b>x</b>" * 450_000),
    "one long line": lambda: ("bomb.txt", b"word " * 9_000_000),
    "deep list": lambda: ("bomb.md", b"> " * 500_000 + b"x"),
    "brackets": lambda: ("bomb.md", b"[" * 400_000 + b"x" + b"](" * 400_000),
    "deep JSON": lambda: ("bomb.jsonl", b'{"_id": "a", "text": ' + b"[" * 10_000_000),
    "long cell": lambda: ("bomb.csv", b"a,b\n" + b'"' + b"x" * 40_000_000),
    "chapters of zeros": lambda: ("bomb.epub", e_book("Title", {f"c{n}": page("<i>" * 30_000) for n in range(200)})),
    "packed stream": lambda: _pdf_page(_stream(_packed_twice(900 * _MEGABYTE), filters=b"[/FlateDecode /FlateDecode]")),
    "page loop": _page_loop,
    "page tree": _page_tree,
    "form tower": _form_tower,
    "outline loop": _outline_loop,
    "huge page": _huge_picture,
    "mail tower": _mail_tower,
    "mail parts": _mail_boundaries,
}
QUICK_BOMBS = ("zip of zeros", "laughing Word", "deep page", "page loop", "mail tower")
