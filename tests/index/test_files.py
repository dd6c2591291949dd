"""What is indexed, pending, failed and excluded, and why."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from bot.settings import Settings
from index.embedding.embedder import Vectors
from index.embedding.sentence_transformer import SentenceTransformerEmbedder
from index.errors import IndexingError, NoDocumentsError
from index.store.catalogue import Catalogue
from index.store.files import FileRegister
from index.sync import SyncReport, synchronise

IndexFolder = Callable[..., SyncReport]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "docs"
    (made / "drafts").mkdir(parents=True)
    (made / "ferry.txt").write_text("Ferry\n\nThe first ferry leaves Mui Wo at 5:55 am.\n")
    (made / "drafts" / "plan.txt").write_text("Plan\n\nThe pier is to be rebuilt in 2031.\n")
    (made / "cut.pdf").write_bytes(b"%PDF-1.7 this is no document")
    return made


@pytest.fixture
def files(tmp_path: Path) -> Iterator[FileRegister]:
    catalogue = Catalogue(Settings(data_dir=tmp_path / "data").catalogue_url())
    yield catalogue.files
    catalogue.close()


def states(files: FileRegister) -> dict[str, tuple[str, int]]:
    return {record.source: (record.state, record.documents) for record in files.records()}


def test_every_file_has_a_state_and_a_failed_one_a_reason(
    folder: Path, tmp_path: Path, files: FileRegister, index_folder: IndexFolder
) -> None:
    (folder / "rows.jsonl").write_text('{"_id": "a", "text": "One row."}\nno row\n{"_id": "b", "text": "Two."}\n[]\n')
    (folder / "film.mp4").write_bytes(b"\x00\x00\x00\x18ftypmp42")
    index_folder(folder, tmp_path / "data")
    assert states(files) == {
        "cut.pdf": ("failed", 0),
        "drafts/plan.txt": ("indexed", 1),
        "ferry.txt": ("indexed", 1),
        "film.mp4": ("failed", 0),
        "rows.jsonl": ("failed", 2),  # what could be read of it is there
    }
    reasons = {record.source: record.reason for record in files.records() if record.reason}
    assert reasons["rows.jsonl"].startswith("line 2 is not JSON")
    assert reasons["rows.jsonl"].endswith("(and 1 more)")
    assert "not a supported format" in reasons["film.mp4"]
    assert all(record.seen_at is not None for record in files.records())
    (folder / "film.mp4").unlink()
    index_folder(folder, tmp_path / "data")
    assert "film.mp4" not in states(files)


class _Interrupted:
    """The real embedder, pulled from under the run at its first text."""

    def __init__(self, embedder: SentenceTransformerEmbedder) -> None:
        self.model_id, self.dimension, self.tokenize = embedder.model_id, 384, embedder.tokenize

    def embed(self, _texts: list[str]) -> Vectors:
        raise KeyboardInterrupt


def test_what_an_interrupted_run_did_not_reach_is_pending(
    folder: Path, tmp_path: Path, files: FileRegister, index_folder: IndexFolder, embedder: SentenceTransformerEmbedder
) -> None:
    settings = Settings(data_dir=tmp_path / "data")
    with pytest.raises(KeyboardInterrupt):
        synchronise([folder], settings, Catalogue(settings.catalogue_url()), _Interrupted(embedder))
    assert states(files)["ferry.txt"] == ("pending", 0)
    assert files.is_work_waiting()
    index_folder(folder, tmp_path / "data")
    assert states(files)["ferry.txt"] == ("indexed", 1)
    assert not files.is_work_waiting()


def test_an_excluded_file_leaves_the_index_unread_and_comes_back_when_included(
    folder: Path, tmp_path: Path, files: FileRegister, index_folder: IndexFolder
) -> None:
    data = tmp_path / "data"
    index_folder(folder, data)
    assert files.exclude(["drafts/*"]) == ["drafts/plan.txt"]
    assert states(files)["drafts/plan.txt"] == ("excluded", 1)
    assert files.is_work_waiting()
    (folder / "drafts" / "plan.txt").chmod(0)  # never read, so nothing to complain about
    report = index_folder(folder, data)
    assert (report.removed, report.excluded) == (["drafts/plan.txt"], ["drafts/plan.txt"])
    assert "drafts/plan.txt" not in [failure.source for failure in report.failed]
    assert states(files)["drafts/plan.txt"] == ("excluded", 0)
    assert not files.is_work_waiting()

    (folder / "drafts" / "plan.txt").chmod(0o600)
    files.include(["drafts/plan.txt"])
    assert states(files)["drafts/plan.txt"] == ("pending", 0)
    report = index_folder(folder, data)
    assert (report.added, report.embedded) == (["drafts/plan.txt"], 1)


def test_an_exclusion_outlives_the_absence_of_its_file(
    folder: Path, tmp_path: Path, files: FileRegister, index_folder: IndexFolder
) -> None:
    data = tmp_path / "data"
    index_folder(folder, data)
    files.exclude(["ferry.txt"])
    kept = (folder / "ferry.txt").rename(tmp_path / "ferry.txt")
    index_folder(folder, data)
    kept.rename(folder / "ferry.txt")
    assert index_folder(folder, data).excluded == ["ferry.txt"]


def test_every_document_may_be_excluded(
    folder: Path, tmp_path: Path, files: FileRegister, index_folder: IndexFolder
) -> None:
    index_folder(folder, tmp_path / "data")
    files.exclude(["*"])
    assert index_folder(folder, tmp_path / "data").removed == ["drafts/plan.txt", "ferry.txt"]


def test_a_file_marked_while_a_run_goes_on_keeps_its_mark(
    folder: Path, tmp_path: Path, files: FileRegister, index_folder: IndexFolder, embedder: SentenceTransformerEmbedder
) -> None:
    data = tmp_path / "data"
    index_folder(folder, data)
    (folder / "new.txt").write_text("New\n\nThe tram runs all night.\n")

    class Marking(_Interrupted):
        def embed(self, texts: list[str]) -> Vectors:
            files.retry(["ferry.txt"])
            files.exclude(["new.txt"])
            return embedder.embed(texts)

    settings = Settings(data_dir=data)
    synchronise([folder], settings, Catalogue(settings.catalogue_url()), Marking(embedder))
    assert states(files)["ferry.txt"] == ("pending", 1)
    assert states(files)["new.txt"] == ("excluded", 1)
    assert files.is_work_waiting()
    assert index_folder(folder, data).removed == ["new.txt"]


def unattended(folder: Path, data: Path, embedder: SentenceTransformerEmbedder) -> SyncReport:
    settings = Settings(data_dir=data)
    return synchronise([folder], settings, Catalogue(settings.catalogue_url()), embedder, unattended=True)


def test_unattended_a_failed_file_is_read_again_only_when_it_changed_or_somebody_asks(
    folder: Path, tmp_path: Path, files: FileRegister, index_folder: IndexFolder, embedder: SentenceTransformerEmbedder
) -> None:
    data = tmp_path / "data"
    first = index_folder(folder, data)
    files.write({"cut.pdf": replace(files.last_outcomes()["cut.pdf"], reason="took too long")})
    for path in folder.rglob("*.*"):
        settle(path)
    assert [failure.reason for failure in unattended(folder, data, embedder).failed] == ["took too long"]
    files.retry(["cut.pdf"])
    assert unattended(folder, data, embedder).failed == first.failed
    assert index_folder(folder, data).failed == first.failed


def settle(path: Path) -> None:
    os.utime(path, (1_700_000_000, 1_700_000_000))


def test_unattended_a_file_that_is_being_written_waits_and_keeps_its_last_version(
    folder: Path, tmp_path: Path, files: FileRegister, index_folder: IndexFolder, embedder: SentenceTransformerEmbedder
) -> None:
    data = tmp_path / "data"
    index_folder(folder, data)
    for path in folder.rglob("*.*"):
        settle(path)
    (folder / "ferry.txt").write_text("Ferry\n\nThe first ferry le")
    report = unattended(folder, data, embedder)
    assert (report.pending, report.removed, report.changed) == (["ferry.txt"], [], [])
    assert states(files)["ferry.txt"] == ("pending", 1)
    assert not files.is_work_waiting()  # nobody asked for it: it comes when it is still
    settle(folder / "ferry.txt")
    assert unattended(folder, data, embedder).changed == ["ferry.txt"]


def test_unattended_other_folders_are_refused(
    folder: Path, tmp_path: Path, index_folder: IndexFolder, embedder: SentenceTransformerEmbedder
) -> None:
    index_folder(folder, tmp_path / "data")
    other = tmp_path / "other"
    other.mkdir()
    (other / "else.txt").write_text("Something else.\n")
    with pytest.raises(IndexingError, match=r"docs'.*other'.*documents"):
        unattended(other, tmp_path / "data", embedder)
    assert index_folder(other, tmp_path / "data").added == ["else.txt"]


def test_one_empty_folder_of_two_takes_nothing_out(tmp_path: Path, embedder: SentenceTransformerEmbedder) -> None:
    shares = [tmp_path / "north", tmp_path / "south"]
    for share in shares:
        share.mkdir()
        (share / f"{share.name}.txt").write_text(f"The office of the {share.name} opens at nine.\n")
    settings = Settings(data_dir=tmp_path / "data")
    catalogue = Catalogue(settings.catalogue_url())
    synchronise(shares, settings, catalogue, embedder)
    (shares[1] / "south.txt").unlink()
    with pytest.raises(NoDocumentsError, match=r"south' is empty.*--allow-empty"):
        synchronise(shares, settings, catalogue, embedder)
    assert [one.document_id for one in catalogue.summaries()] == ["north.txt", "south.txt"]
    assert synchronise(shares, settings, catalogue, embedder, allow_empty=True).removed == ["south.txt"]
    catalogue.close()


def test_the_documents_of_a_folder_that_cannot_be_looked_into_stay(
    folder: Path, tmp_path: Path, index_folder: IndexFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = tmp_path / "data"
    index_folder(folder, data)
    real = os.scandir  # nobody is denied anything where the tests run as root

    def scan(path: object) -> object:
        if str(path).endswith("drafts"):
            raise PermissionError(13, "Permission denied", str(path))
        return real(path)

    monkeypatch.setattr(os, "scandir", scan)
    report = index_folder(folder, data)
    assert report.removed == []
    assert ("drafts", "may not be opened: give yourself permission to read it") in [
        (one.source, one.reason) for one in report.failed
    ]


def test_names_that_mean_no_file_are_refused(
    folder: Path, tmp_path: Path, files: FileRegister, index_folder: IndexFolder
) -> None:
    index_folder(folder, tmp_path / "data")
    with pytest.raises(IndexingError, match=r"nowhere\.txt.*--status"):
        files.retry(["ferry.txt", "nowhere.txt"])
    assert not files.is_work_waiting()


def test_the_command_line_shows_and_marks(folder: Path, tmp_path: Path, index_folder: IndexFolder) -> None:
    data = tmp_path / "data"
    index_folder(folder, data)

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        footnote = str(Path(sys.executable).parent / "footnote")
        command = [footnote, "index", *arguments, "--data-dir", str(data)]
        return subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)

    listed = json.loads(run("--status", "--json").stdout)
    assert [(one["source"], one["state"], one["documents"]) for one in listed] == [
        ("cut.pdf", "failed", 0),
        ("drafts/plan.txt", "indexed", 1),
        ("ferry.txt", "indexed", 1),
    ]
    marked = run("--exclude", "drafts/*", "--retry", "cut.pdf", "--status")
    assert marked.stderr.splitlines() == [
        "The next run will take out of the index: drafts/plan.txt",
        "The next run will read again: cut.pdf",
    ]
    assert marked.stdout.splitlines() == [
        "1 indexed, 1 pending, 0 failed, 1 excluded",
        "pending  cut.pdf",
        "excluded drafts/plan.txt",
    ]
    wrong = run("--retry", "nowhere.txt")
    assert (wrong.returncode, len(wrong.stderr.splitlines())) == (1, 1)
    assert run("--status", str(folder)).returncode == 2
