"""Plain text, tables and corpora."""

import codecs
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.document import Document
from index.errors import UnreadableDocumentError
from index.readers import Unreadable, read_file

LIMIT = 1_000_000
CHINESE = "香港人工智能研究院獲預留十億元撥款，第一班渡輪於早上五時五十五分由梅窩開出，平日票價為十七元八角。\n"
SIMPLIFIED = "香港人工智能研究院获预留十亿元拨款，第一班渡轮于早上五时五十五分由梅窝开出，平日票价为十七元八角。\n"
FRENCH = "Les élèves étaient à l'école où ils ont reçu leurs “cahiers”. Ça coûte 12 €, déjà vu.\n"


def read_one(folder: Path, name: str, content: bytes) -> Document:
    path = folder / name
    path.write_bytes(content)
    (document,) = read_file(path, f"town/{name}", maximum_bytes=LIMIT)
    assert isinstance(document, Document)
    return document


def read_rows(folder: Path, *lines: str | bytes) -> list[Document | Unreadable]:
    path = folder / "corpus.jsonl"
    path.write_bytes(b"".join((line.encode() if isinstance(line, str) else line) + b"\n" for line in lines))
    return list(read_file(path, "corpus.jsonl", maximum_bytes=LIMIT))


def test_plain_text_is_stored_as_it_stands_in_the_file(tmp_path):
    document = read_one(tmp_path, "ferry.txt", b"Ferry timetable\n\n  Mui Wo:\t5:55 am \x0c\n\n\n")
    assert document.text == (tmp_path / "ferry.txt").read_text(encoding="utf8")
    assert (document.document_id, document.title, document.pages) == ("town/ferry.txt", "Ferry timetable", ())
    assert document.media_type == "text/plain"
    assert len(document.source_hash) == 64


# NUL and other control characters mean a binary file; U+FEFF at the start is a byte order mark.
printable = st.characters(exclude_categories=["Cc", "Cs"], include_characters="\n\r\t")


@given(text=st.text(printable, min_size=1).filter(lambda text: text.strip(" \n\r\t") and not text.startswith("\ufeff")))
def test_every_utf8_text_comes_back_as_python_reads_it(tmp_path_factory, text):
    path = tmp_path_factory.mktemp("texts") / "any.txt"
    path.write_bytes(text.encode())
    (document,) = read_file(path, "any.txt", maximum_bytes=LIMIT)
    assert document.text == path.read_text(encoding="utf8")
    assert document.title
    assert document.title == " ".join(document.title.split())


@pytest.mark.parametrize(
    ("encoding", "text"),
    [
        ("utf-8", CHINESE),
        ("utf-8-sig", CHINESE),
        ("utf-16", CHINESE),
        ("utf-16-le", "Ferries leave at 5:55 from Mui Wo.\n"),
        ("utf-16-be", "Ferries leave at 5:55 from Mui Wo.\n"),
        ("utf-32", CHINESE),
        ("big5", CHINESE),
        ("big5hkscs", CHINESE + "㗎喺嘅嘢\n"),
        ("gb18030", SIMPLIFIED),
        ("gbk", SIMPLIFIED * 20),
        ("cp1252", FRENCH),
        ("cp1251", "В чащах юга жил бы цитрус? Да, но фальшивый экземпляр!\n"),
    ],
)
def test_encodings_are_told_apart(tmp_path, encoding, text):
    assert read_one(tmp_path, "notice.txt", text.encode(encoding)).text == text


def test_big_endian_byte_order_marks_are_understood(tmp_path):
    assert read_one(tmp_path, "a.txt", codecs.BOM_UTF16_BE + CHINESE.encode("utf-16-be")).text == CHINESE


def test_a_few_broken_bytes_do_not_turn_utf8_into_nonsense(tmp_path):
    content = CHINESE.encode().replace("，".encode(), b"\xff", 1)
    assert read_one(tmp_path, "a.txt", content).text == CHINESE.replace("，", "\ufffd", 1)


