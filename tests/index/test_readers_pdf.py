"""PDF files: pages, repaired lines, titles and what cannot be read."""

import io
import random
import re
import zlib
from pathlib import Path

import pytest
from PIL import Image
from pypdf import PdfWriter
from reportlab.lib.utils import ImageReader
from reportlab.pdfgen.canvas import Canvas

from index.document import Document, MarkKind
from index.errors import UnreadableDocumentError
from index.readers import Unreadable, read_file
from index.readers.line_repair import repair_lines, words_of
from index.readers.process import ReadingProcess
from index.readers.recognise import recognition
from tests.support.documents.written import Part, as_pdf, drawn


def make_pdf(*pages: list[str], title: str = "") -> bytes:
    """Return a PDF with these lines on its pages, written by hand."""
    kids = " ".join(f"{4 + 2 * number} 0 R" for number in range(len(pages)))
    objects = ["<< /Type /Catalog /Pages 2 0 R >>", f"<< /Type /Pages /Kids [{kids}] /Count {len(pages)} >>"]
    objects.append("<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>")
    for number, lines in enumerate(pages):
        font, box = "/Resources << /Font << /F1 3 0 R >> >>", "/MediaBox [0 0 595 842]"
        objects.append(f"<< /Type /Page /Parent 2 0 R {box} {font} /Contents {5 + 2 * number} 0 R >>")
        escaped = (line.replace("\\", "\\\\").replace("(", "\\(").replace(")", "\\)") for line in lines)
        drawn = "BT /F1 11 Tf 14 TL 50 800 Td " + " ".join(f"({line}) Tj T*" for line in escaped) + " ET"
        objects.append(f"<< /Length {len(drawn)} >>\nstream\n{drawn}\nendstream")
    objects.append(f"<< /Title ({title}) >>")
    body, places = b"%PDF-1.4\n", []
    for number, content in enumerate(objects, start=1):
        places.append(len(body))
        body += f"{number} 0 obj\n{content}\nendobj\n".encode("cp1252")
    table = "".join(f"{place:010} 00000 n \n" for place in places)
    trailer = f"<< /Size {len(objects) + 1} /Root 1 0 R /Info {len(objects)} 0 R >>\nstartxref\n{len(body)}\n%%EOF\n"
    return body + f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n{table}trailer\n{trailer}".encode()


def read_parts(folder: Path, content: bytes, name: str = "report_2025.pdf") -> list[Document | Unreadable]:
    (folder / name).write_bytes(content)
    return list(read_file(folder / name, name, maximum_bytes=1_000_000))


REPORT = [
    "Ferry services in the outlying islands",
    "The first ferry leaves Mui Wo at 5:55 am on weekdays and tickets cost",
    "HK$17.8 for adults. The operator said that the service will be main-",
    "tained until the end of the year.",
]


def test_every_page_has_its_place_in_the_text(tmp_path):
    (document,) = read_parts(tmp_path, make_pdf(REPORT, [], ["Tickets are sold at the pier."]))
    assert [page.number for page in document.pages] == [1, 2, 3]
    first, second, third = (page.span.of(document.text) for page in document.pages)
    assert first == (
        "Ferry services in the outlying islands\n"
        "The first ferry leaves Mui Wo at 5:55 am on weekdays and tickets cost HK$17.8 for adults. "
        "The operator said that the service will be maintained until the end of the year."
    )
    assert (second, third) == ("", "Tickets are sold at the pier.")
    assert document.text == f"{first}\n\n{second}\n\n{third}"
    assert document.page_at(document.text.index("HK$17.8")) == 1
    assert document.page_at(document.text.index("Tickets are")) == 3
    assert document.media_type == "application/pdf"


