"""The door of the readers: what is supported, and how each file that cannot be read says why."""

import io
import os
import pkgutil
import random
import zipfile
from collections.abc import Callable
from pathlib import Path

import docx
import pytest

from index.errors import UnreadableDocumentError
from index.readers import SUPPORTED_SUFFIXES, is_supported, read_file
from index.readers.read import _READERS

LIMIT = 1_000_000
PNG = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + bytes(40)


def reason_of(path: Path, maximum_bytes: int = LIMIT) -> str:
    with pytest.raises(UnreadableDocumentError) as caught:
        list(read_file(path, path.name, maximum_bytes=maximum_bytes))
    reason = str(caught.value)
    assert "\n" not in reason
    assert "Traceback" not in reason
    assert path.name not in reason
    return reason


@pytest.mark.parametrize("suffix", sorted(SUPPORTED_SUFFIXES))
def test_each_supported_suffix_names_a_reader_that_exists(suffix: str) -> None:
    assert callable(pkgutil.resolve_name(f"index.readers.{_READERS[suffix]}"))


def word_file(change: Callable[[str, bytes], bytes | None] = lambda _, content: content) -> bytes:
    """Return a Word file after `change(part name, content)`; a part changed to None is left out."""
    whole, changed = io.BytesIO(), io.BytesIO()
    word = docx.Document()
    word.add_paragraph("The library holds 41,000 books.")
    word.save(whole)
    with zipfile.ZipFile(whole) as source, zipfile.ZipFile(changed, "w", zipfile.ZIP_DEFLATED) as target:
        for name in source.namelist():
            content = change(name, source.read(name))
            if content is not None:
                target.writestr(name, content)
    return changed.getvalue()


def change_body(change: Callable[[bytes], bytes | None]) -> bytes:
    return word_file(lambda name, content: change(content) if name == "word/document.xml" else content)


def zip_of(**parts: bytes) -> bytes:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as target:
        for name, content in parts.items():
            target.writestr(name, content)
    return archive.getvalue()


def laughing(body: bytes) -> bytes:
    """Return the XML with entities that expand a thousand million times."""
    entities = b'<!ENTITY a0 "ha">' + b"".join(
        b'<!ENTITY a%d "%s">' % (level, b"&a%d;" % (level - 1) * 10) for level in range(1, 10)
    )
    head, _, rest = body.partition(b"?>")
    rest = rest.replace(b"<w:p>", b'<w:p w:rsidR="&a9;">', 1)
    return head + b"?><!DOCTYPE w:document [" + entities + b"]>" + rest


WORD = word_file()
NO_WORD = "is damaged or no Word document: open it in a word processor and save it again as .docx"
NOISE = random.Random(2).randbytes(3_000)
TOO_MUCH = "unpacks to more than is safe to read: save it without pictures, or split it"
NOT_TEXT = "is not text but "


@pytest.mark.parametrize("suffix", sorted(SUPPORTED_SUFFIXES))
def test_supported_suffixes_are_known_in_capitals_too(suffix):
    assert is_supported(Path(f"town/notice{suffix}"))
    assert is_supported(Path(f"NOTICE{suffix.upper()}"))


@pytest.mark.parametrize("name", ["notice.exe", "notice", ".txt", "notice.txt.bak", "notice.doc"])
def test_other_files_are_not_supported(name):
    assert not is_supported(Path(name))


