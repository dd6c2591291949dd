from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from bot.chatbot import Chatbot
from bot.settings import Settings
from index.embedding.embedder import Vectors
from index.embedding.sentence_transformer import SentenceTransformerEmbedder
from index.errors import IndexBusyError, IndexingError, IndexMismatchError, NoDocumentsError
from index.generation import generations_folder
from index.search.retriever import Retriever
from index.store.catalogue import Catalogue
from index.store.ownership import lock_data_folder
from index.sync import SyncReport, synchronise

IndexFolder = Callable[..., SyncReport]
OpenChatbot = Callable[..., Chatbot]

FERRY = "Ferry timetable\n\nThe first ferry leaves Mui Wo at 5:55 am. Tickets cost HK$17.8 on weekdays.\n"
LIBRARY = "# Library\n\nThe library opens at 9 am. It holds 41,000 books and lends each for 14 days.\n"


@pytest.fixture(autouse=True, params=["sqlite", pytest.param("postgresql", marks=pytest.mark.slow)])
def database(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every test runs on each kind of database; settings name the one that is not in the data folder."""
    if request.param == "postgresql":
        monkeypatch.setenv("FOOTNOTE_DATABASE_URL", request.getfixturevalue("postgresql").make_database())


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "docs"
    (made / "town").mkdir(parents=True)
    (made / "town" / "ferry.txt").write_text(FERRY, encoding="utf-8")
    (made / "library.md").write_text(LIBRARY, encoding="utf-8")
    return made


HOLDER = """
import time
from pathlib import Path
from index.store.ownership import lock_data_folder
with lock_data_folder(Path({data!r})):
    print("held", flush=True)
    time.sleep(60)
"""


def chunk_ids(data_dir: Path) -> set[str]:
    catalogue = Catalogue(Settings(data_dir=data_dir).catalogue_url())
    ids = {chunk.chunk_id for one in catalogue.summaries() for chunk in catalogue.chunks_of(one.document_id)}
    catalogue.close()
    return ids


def found(chatbot: Chatbot, question: str) -> list[str]:
    return [entry.document_id for entry in chatbot.search(question).retrieved]


def test_indexing_twice_computes_no_embedding_and_keeps_every_id(
    folder: Path, tmp_path: Path, index_folder: IndexFolder
) -> None:
    data = tmp_path / "data"
    first = index_folder(folder, data)
    ids, generations = chunk_ids(data), sorted(generations_folder(data).iterdir())
    second = index_folder(folder, data)
    assert first.added == ["library.md", "town/ferry.txt"]
    assert first.embedded == first.chunks > 0
    assert (second.added, second.changed, second.removed, second.failed) == ([], [], [], [])
    assert second.unchanged == first.added
    assert second.embedded == 0
    assert chunk_ids(data) == ids
    assert sorted(generations_folder(data).iterdir()) == generations  # nothing to build either
    assert second.fingerprint == first.fingerprint != ""


def test_a_rebuilt_index_has_the_same_ids_and_fingerprint(
    folder: Path, tmp_path: Path, index_folder: IndexFolder
) -> None:
    one = index_folder(folder, tmp_path / "one")
    other = index_folder(folder, tmp_path / "other")
    assert one.fingerprint == other.fingerprint
    assert chunk_ids(tmp_path / "one") == chunk_ids(tmp_path / "other")


def test_search_follows_change_rename_and_deletion(
    folder: Path, tmp_path: Path, index_folder: IndexFolder, open_chatbot: OpenChatbot
) -> None:
    data = tmp_path / "data"
    index_folder(folder, data)
    chatbot = open_chatbot(data)
    assert found(chatbot, "When does the first ferry leave Mui Wo?")[0] == "town/ferry.txt"

    (folder / "town" / "ferry.txt").write_text(FERRY.replace("5:55", "6:10"), encoding="utf-8")
    changed = index_folder(folder, data)
    assert (changed.changed, changed.unchanged) == (["town/ferry.txt"], ["library.md"])
    answer = chatbot.ask("When does the first ferry leave Mui Wo?")  # the open chatbot moves to the new state by itself
    assert "6:10" in answer.text
    assert "5:55" not in answer.text

    (folder / "town" / "ferry.txt").rename(folder / "boat.txt")
    renamed = index_folder(folder, data)
    assert (renamed.added, renamed.removed) == (["boat.txt"], ["town/ferry.txt"])
    assert set(found(chatbot, "When does the first ferry leave Mui Wo?")) == {"boat.txt", "library.md"}

    (folder / "boat.txt").unlink()
    deleted = index_folder(folder, data)
    assert deleted.removed == ["boat.txt"]
    assert found(chatbot, "When does the first ferry leave Mui Wo?") == ["library.md"]
    assert chatbot.document("boat.txt") is None


def test_of_two_identical_files_one_can_go(
    folder: Path, tmp_path: Path, index_folder: IndexFolder, open_chatbot: OpenChatbot
) -> None:
    data = tmp_path / "data"
    (folder / "copy.txt").write_text(FERRY, encoding="utf-8")
    both = index_folder(folder, data)
    chatbot = open_chatbot(data)
    assert {"copy.txt", "town/ferry.txt"} <= set(found(chatbot, "first ferry from Mui Wo"))
    assert both.embedded < both.chunks or both.chunks == 3  # the title differs from no copy: one vector serves both
    (folder / "copy.txt").unlink()
    assert index_folder(folder, data).removed == ["copy.txt"]
    assert set(found(chatbot, "first ferry from Mui Wo")) == {"town/ferry.txt", "library.md"}
    assert "5:55" in chatbot.ask("When does the first ferry leave Mui Wo?").text


def test_deleted_text_is_in_no_file(folder: Path, tmp_path: Path, index_folder: IndexFolder) -> None:
    data = tmp_path / "data"
    (folder / "secret.txt").write_text("The canary word is Zyxwvutsrq.\n", encoding="utf-8")
    index_folder(folder, data)
    (folder / "secret.txt").unlink()
    index_folder(folder, data)
    holders = [path for path in data.rglob("*") if path.is_file() and b"zyxwvutsrq" in path.read_bytes().lower()]
    assert [path.name for path in holders] in ([], ["footnote.db-wal"])


def test_twelve_unreadable_files_are_named_and_twenty_good_ones_indexed(
    tmp_path: Path, index_folder: IndexFolder
) -> None:
    docs = tmp_path / "docs"
    docs.mkdir()
    for number in range(20):
        (docs / f"good{number:02}.txt").write_text(f"Report {number}\n\nThe number of this report is {number}.\n")
    bad = {
        "empty.txt": b"",
        "spaces.txt": b"  \n \n",
        "program.txt": b"\x7fELF\x02\x01\x01" + bytes(range(256)),
        "picture.txt": b"\x89PNG\r\n\x1a\n" + bytes(200),
        "cut.pdf": b"%PDF-1.7 this is no document",
        "noise.pdf": bytes(range(256)) * 8,
        "text.docx": b"this is no word file",
        "zip.docx": b"PK\x03\x04" + bytes(100),
        "rows.jsonl": b"not json\n",
        "binary.csv": bytes(range(256)) * 8,
        "empty.html": b"<html><body><script>1</script></body></html>",
        "film.mp4": b"\x00\x00\x00\x18ftypmp42",
    }
    for name, content in bad.items():
        (docs / name).write_bytes(content)
    report = index_folder(docs, tmp_path / "data")
    assert len(report.added) == 20
    named = {failure.source.split(":")[0]: failure.reason for failure in report.failed}
    assert set(named) == set(bad)
    assert all(len(reason) >= 8 and "\n" not in reason for reason in named.values())


def test_a_file_that_turns_bad_keeps_its_last_good_version(
    folder: Path, tmp_path: Path, index_folder: IndexFolder, open_chatbot: OpenChatbot
) -> None:
    data = tmp_path / "data"
    index_folder(folder, data)
    (folder / "town" / "ferry.txt").write_bytes(b"\x00\x01\x02" * 100)
    report = index_folder(folder, data)
    assert [failure.source for failure in report.failed] == ["town/ferry.txt"]
    assert report.removed == []
    assert "5:55" in open_chatbot(data).ask("When does the first ferry leave Mui Wo?").text


def test_dry_run_says_what_would_change_and_changes_nothing(
    folder: Path, tmp_path: Path, index_folder: IndexFolder
) -> None:
    data = tmp_path / "data"
    index_folder(folder, data)
    ids = chunk_ids(data)
    (folder / "new.txt").write_text("New\n\nSomething new stands here.\n")
    (folder / "library.md").unlink()
    report = index_folder(folder, data, dry_run=True)
    assert (report.added, report.removed) == (["new.txt"], ["library.md"])
    assert chunk_ids(data) == ids


def test_an_empty_folder_empties_nothing_unless_told(
    folder: Path, tmp_path: Path, index_folder: IndexFolder, open_chatbot: OpenChatbot
) -> None:
    data = tmp_path / "data"
    index_folder(folder, data)
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(NoDocumentsError, match=r"empty.*left as it was"):
        index_folder(empty, data)
    assert chunk_ids(data)
    assert index_folder(empty, data, allow_empty=True).removed == ["library.md", "town/ferry.txt"]
    assert not chunk_ids(data)
    refusal = open_chatbot(data).ask("When does the first ferry leave Mui Wo?").refusal
    assert refusal is not None
    assert refusal.reason == "empty_index"


def test_a_missing_folder_is_named(tmp_path: Path, index_folder: IndexFolder) -> None:
    with pytest.raises(IndexingError, match="nowhere"):
        index_folder(tmp_path / "nowhere", tmp_path / "data")


def test_two_sources_cannot_share_an_id(folder: Path, tmp_path: Path, index_folder: IndexFolder) -> None:
    (folder / "rows.jsonl").write_text('{"_id": "library.md", "title": "Other", "text": "Other words."}\n')
    report = index_folder(folder, tmp_path / "data")
    assert [(failure.source, "library.md" in failure.reason) for failure in report.failed] == [("rows.jsonl", True)]


def test_a_second_run_stops_at_once_and_names_the_first(
    folder: Path, tmp_path: Path, index_folder: IndexFolder
) -> None:
    data = tmp_path / "data"
    holder = subprocess.Popen(
        [
            sys.executable,
            "-c",
            HOLDER.format(data=str(data)),
        ],
        stdout=subprocess.PIPE,
    )
    try:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        begin = time.monotonic()
        with pytest.raises(IndexBusyError, match=str(holder.pid)):
            index_folder(folder, data)
        assert time.monotonic() - begin < 2
    finally:
        holder.kill()
        holder.wait()
    assert index_folder(folder, data).added  # a dead owner holds nothing
    with lock_data_folder(data):
        pass


class _FailsOnce:
    """The real embedder, which fails on a chosen text as a model out of memory would."""

    def __init__(self, embedder: SentenceTransformerEmbedder, word: str) -> None:
        self._embedder, self._word = embedder, word
        self.model_id, self.dimension, self.tokenize = embedder.model_id, 384, embedder.tokenize

    def embed(self, texts: list[str]) -> Vectors:
        if any(self._word in text for text in texts):
            raise MemoryError(self._word)
        return self._embedder.embed(texts)


def test_when_embedding_fails_the_old_version_answers_and_the_next_run_repairs_it(
    folder: Path,
    tmp_path: Path,
    index_folder: IndexFolder,
    open_chatbot: OpenChatbot,
    embedder: SentenceTransformerEmbedder,
) -> None:
    data = tmp_path / "data"
    index_folder(folder, data)
    (folder / "town" / "ferry.txt").write_text(FERRY.replace("5:55", "6:10"), encoding="utf-8")
    settings = Settings(data_dir=data)
    with pytest.raises(MemoryError):
        synchronise([folder], settings, Catalogue(settings.catalogue_url()), _FailsOnce(embedder, "6:10"))
    chatbot = open_chatbot(data)
    assert "5:55" in chatbot.ask("When does the first ferry leave Mui Wo?").text
    assert index_folder(folder, data).changed == ["town/ferry.txt"]
    assert "6:10" in chatbot.ask("When does the first ferry leave Mui Wo?").text


def test_an_index_of_another_model_is_refused_with_advice(
    folder: Path, tmp_path: Path, index_folder: IndexFolder, embedder: SentenceTransformerEmbedder
) -> None:
    data = tmp_path / "data"
    index_folder(folder, data)
    other = _FailsOnce(embedder, "never")
    other.model_id = "another-model@1"
    retriever = Retriever(Catalogue(Settings(data_dir=data).catalogue_url()), other, data)
    with pytest.raises(IndexMismatchError, match=r"all-MiniLM-L6-v2.*another-model.*footnote index"):
        retriever.retrieve(["ferry"], 3)


def test_rows_of_a_corpus_are_documents_that_come_and_go_alone(
    tmp_path: Path, index_folder: IndexFolder, open_chatbot: OpenChatbot
) -> None:
    data, corpus = tmp_path / "data", tmp_path / "corpus.jsonl"
    rows = [
        '{"_id": "row/1", "title": "Harbour", "text": "The harbour tunnel is 1.8 kilometres long."}',
        '{"_id": "row/2", "title": "Peak", "text": "The Peak stands 552 metres above the sea."}',
    ]
    corpus.write_text("\n".join(rows) + "\n", encoding="utf-8")
    assert index_folder(corpus, data).added == ["row/1", "row/2"]
    corpus.write_text(rows[0] + "\n" + rows[1].replace("552", "553") + "\n", encoding="utf-8")
    report = index_folder(corpus, data)
    assert (report.changed, report.unchanged, report.embedded) == (["row/2"], ["row/1"], 1)
    corpus.write_text(rows[0] + "\n", encoding="utf-8")
    assert index_folder(corpus, data).removed == ["row/2"]
    assert found(open_chatbot(data), "harbour tunnel") == ["row/1"]


@pytest.mark.parametrize(
    "damage", ["no folder", "no manifest", "cut database of vectors", "cut words", "noise in words"]
)
def test_a_damaged_generation_is_built_again_without_the_model(
    folder: Path, tmp_path: Path, index_folder: IndexFolder, open_chatbot: OpenChatbot, damage: str
) -> None:
    data = tmp_path / "data"
    index_folder(folder, data)
    (generation,) = generations_folder(data).iterdir()
    if damage == "no folder":
        shutil.rmtree(generation)
    elif damage == "no manifest":
        (generation / "manifest.json").unlink()
    elif damage == "cut database of vectors":
        os.truncate(generation / "chroma" / "chroma.sqlite3", 5_000)
    elif damage == "cut words":
        os.truncate(generation / "keywords.db", 2_000)
    else:
        (generation / "keywords.db").write_bytes(bytes(range(256)) * 40)
    assert "5:55" in open_chatbot(data).ask("When does the first ferry leave Mui Wo?").text  # from the database
    assert index_folder(folder, data).embedded == 0
    (generation,) = generations_folder(data).iterdir()
    assert "5:55" in open_chatbot(data).ask("When does the first ferry leave Mui Wo?").text


def test_links_out_of_the_folder_are_named_and_not_followed(
    folder: Path, tmp_path: Path, index_folder: IndexFolder
) -> None:
    (tmp_path / "private.txt").write_text("Private\n\nNobody may read this.\n")
    (folder / "link.txt").symlink_to(tmp_path / "private.txt")
    (folder / "inside.txt").symlink_to(folder / "town" / "ferry.txt")
    (folder / "gone.txt").symlink_to(tmp_path / "nowhere.txt")
    report = index_folder(folder, tmp_path / "data")
    assert report.added == ["inside.txt", "library.md", "town/ferry.txt"]
    assert sorted(failure.source for failure in report.failed) == ["gone.txt", "link.txt"]


def test_what_is_no_file_or_has_no_name_is_named_on_one_line_and_the_others_go_on(
    folder: Path, tmp_path: Path, index_folder: IndexFolder
) -> None:
    (folder / "self.txt").symlink_to("self.txt")
    (folder / "loop").symlink_to(".")
    os.mkfifo(folder / "queue.txt")
    (folder / "two\nlines.txt").write_text("Ferries\n\nThe ferry is late.\n")
    (folder / os.fsdecode(b"caf\xe9")).mkdir()
    (folder / os.fsdecode(b"caf\xe9") / "menu.txt").write_text("Menu\n\nTea is HK$20.\n")
    report = index_folder(folder, tmp_path / "data")
    assert report.added == ["library.md", "town/ferry.txt"]
    assert {failure.source: failure.reason.split(":")[0] for failure in report.failed} == {
        r"caf\xe9/menu.txt": "has a name that is not text on one line",
        "loop": "is a link to a folder, to itself or to nothing",
        "queue.txt": "is not a regular file",
        "self.txt": "is a link to a folder, to itself or to nothing",
        r"two\nlines.txt": "has a name that is not text on one line",
    }
    assert len(index_folder(folder, tmp_path / "data").unchanged) == 2


def test_a_generation_of_another_model_is_built_again(
    folder: Path, tmp_path: Path, index_folder: IndexFolder, open_chatbot: OpenChatbot
) -> None:
    data = tmp_path / "data"
    index_folder(folder, data)
    catalogue = Catalogue(Settings(data_dir=data).catalogue_url())
    catalogue.set_properties({"embedding_model": "another"})
    catalogue.close()
    with pytest.raises(IndexMismatchError, match="footnote index"):
        open_chatbot(data).ask("When does the first ferry leave Mui Wo?")
    index_folder(folder, data)
    assert "5:55" in open_chatbot(data).ask("When does the first ferry leave Mui Wo?").text


def test_another_way_of_cutting_cuts_every_document_again(
    folder: Path, tmp_path: Path, index_folder: IndexFolder
) -> None:
    data = tmp_path / "data"
    index_folder(folder, data)
    settings = Settings(data_dir=data)
    catalogue = Catalogue(settings.catalogue_url())
    catalogue.set_properties({"pipeline": "an older one"})  # with ids that happen to be the same
    catalogue.close()
    report = index_folder(folder, data)
    assert report.changed == ["library.md", "town/ferry.txt"]
    assert report.embedded == 0