@pytest.mark.parametrize(
    ("declared", "lines", "title"),
    [
        ("Annual ferry report", REPORT, "Annual ferry report"),
        ("Research and/or ferries", REPORT, "Research and/or ferries"),
        ("/home/tom/report", REPORT, REPORT[0]),
        ("Microsoft Word - report.doc", REPORT, REPORT[0]),
        ("untitled", REPORT, REPORT[0]),
        ("report_final.indd", REPORT, REPORT[0]),
        ("", REPORT, REPORT[0]),
        ("-", ["It leaves at 5:55 am."], "report 2025"),
    ],
)
def test_titles_of_pdfs(tmp_path, declared, lines, title):
    (document,) = read_parts(tmp_path, make_pdf(lines, title=declared))
    assert document.title == title


def test_a_damaged_page_is_named_and_the_others_are_read(tmp_path):
    content = make_pdf(["Page one stands."], ["Page two is broken."], ["Page three stands."])
    document, problem = read_parts(tmp_path, content.replace(b"4 0 R 6 0 R", b"4 0 R 3 0 R"))
    assert document.text == "Page one stands.\n\n\n\nPage three stands."
    assert problem == Unreadable("report_2025.pdf, page 2", "is damaged: the other pages were read")


def encrypt(content: bytes, user_password: str, algorithm: str = "RC4-128") -> bytes:
    writer = PdfWriter(clone_from=io.BytesIO(content))
    writer.encrypt(user_password, "owner", algorithm=algorithm)
    encrypted = io.BytesIO()
    writer.write(encrypted)
    return encrypted.getvalue()


@pytest.mark.parametrize("algorithm", ["RC4-128", "AES-128", "AES-256"])
def test_a_pdf_that_opens_without_a_password_is_read(tmp_path, algorithm):
    (document,) = read_parts(tmp_path, encrypt(make_pdf(REPORT), "", algorithm))
    assert document.text.startswith(REPORT[0])


WHOLE = make_pdf(REPORT, REPORT)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"%PDF-1.7 this is no document", "is damaged or no PDF: open it in a viewer and save it again"),
        (b"plain words", "is damaged or no PDF"),
        (b"PK\x03\x04 words", "is damaged or no PDF"),
        (random.Random(1).randbytes(5_000), "is damaged or no PDF"),
        (WHOLE[: len(WHOLE) // 3], "is damaged or no PDF"),
        (make_pdf(), "is damaged or no PDF"),
        (make_pdf([]), "has no text: it looks like a scan, so run text recognition (OCR) on it first"),
        (make_pdf([], ["  "]), "has no text: it looks like a scan"),
        (WHOLE.replace(b"4 0 R 6 0 R", b"3 0 R 3 0 R"), "has only damaged pages"),
        (encrypt(WHOLE, "secret"), "is encrypted: save it without a password or protection"),
        (encrypt(WHOLE, "secret", "AES-256"), "is encrypted: save it without a password or protection"),
    ],
    ids=lambda value: value[:24] if isinstance(value, str) else "",
)
def test_pdfs_that_cannot_be_read_say_why(tmp_path, caplog, content, reason):
    with pytest.raises(UnreadableDocumentError) as caught:
        read_parts(tmp_path, content)
    assert str(caught.value).startswith(reason)
    assert not caplog.records


def test_a_stream_that_unpacks_to_much_harms_no_other_page(tmp_path):
    packed = zlib.compress(bytes(80_000_000), 9)
    stream = b"<< /Length %d /Filter /FlateDecode >>\nstream\n" % len(packed) + packed
    plain = re.compile(rb"<< /Length \d+ >>\nstream\n[^\n]*Words[^\n]*")
    (document,) = read_parts(tmp_path, plain.sub(lambda _: stream, make_pdf(["Words."], ["More."])))
    assert document.text.strip() == "More."


def repair(page: str) -> str:
    return repair_lines(page, words_of(page))


@pytest.mark.parametrize(
    "page",
    [
        "The service was announced in the spring and\nwill go on.",
        "It was announced by the Secretary for the\nHong Kong Park.",
        "The first ferry of the day leaves the pier.\nThe second follows.",
        "the price of a ticket on weekdays rose to\n17.8 dollars",
        "The report was read to the members by Mr\nJ. Smith of the north.",
    ],
)
def test_lines_that_the_margin_cut_are_joined(page):
    assert repair(page) == page.replace("\n", " ")