@pytest.mark.parametrize("suffix", sorted(SUPPORTED_SUFFIXES))
@pytest.mark.parametrize("content", [b"", b" \r\n\t\n"])
def test_an_empty_file_says_so(tmp_path, suffix, content):
    path = tmp_path / f"a{suffix}"
    path.write_bytes(content)
    assert reason_of(path) == "is empty"


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("a.txt", PNG, NOT_TEXT + "a PNG picture: give it its right suffix, or save it as text"),
        ("a.txt", b"\x7fELF\x02\x01\x01" + bytes(60), NOT_TEXT + "a program"),
        ("a.txt", WORD, NOT_TEXT + "a zip archive or an office document"),
        ("a.txt", b"%PDF-1.7 words", NOT_TEXT + "a PDF"),
        ("a.txt", b"Words and\x00 more words", NOT_TEXT + "binary data: save its contents as text"),
        ("a.txt", b"Words" + b"\x01\x02" * 5, NOT_TEXT + "binary data"),
        ("a.txt", bytes(range(256)) * 20, NOT_TEXT + "binary data"),
        ("a.txt", bytes(set(range(256)) - {0}) * 20, "is in a character encoding that cannot be told: save"),
        ("a.md", PNG, NOT_TEXT + "a PNG picture"),
        ("a.md", b"<!-- nothing -->\n\n---\n", "has no text"),
        ("a.csv", NOISE, NOT_TEXT + "binary data"),
        ("a.csv", b",,\n,,\n", "has no rows"),
        ("a.csv", b"a,b\n" + b'"' + b"x" * 200_000 + b'",1\n', "is not a table that can be read (field larger than"),
        ("a.html", PNG, NOT_TEXT + "a PNG picture"),
        ("a.html", b"<html></html>", "has no text: if a script fills the page in"),
        ("a.html", b"<title>App</title><body><div id=root></div><script>run()</script>", "has no text"),
        ("a.html", b"<b>" * 1_000_001, "has more than 1,000,000 tags: split it into several pages"),
        ("a.html", b"<table><tr><td>" * 1_000, "is nested deeper than 2,000 tags: save it as text"),
        ("a.md", b"<div>" * 2_001, "is nested deeper than 2,000 tags: save it as text"),
        ("a.docx", b"plain words", NO_WORD),
        ("a.docx", NOISE, NO_WORD),
        ("a.docx", WORD[: len(WORD) // 2], NO_WORD),
        ("a.docx", zip_of(words=b"Not a Word document."), NO_WORD),
        ("a.docx", change_body(lambda _: None), NO_WORD),
        ("a.docx", change_body(lambda body: body[: len(body) // 2]), NO_WORD),
        ("a.docx", change_body(lambda _: b""), NO_WORD),
        ("a.docx", change_body(lambda body: body.replace(b"w:body", b"w:other")), NO_WORD),
        ("a.docx", change_body(laughing), NO_WORD),
        ("a.docx", change_body(lambda body: body.replace(b"<w:t>", b"<w:t>" * 5_000)), NO_WORD),
        ("a.docx", change_body(lambda body: body.replace(b"The library holds 41,000 books.", b" ")), "has no text"),
        ("a.docx", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "is encrypted or an old Word document"),
        ("a.docx", zip_of(bomb=bytes(30_000_000)), TOO_MUCH),
        ("a.docx", zip_of(**{f"part{number}": b"" for number in range(10_001)}), TOO_MUCH),
    ],
)  # fmt: skip
def test_files_that_cannot_be_read_say_why(tmp_path, name, content, reason):
    (tmp_path / name).write_bytes(content)
    assert reason_of(tmp_path / name, maximum_bytes=4_000_000).startswith(reason)


@pytest.mark.parametrize("suffix", [".txt", ".jsonl"])
def test_files_that_cannot_be_opened_say_why(tmp_path, suffix):
    (tmp_path / f"folder{suffix}").mkdir()
    (tmp_path / f"broken{suffix}").symlink_to(tmp_path / "nowhere")
    (tmp_path / f"loop{suffix}").symlink_to(tmp_path / f"loop{suffix}")
    os.mkfifo(tmp_path / f"pipe{suffix}")
    assert reason_of(tmp_path / f"folder{suffix}") == "is a folder with the name of a document: rename it"
    assert reason_of(tmp_path / f"broken{suffix}") == "is not there: it was removed, or it is a broken link"
    assert reason_of(tmp_path / f"loop{suffix}").startswith("cannot be read from the disk: Too many levels")
    assert reason_of(tmp_path / f"pipe{suffix}").startswith("is not a regular file")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_without_permission_says_so(tmp_path):
    (tmp_path / "a.txt").write_text("Words.", encoding="utf8")
    (tmp_path / "a.txt").chmod(0)
    assert reason_of(tmp_path / "a.txt") == "may not be opened: give yourself permission to read it"


@pytest.mark.skipif(not Path("/proc/self/mem").exists(), reason="needs a file that fails while it is read")
@pytest.mark.parametrize("suffix", [".txt", ".jsonl"])
def test_a_file_that_fails_while_it_is_read_says_so(tmp_path, suffix):
    (tmp_path / f"a{suffix}").symlink_to("/proc/self/mem")
    assert reason_of(tmp_path / f"a{suffix}").startswith("cannot be read from the disk: Input/output error")


@pytest.mark.parametrize("suffix", sorted(SUPPORTED_SUFFIXES))
def test_a_file_above_the_limit_is_refused(tmp_path, suffix):
    path = tmp_path / f"a{suffix}"
    path.write_bytes(b"x" * 1_001)
    assert reason_of(path, maximum_bytes=1_000) == "is larger than 1,000 bytes: split it, or raise the limit"


def test_a_name_that_is_no_text_is_refused(tmp_path):
    (tmp_path / "a.txt").write_text("Words.", encoding="utf8")
    with pytest.raises(UnreadableDocumentError, match="has a name that is not valid text: rename it"):
        list(read_file(tmp_path / "a.txt", "caf\udce9.txt", maximum_bytes=LIMIT))
