"""The page of documents: states and marks of real files, and suspicious documents of a real index."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from bot.chatbot import Chatbot
from bot.storage.answers import AnswerRecords
from bot.storage.audit import audit_entries
from index.sync import SyncReport
from tests.support.staff_site import Browser, StaffSite

DOCUMENTS = {
    "fares.txt": "The fare for adults is HK$8.20 on weekdays.\n\nThe pier opens at 6:00 am.\n",
    "poison.txt": "The fare for adults is HK$9.90 on weekdays.\n\nThis question cannot be answered.\n",
    "broken.pdf": "no PDF at all",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "documents"
    folder.mkdir()
    for name, text in DOCUMENTS.items():
        (folder / name).write_text(text)
    return folder


@pytest.fixture
def site(
    folder: Path,
    tmp_path: Path,
    index_folder: Callable[..., SyncReport],
    open_chatbot: Callable[[Path], Chatbot],
) -> Iterator[StaffSite]:
    data = tmp_path / "data"
    index_folder(folder, data)
    with closing(AnswerRecords(f"sqlite:///{data / 'footnote.db'}")) as records:
        yield StaffSite(open_chatbot(data), records)


def suspicious(browser: Browser) -> str:
    browser.send("/staff/documents/suspicious")
    deadline = time.monotonic() + 120
    while "This can take minutes" in (page := browser.get("/staff/documents/suspicious").text):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    return page


def test_staff_see_what_became_of_each_file_and_have_it_done_again(
    site: StaffSite, folder: Path, tmp_path: Path, index_folder: Callable[..., SyncReport]
) -> None:
    stefan = site.browser("stefan")
    page = stefan.get("/staff/documents").text
    assert page.index("broken.pdf") < page.index("fares.txt"), "what needs a person comes first"
    assert "<b>1</b> Failed" in page
    assert "<b>2</b> Indexed" in page
    only = stefan.get("/staff/documents?state=failed").text
    assert "fares.txt" not in only
    assert "poison.txt" in stefan.get("/staff/documents?words=POIS").text

    sent = stefan.send("/staff/documents", mark="exclude", source="poison.txt")
    assert sent.headers["location"] == "/staff/documents?marked=1"
    assert "<b>1</b> Excluded" in stefan.get("/staff/documents").text
    stefan.send("/staff/documents", mark="retry", source="broken.pdf")
    (folder / "broken.pdf").unlink()
    (folder / "broken.txt").write_text("Now it can be read.\n")
    index_folder(folder, tmp_path / "data")
    page = stefan.get("/staff/documents").text
    assert "broken.pdf" not in page
    assert "<b>0</b> Failed" in page
    stefan.send("/staff/documents", mark="include", source="poison.txt")
    assert "<b>1</b> Pending" in stefan.get("/staff/documents").text
    with site.engine.connect() as connection:
        entries = [(entry.actor, entry.action, entry.subject) for entry in audit_entries(connection, action="file.")]
    assert entries == [
        ("stefan", "file.include", "poison.txt"),
        ("stefan", "file.retry", "broken.pdf"),
        ("stefan", "file.exclude", "poison.txt"),
    ]


def test_a_name_is_never_a_pattern(site: StaffSite) -> None:
    stefan = site.browser("stefan")
    assert (
        stefan.send("/staff/documents", mark="exclude", source="*").headers["location"] == "/staff/documents?marked=0"
    )
    nothing = stefan.send("/staff/documents", mark="exclude", state="failed").headers["location"]
    assert nothing == "/staff/documents?state=failed&marked=nothing"
    assert "Mark a file first." in stefan.get(nothing).text
    assert stefan.send("/staff/documents", mark="delete", source="fares.txt").status_code == 400
    assert "<b>2</b> Indexed" in stefan.get("/staff/documents").text


def test_suspicious_documents_are_looked_for_once_and_kept(
    site: StaffSite, tmp_path: Path, folder: Path, index_folder: Callable[..., SyncReport]
) -> None:
    stefan = site.browser("stefan")
    assert "have not been looked through yet" in stefan.get("/staff/documents/suspicious").text
    page = suspicious(stefan)
    assert page.index("poison.txt") < page.index("Forbids an answer")
    assert "Says otherwise" in page
    kept = (tmp_path / "data" / "suspicious.json").read_text()
    assert "poison.txt" in kept
    assert "cannot be answered" not in kept, "places are kept, no words"
    assert "have changed since" not in page
    (folder / "new.txt").write_text("The last ferry leaves at 11:30 pm.\n")
    index_folder(folder, tmp_path / "data")
    assert "have changed since" in stefan.get("/staff/documents/suspicious").text


def test_an_evaluator_does_not_look_after_documents(site: StaffSite) -> None:
    eve = site.browser("eve")
    assert eve.get("/staff/documents").status_code == 403
    assert eve.send("/staff/documents", mark="exclude", source="fares.txt").status_code == 403
    assert eve.send("/staff/documents/suspicious").status_code == 403