@pytest.mark.parametrize(
    "page",
    [
        "The last line of it is short.\nThe next paragraph is as wide as the column.",
        "Overview\nThe next paragraph is as wide as the column.",
        "The list of the things that we have to do:\n• first of all\n• second",
        "The things that we have to do in this order\n1. pay\n2) board\n(a) sit",
        "The parts of the report are given in order\n2.1 Naming",
        "1 Introduction . . . . . . . . . . . . . 3\nand more",
        "The page ends with its number and that is no\n12\npart of the text",
        "Mui Wo 17.8\nPeng Chau 14",
    ],
)
def test_lines_that_stand_alone_stay_alone(page):
    assert repair(page) == page


@pytest.mark.parametrize(
    ("page", "repaired"),
    [
        (
            "They talked about a better manage-\nment of the ferries.",
            "They talked about a better management of the ferries.",
        ),
        ("A well-known pier, and also a well-\nknown ferry.", "A well-known pier, and also a well-known ferry."),
        ("It was written by people of the GNU-\nLinux group.", "It was written by people of the GNU-Linux group."),
        (
            "第一班渡輪於早上五時五十五分由梅窩開\n出，平日票價為十七元。",
            "第一班渡輪於早上五時五十五分由梅窩開出，平日票價為十七元。",
        ),
        ("One paragraph that goes on and on\n \n\nand one more.", "One paragraph that goes on and on\n\nand one more."),
        ("The o\ufb03ce\u00ad of \u2fca  and   \ufb01sh", "The office of 黑 and fish"),
    ],
)
def test_words_are_put_together_again(page, repaired):
    assert repair(page) == repaired


LEFT = "The council met on Monday and agreed|the new pier will open in the spring|of next year, if the works|are done."
RIGHT = "Tickets will cost seventeen dollars|for adults and half of that for|children under twelve years|on a day."


def two_columns(canvas: Canvas) -> None:
    canvas.drawString(50, 800, "A headline that spans the whole width of this page and both of its columns")
    for number, (left, right) in enumerate(zip(LEFT.split("|"), RIGHT.split("|"), strict=True)):
        canvas.drawString(50, 760 - 14 * number, left)
        canvas.drawString(310, 757 - 14 * number, right)
    canvas.drawString(50, 680, "A last line across the page follows both of the columns that stand above it.")


def test_columns_are_read_one_after_the_other(tmp_path):
    (document,) = read_parts(tmp_path, drawn(two_columns))
    assert document.text.split("\n\n")[1:3] == [LEFT.replace("|", " "), RIGHT.replace("|", " ")]


def test_rows_of_a_table_stay_rows(tmp_path):
    rows = [("Route", "Adult", "Child"), ("Mui Wo", "17.8", "8.9"), ("Peng Chau", "14.2", "7.1")]

    def table(canvas: Canvas) -> None:
        canvas.drawString(50, 800, "Fares of the ferries")
        for number, row in enumerate(rows):
            for place, cell in zip((50, 200, 300), row, strict=True):
                canvas.drawString(place, 770 - 16 * number, cell)
        canvas.drawString(50, 690, "The fares were set by the council and hold for one year from today.")

    (document,) = read_parts(tmp_path, drawn(table))
    assert document.text.split("\n\n")[1] == "\n".join(" | ".join(row) for row in rows)


def test_running_headers_and_footers_are_left_out_and_noted(tmp_path):
    parts = [Part(f"Chapter {name}", (f"It tells of {name}.",)) for name in ("ferries", "piers", "fares", "boats")]
    (document,) = read_parts(tmp_path, as_pdf("Annual Report", parts))
    assert "Annual Report" not in document.text
    assert "of 4" not in document.text
    assert [(mark.kind, mark.excerpt) for mark in document.marks] == [
        (MarkKind.BOILERPLATE, "Annual Report"),
        (MarkKind.BOILERPLATE, "Page 4 of 4"),
    ]


