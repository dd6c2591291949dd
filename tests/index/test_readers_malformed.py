"""Malformed files: each is named with a reason, the good ones are read, and changed bytes do no harm."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from index.document import Document
from index.errors import UnreadableDocumentError
from index.readers.process import ReadingProcess
from index.readers.source_file import Unreadable
from index.sync import SyncReport
from tests.support.documents.written import FORMATS, Part

_PARTS = [Part("Opening hours", ("The library opens at 9 am on weekdays.",)), Part("Fares", ("A ticket is HK$17.8.",))]
_PNG = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + bytes(400)
_LARGEST = 10_000_000
# In these formats any bytes that are text are a document.
_PLAIN = ("txt", "md", "csv", "html")


@pytest.fixture(scope="module")
def reading() -> Iterator[ReadingProcess]:
    with ReadingProcess() as process:
        yield process


def malformed(suffix: str) -> dict[str, bytes]:
    """Return a dozen files that are none of this format."""
    good = FORMATS[suffix]("Notice", _PARTS)
    noise = random.Random(suffix).randbytes
    made = {
        "empty": b"",
        "blank": b" \r\n\t ",
        "noise": noise(5_000),
        "picture": _PNG,
        "program": b"\x7fELF\x02\x01\x01" + noise(600),
        "zeros": bytes(5_000),
        "old office": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + noise(600),
        "gzip": b"\x1f\x8b\x08" + noise(600),
        "database": b"SQLite format 3\x00" + noise(600),
    }
    if suffix in _PLAIN:
        made |= {
            "control": b"Words" + b"\x01\x02\x03" * 90,
            "zip": b"PK\x03\x04" + noise(600),
            "pdf": b"%PDF-" + noise(90),
        }
    elif suffix in {"eml", "jsonl"}:
        made |= {"prose": b"no headers here", "brackets": b"]" * 90, "number": b"17"}
    else:
        made |= {"cut": good[: len(good) // 2], "prose": b"Words in no format.", "tail": good[len(good) // 2 :]}
    return made


@pytest.mark.parametrize("suffix", FORMATS)
def test_f1_malformed_files_are_named_and_good_ones_read(tmp_path: Path, suffix: str, reading: ReadingProcess) -> None:
    good = {f"good{number}.{suffix}": FORMATS[suffix](f"Notice {number}", _PARTS) for number in range(20)}
    bad = {f"{name}.{suffix}": content for name, content in malformed(suffix).items()}
    assert len(bad) == 12
    read, reasons = set(), {}
    for name, content in {**bad, **good}.items():
        (tmp_path / name).write_bytes(content)
        try:
            parts = list(reading.read_file(tmp_path / name, name, maximum_bytes=_LARGEST))
        except UnreadableDocumentError as error:
            reasons[name] = str(error)
        else:
            assert all(isinstance(part, Document) for part in parts)
            read.add(name)
    assert set(good) == read
    assert set(bad) == set(reasons)
    assert not [reason for reason in reasons.values() if "\n" in reason or "crash" in reason or "takes" in reason]


def test_f1_the_report_names_every_bad_file(tmp_path: Path, index_folder: Callable[..., SyncReport]) -> None:
    folder = tmp_path / "docs"
    folder.mkdir()
    for suffix, write in FORMATS.items():
        (folder / f"bad.{suffix}").write_bytes(malformed(suffix)["noise"])
        (folder / f"good.{suffix}").write_bytes(write("Notice", _PARTS))
    report = index_folder(folder, tmp_path / "data")
    assert {failure.source for failure in report.failed} == {f"bad.{suffix}" for suffix in FORMATS}
    assert len(report.added) == len(FORMATS) + 1  # the corpus has two rows


def mutations(content: bytes, count: int, seed: str) -> Iterator[bytes]:
    """Yield the file with a few bytes changed, cut out, doubled or moved."""
    chance = random.Random(seed)
    for _ in range(count):
        changed = bytearray(content)
        for _ in range(chance.choice((1, 2, 8, 64))):
            start = chance.randrange(len(changed))
            end = min(len(changed), start + chance.choice((1, 4, 64, 512)))
            match chance.randrange(4):
                case 0:
                    changed[start:end] = chance.randbytes(end - start)
                case 1 if end - start < len(changed) // 2:
                    del changed[start:end]
                case 2:
                    changed[start:start] = changed[start:end]
                case _:
                    changed[start] ^= 1 << chance.randrange(8)
        yield bytes(changed)


@pytest.mark.parametrize("count", [40, pytest.param(2_000, marks=[pytest.mark.slow, pytest.mark.timeout(3_600)])])
@pytest.mark.parametrize("suffix", FORMATS)
def test_f3_changed_bytes_do_no_harm(tmp_path: Path, suffix: str, count: int, reading: ReadingProcess) -> None:
    path = tmp_path / f"a.{suffix}"
    reasons = []
    for content in mutations(FORMATS[suffix]("Notice", _PARTS), count, suffix):
        path.write_bytes(content)
        try:
            for part in reading.read_file(path, path.name, maximum_bytes=_LARGEST):
                assert isinstance(part, Document | Unreadable)
        except UnreadableDocumentError as error:
            reasons.append(str(error))
    assert not [reason for reason in reasons if "\n" in reason]
    ended = [reason for reason in reasons if "crash" in reason or "takes too long" in reason]
    assert len(ended) <= count // 100  # a parser may crash; that is what the process is for, but it should be rare