def test_line_ends_become_newlines(tmp_path):
    assert read_one(tmp_path, "a.txt", b"one\r\ntwo\rthree\n").text == "one\ntwo\nthree\n"


@pytest.mark.parametrize(
    ("name", "text", "title"),
    [
        ("a.txt", "Ferry timetable\n\nThe first ferry leaves at 5:55.\n", "Ferry timetable"),
        ("a.txt", "\n\n=====\nFerry   timetable\t2025\n=====\n", "Ferry timetable 2025"),
        ("a.txt", "# Opening hours\nNine to five.\n", "Opening hours"),
        ("a.txt", f"{'Long headline of a bureau ' * 9}\n16/04/2025\n", ("Long headline of a bureau " * 9).strip()),
        ("a.txt", "Ferry\u202e tab\u200ble\x07\nThe first ferry leaves. It is early.\n", "Ferry table"),
        ("first_ferry-2024-05.txt", "The ferry leaves at 5:55.\nIt is early.\n", "first ferry 2024-05"),
        ("ferry_notes.txt", "The ferry that leaves at five is the first of the\nday and it is early.\n", "ferry notes"),
        ("ferry-notes.txt", "It rained. We left\nSoon after\n", "ferry notes"),
        ("___.txt", "It rained.\n", "Untitled"),
        ("a.txt", "渡輪時間表\n\n第一班渡輪於五時開出。\n", "渡輪時間表"),
    ],
)
def test_titles_of_plain_text(tmp_path, name, text, title):
    assert read_one(tmp_path, name, text.encode()).title == title


def test_the_headline_of_a_seed_document_is_its_title():
    (path,) = (Path(__file__).parent.parent.parent / "seeds").glob("000_*.txt")
    (document,) = read_file(path, path.name, maximum_bytes=LIMIT)
    assert document.title.startswith("Hong Kong Innovation and Technology Bureau: Enhancing efficiency")
    assert document.title.endswith("Hong Kong Park Construction")
    assert document.text == path.read_text(encoding="utf8")


def test_each_row_of_a_table_can_be_understood_alone(tmp_path):
    content = b'Route,Fare,Note\n"Mui Wo, slow",17.8,"first\nline"\nCheung Chau,15,\n,,\nPeng Chau,14,ok!,extra\n'
    document = read_one(tmp_path, "ferry_fares.csv", content)
    assert document.text.split("\n") == [
        "Route: Mui Wo, slow; Fare: 17.8; Note: first line.",
        "Route: Cheung Chau; Fare: 15.",
        "Route: Peng Chau; Fare: 14; Note: ok!; extra.",
    ]
    assert (document.title, document.media_type) == ("ferry fares", "text/csv")


@pytest.mark.parametrize(
    ("name", "content", "text"),
    [
        (
            "a.csv",
            "Route;Fare\nMui Wo;17,8\nPeng Chau;14,0\n",
            "Route: Mui Wo; Fare: 17,8.\nRoute: Peng Chau; Fare: 14,0.",
        ),
        ("a.tsv", "Route\tFare\nMui Wo\t17.8\n", "Route: Mui Wo; Fare: 17.8."),
        ("a.csv", "Mui Wo,17.8\nPeng Chau,14\n", "Mui Wo; 17.8.\nPeng Chau; 14."),
        ("a.csv", "Route\nMui Wo\nPeng Chau\n", "Route: Mui Wo.\nRoute: Peng Chau."),
        ("a.csv", "Route,Fare\n", "Route; Fare."),
        ("a.csv", "航線,票價\n梅窩,17.8\n", "航線: 梅窩; 票價: 17.8."),
    ],
)
def test_tables_of_many_kinds(tmp_path, name, content, text):
    assert read_one(tmp_path, name, content.encode()).text == text