def scan(canvas: Canvas) -> None:
    canvas.drawImage(ImageReader(Image.new("L", (60, 80), 200)), 0, 0, 595, 842)


def words_and_scan(canvas: Canvas) -> None:
    canvas.drawString(60, 700, "The first page has words.")
    canvas.showPage()
    scan(canvas)


def test_a_scanned_page_is_named(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    recognition.cache_clear()
    document, problem = read_parts(tmp_path, drawn(words_and_scan))
    assert document.text.strip() == "The first page has words."
    assert problem.source == "report_2025.pdf, page 2"
    assert problem.reason.startswith("is a scan, so run text recognition (OCR) on it")
    recognition.cache_clear()


TESSERACT = """#!/bin/sh
case "$1" in --list-langs) echo eng; echo chi_tra; echo deu;; *) /bin/head -c 2 >&2; echo "Recognised by $4";; esac
"""


def test_a_scanned_page_is_recognised_where_tesseract_is_installed(tmp_path, monkeypatch):
    (tmp_path / "tesseract").write_text(TESSERACT)
    (tmp_path / "tesseract").chmod(0o755)
    (tmp_path / "a.pdf").write_bytes(drawn(words_and_scan))
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    with ReadingProcess() as reading:
        (document,) = reading.read_file(tmp_path / "a.pdf", "a.pdf", maximum_bytes=1_000_000)
    assert document.pages[1].span.of(document.text) == "Recognised by eng+chi_tra"


def test_what_a_scanner_recognised_counts_as_seen(tmp_path):
    def recognised(canvas: Canvas) -> None:
        scan(canvas)
        text = canvas.beginText(60, 600)
        text.setTextRenderMode(3)
        text.textLine("Recognised words.")
        canvas.drawText(text)

    (document,) = read_parts(tmp_path, drawn(recognised))
    assert (document.text, document.marks) == ("Recognised words.", ())


def test_white_on_a_dark_ground_is_seen_and_white_on_paper_is_not(tmp_path):
    def white(canvas: Canvas) -> None:
        canvas.setFillColorRGB(0, 0, 0.4)
        canvas.rect(50, 690, 300, 30, fill=1)
        canvas.setFillColorRGB(1, 1, 1)
        canvas.drawString(60, 700, "Words on blue.")
        canvas.drawString(60, 500, "Words on paper.")

    (document,) = read_parts(tmp_path, drawn(white))
    assert document.text == "Words on blue."
    assert [mark.excerpt for mark in document.marks] == ["Words on paper."]


@pytest.mark.parametrize("angle", [90, 180, 270])
def test_a_page_that_is_shown_turned_reads_the_same(tmp_path, angle):
    def turned(canvas: Canvas) -> None:
        canvas.setPageRotation(angle)
        canvas.translate(*{90: (0, 0), 180: (595, 842), 270: (0, 595)}[angle])
        canvas.rotate(angle)
        place = {90: -60, 180: 700, 270: 60}[angle]
        canvas.drawString(50, place, "The first line is here.")
        canvas.drawString(50, place - 40, "The second line follows.")

    (document,) = read_parts(tmp_path, drawn(turned))
    assert document.text.split() == "The first line is here. The second line follows.".split()


def test_an_outline_gives_the_sections(tmp_path):
    def chapters(canvas: Canvas) -> None:
        for name, level in (("Ferries", 0), ("Fares of ferries", 1), ("Piers", 0)):
            canvas.bookmarkPage(name)
            canvas.addOutlineEntry(name, name, level)
            canvas.drawString(60, 700, name)
            canvas.drawString(60, 660, f"What there is to say of {name.lower()}.")
            canvas.showPage()

    (document,) = read_parts(tmp_path, drawn(chapters))
    assert [(section.title, section.level) for section in document.sections] == [
        ("Ferries", 1),
        ("Fares of ferries", 2),
        ("Piers", 1),
    ]
    assert document.section_at(document.text.index("say of fares")).title == "Fares of ferries"
