"""PDF files: pages, repaired lines, titles and what cannot be read."""

import io
import random
import re
import zlib
from pathlib import Path

import pytest
from pypdf import PdfWriter

from index.document import Document
from index.errors import UnreadableDocumentError
from index.readers import Unreadable, read_file
from index.readers.line_repair import repair_lines, words_of


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
