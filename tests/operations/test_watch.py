"""Folders followed while the page serves: real files, real events, real indexing processes."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bot.answer.errors import WatchError
from bot.operations.indexing import index_in_child
from bot.operations.watch import FolderWatch, changes
from bot.settings import Settings
from index.store.catalogue import Catalogue

FERRY = "Ferry\n\nThe first ferry leaves Mui Wo at {}.\n"
PATIENCE = 120.0


class Watched:
    """A folder that is followed, and what is said about it."""

    def __init__(self, root: Path) -> None:
        self.folder = root / "docs"
        self.settings = Settings(data_dir=root / "data", documents=(self.folder,), answerer="extractive")
        self.catalogue = Catalogue(self.settings.catalogue_url())
        self.lines: list[str] = []
        self.watch = FolderWatch(self.settings, self.lines.append)

    def texts(self) -> dict[str, str]:
        found = {}
        for summary in self.catalogue.summaries():
            document = self.catalogue.document(summary.document_id)
            if document:
                found[document.document_id] = document.text
        return found

    def until(self, reached: Callable[[], bool]) -> None:
        end = time.monotonic() + PATIENCE
        while not reached():
            assert time.monotonic() < end, (self.lines, list(self.texts()))
            time.sleep(0.2)


@pytest.fixture
def watched(tmp_path: Path) -> Iterator[Watched]:
    one = Watched(tmp_path)
    one.folder.mkdir()
    (one.folder / "ferry.txt").write_text(FERRY.format("5:55 am"))
    one.watch.start()
    yield one
    one.watch.close()
    one.catalogue.close()


def test_the_index_follows_what_happens_in_the_folder(watched: Watched, tmp_path: Path) -> None:
    folder = watched.folder
    watched.until(lambda: "ferry.txt" in watched.texts())

    # New, in a new folder, copied there slowly: nothing of it is indexed before it is whole.
    (folder / "town").mkdir()
    growing = threading.Event()

    def grow() -> None:
        with (folder / "town" / "long.txt").open("w") as file:
            for number in range(25):
                file.write(f"Sentence {number} about the town hall.\n")
                file.flush()
                growing.wait(0.2)
            file.write("The last sentence.\n")

    writer = threading.Thread(target=grow)
    writer.start()
    # Meanwhile an editor saves: a temporary file beside, then a rename over the old one.
    (folder / ".ferry.txt.swp").write_text(FERRY.format("6:10 am"))
    (folder / ".ferry.txt.swp").rename(folder / "ferry.txt")
    watched.until(lambda: "6:10" in watched.texts().get("ferry.txt", ""))
    watched.until(lambda: "town/long.txt" in watched.texts())
    writer.join()
    assert watched.texts()["town/long.txt"].endswith("The last sentence.\n")
    assert set(watched.texts()) == {"ferry.txt", "town/long.txt"}

    # Renamed, removed, and one that cannot be read: all in one go.
    (folder / "ferry.txt").rename(folder / "boat.txt")
    shutil.rmtree(folder / "town")
    (folder / "cut.pdf").write_bytes(b"%PDF-1.7 this is no document")
    (folder / "tram.txt").write_text("Tram\n\nThe tram runs all night.\n")
    watched.until(lambda: set(watched.texts()) == {"boat.txt", "tram.txt"})

    # What people ask for is done without a change in the folder.
    watched.catalogue.files.exclude(["tram.txt"])
    watched.until(lambda: set(watched.texts()) == {"boat.txt"})
    assert len([line for line in watched.lines if "cut.pdf" in line]) == 1  # said once, not after every run


@pytest.mark.slow
def test_a_folder_that_disappears_leaves_the_index_and_is_followed_again(watched: Watched, tmp_path: Path) -> None:
    watched.until(lambda: "ferry.txt" in watched.texts())
    watched.folder.rename(tmp_path / "away")
    watched.until(lambda: any("could not be indexed" in line for line in watched.lines))
    assert set(watched.texts()) == {"ferry.txt"}
    watched.folder.mkdir()  # the mount point without its disk
    watched.until(lambda: any("No documents to index" in line for line in watched.lines))
    assert set(watched.texts()) == {"ferry.txt"}
    assert all("\n" not in line and "Next try in" in line for line in watched.lines if "could not" in line)
    watched.folder.rmdir()
    (tmp_path / "away").rename(watched.folder)
    (watched.folder / "tram.txt").write_text("Tram\n\nThe tram runs all night.\n")
    watched.until(lambda: set(watched.texts()) == {"ferry.txt", "tram.txt"})
    (watched.folder / "bus.txt").write_text("Bus\n\nThe bus comes twice an hour.\n")
    watched.until(lambda: set(watched.texts()) == {"bus.txt", "ferry.txt", "tram.txt"})


def test_changes_are_told_but_for_hidden_files_and_our_own(tmp_path: Path) -> None:
    folder, ignored = tmp_path / "docs", tmp_path / "docs" / "data"
    ignored.mkdir(parents=True)
    stop = threading.Event()
    told = changes([folder], ignored, stop, lambda line: None)
    assert next(told) == set()  # a tick: the folder is followed from here on
    for name in ("one.txt", ".two.swp", "~$three.docx", "data/footnote.db"):
        (folder / name).write_text("x")
    assert next(batch for batch in told if batch) == {folder / "one.txt"}
    (folder / os.fsdecode(b"caf\xe9.txt")).write_text("x")  # which watchfiles cannot tell of
    assert next(batch for batch in told if batch) == {folder}
    assert next(told) == set()
    (folder / "two.txt").write_text("x")
    assert next(batch for batch in told if batch) == {folder / "two.txt"}
    stop.set()
    assert list(told) == []


def test_what_is_killed_or_cannot_index_is_an_error_of_one_line(tmp_path: Path) -> None:
    missing = Settings(data_dir=tmp_path / "data", documents=(tmp_path / "nowhere",))
    with pytest.raises(WatchError, match=r"nowhere.*check the path"):
        index_in_child(missing, threading.Event())
    stopped = threading.Event()
    stopped.set()
    (tmp_path / "docs").mkdir()
    with pytest.raises(WatchError, match=r"ended with -9"):
        index_in_child(missing.model_copy(update={"documents": (tmp_path / "docs",)}), stopped)
    (tmp_path / "file").write_text("x")
    with pytest.raises(WatchError) as failure:
        index_in_child(missing.model_copy(update={"data_dir": tmp_path / "file"}), threading.Event())
    assert "\n" not in str(failure.value)


def test_the_child_does_not_outlive_its_parent() -> None:
    parent = subprocess.Popen(["sleep", "60"])
    child = subprocess.Popen(
        [sys.executable, "-m", "bot.operations.indexing", str(parent.pid)],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
    )
    try:
        assert child.wait(60) == 1  # that process never was its parent
    finally:
        parent.kill()
        parent.wait()
        child.kill()
        child.wait()


@pytest.mark.slow
def test_the_page_follows_its_folders_and_stops_with_them(tmp_path: Path) -> None:
    folder = tmp_path / "docs"
    folder.mkdir()
    (folder / "ferry.txt").write_text(FERRY.format("5:55 am"))
    # A shell that runs the tests in the background makes its children ignore interrupts.
    program = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); import bot.cli; bot.cli.main()"
    server = subprocess.Popen(
        [sys.executable, "-c", program, "serve", "--watch", "--port", "0", "--data-dir", str(tmp_path / "data")],
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "FOOTNOTE_DOCUMENTS": str(folder), "FOOTNOTE_ANSWERER": "extractive"},
    )
    try:
        assert server.stderr is not None
        assert "Indexed: 1 added.\n" in (server.stderr.readline() for _ in range(3))
        server.send_signal(signal.SIGINT)
        assert server.wait(30) == 130
        assert "Traceback" not in server.stderr.read()
    finally:
        server.kill()
        server.wait()