def test_each_row_of_a_corpus_is_a_document(tmp_path):
    tunnel, unnamed = read_rows(
        tmp_path,
        '\ufeff{"_id": "row/1", "title": " Harbour ", "text": "The tunnel\\r\\nis long.", "url": ""}',
        "",
        '{"_id": 7, "text": "The Peak stands 552 metres above the sea, and on clear days it shows the whole bay."}',
    )
    assert (tunnel.document_id, tunnel.title, tunnel.text) == ("row/1", "Harbour", "The tunnel\nis long.")
    assert (unnamed.document_id, unnamed.media_type) == ("7", "text/plain")
    assert unnamed.title == "The Peak stands 552 metres above the sea, and on clear days it shows the whole…"


def test_the_hash_of_a_row_changes_with_its_title_and_text_only(tmp_path):
    rows = [{"_id": "1", "title": "A", "text": "B"}, {"text": "B", "_id": "2", "title": "A", "url": "x"}]
    rows += [{"_id": "3", "title": "A", "text": "C"}, {"_id": "4", "title": "C", "text": "B"}]
    first, same, other_text, other_title = (row.source_hash for row in read_rows(tmp_path, *map(json.dumps, rows)))
    assert first == same
    assert len({first, other_text, other_title}) == 3


def test_bad_rows_are_named_and_the_others_go_on(tmp_path):
    good = '{"_id": "a", "title": "A", "text": "Text."}'
    rows = read_rows(
        tmp_path,
        "{broken",
        good,
        b'{"_id": "b", "text": "\xff"}',
        "[1]",
        '{"title": "no id", "text": "x"}',
        '{"_id": "c\\n", "text": "x"}',
        '{"_id": "d", "text": " "}',
        '{"_id": "e", "text": 5}',
        '{"_id": "f", "title": ["x"], "text": "x"}',
        good,
        "[" * 100_000,
        f'{{"_id": {"9" * 5000}, "text": "x"}}',
        '{"_id": "g", "text": "half a sign \\ud83d and \\u0000"}',
    )
    assert [row.document_id for row in rows if isinstance(row, Document)] == ["a", "g"]
    assert rows[-1].text == "half a sign \ufffd and \ufffd"
    problems = {row.source: row.reason for row in rows if isinstance(row, Unreadable)}
    assert list(problems) == [f"corpus.jsonl, line {number}" for number in (1, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12)]
    assert problems["corpus.jsonl, line 1"].startswith("is not JSON: Expecting property name")
    assert problems["corpus.jsonl, line 10"] == "repeats the _id of line 2: give each row its own"


def test_a_corpus_is_read_row_by_row(tmp_path):
    path = tmp_path / "corpus.jsonl"
    path.write_text('{"_id": "a", "text": "Text."}\n' * 10_000, encoding="utf8")
    rows = read_file(path, "corpus.jsonl", maximum_bytes=LIMIT)
    assert next(rows).document_id == "a"
    rows.close()


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "is empty"),
        (b"\n \n", "is empty"),
        (b"plain words\n", 'has no row {"_id", "title", "text"}: line 1 is not JSON'),
        (b'\n{"id": "x"}\n', 'has no row {"_id", "title", "text"}: line 2 lacks an "_id"'),
    ],
)
def test_a_file_without_rows_is_no_corpus(tmp_path, content, reason):
    path = tmp_path / "corpus.jsonl"
    path.write_bytes(content)
    with pytest.raises(UnreadableDocumentError) as caught:
        list(read_file(path, "corpus.jsonl", maximum_bytes=LIMIT))
    assert str(caught.value).startswith(reason)


def test_a_stray_nul_does_not_make_a_text_utf16(tmp_path):
    path = tmp_path / "a.txt"
    path.write_bytes(b"Plain words with one stray NUL here\0 and more after it, an even count.."[:70])
    with pytest.raises(UnreadableDocumentError, match="binary"):
        list(read_file(path, "a.txt", maximum_bytes=10_000))
