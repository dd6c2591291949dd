"""Backups made under load and restored elsewhere; what is no whole backup is refused."""

from __future__ import annotations

import io
import json
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bot.answer.answer import Answer
from bot.answer.errors import BackupError
from bot.chatbot import Chatbot
from bot.settings import Settings
from bot.storage.answers import AnswerRecords
from bot.storage.backup import DATABASE, MANIFEST, back_up, restore
from eval.suites.suite import load_suites
from index.errors import IndexingError
from index.sync import SyncReport

ROOT = Path(__file__).parent.parent.parent
SEEDS = ROOT / "seeds"
FOOTNOTE = Path(sys.executable).parent / "footnote"

IndexFolder = Callable[..., SyncReport]
OpenChatbot = Callable[..., Chatbot]
Members = dict[str, tuple[tarfile.TarInfo, bytes]]


def golden_questions() -> list[str]:
    (suite,) = load_suites([ROOT / "eval" / "suites" / "seed.yaml"])
    return [one.question for one in suite.questions if one.answerable and not one.history]


def said(answer: Answer) -> tuple[object, ...]:
    quotes = tuple((one.document_id, one.start, one.end, one.quote) for one in answer.citations)
    return answer.kind, answer.text, quotes


def test_ten_backups_under_load_answer_as_the_index_did(
    tmp_path: Path, index_folder: IndexFolder, open_chatbot: OpenChatbot
) -> None:
    docs, data = tmp_path / "docs", tmp_path / "data"
    shutil.copytree(SEEDS, docs)

    def index(number: int) -> None:
        # As long and as many as before: how rare the words of the questions are stays the same, and so do the answers.
        (docs / f"cat{number % 3}.txt").write_text(f"Cats\n\nCat number {number:06} sleeps on the warm windowsill.\n")
        index_folder(docs, data)
        indexed.set()

    indexed = threading.Event()
    for number in range(3):
        index(number)
    chatbot = open_chatbot(data)
    questions = [question for question in golden_questions() if chatbot.ask(question).kind == "answer"][:10]
    expected = [said(chatbot.ask(question)) for question in questions]
    assert len(expected) == 10
    done = threading.Event()
    problems: list[BaseException] = []

    def repeat(work: Callable[[int], object]) -> Callable[[], None]:
        def loop() -> None:
            number = 0
            while not done.is_set():
                try:
                    work(number)
                except BaseException as error:  # noqa: BLE001  # told by the test
                    problems.append(error)
                    return
                number += 1

        return loop

    threads = [
        threading.Thread(target=repeat(lambda number: chatbot.search(questions[number % 10]))),
        threading.Thread(target=repeat(lambda number: index(number + 3))),
    ]
    for thread in threads:
        thread.start()
    try:
        copies = [tmp_path / f"{number}.tar.gz" for number in range(10)]
        manifests = [back_up(chatbot.settings, None, copy) for copy in copies[:5]]
        indexed.clear()
        assert indexed.wait(120)
        manifests += [back_up(chatbot.settings, None, copy) for copy in copies[5:]]
    finally:
        done.set()
        for thread in threads:
            thread.join()
    assert problems == []
    assert len({manifest.index.fingerprint for manifest in manifests}) > 1  # the index did change meanwhile

    for number, copy in enumerate(copies):
        elsewhere = tmp_path / f"restored{number}"
        manifest = restore(Settings(data_dir=elsewhere), copy)
        assert manifest == manifests[number]
        restored = open_chatbot(elsewhere)
        assert [said(restored.ask(question)) for question in questions] == expected
        assert restored.overview().fingerprint == manifest.index.fingerprint


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory, seed_data: Path) -> Path:
    """A backup of the seed documents."""
    target = tmp_path_factory.mktemp("saved") / "seeds.tar.gz"
    back_up(Settings(data_dir=seed_data), None, target)
    return target


def test_a_restored_folder_holds_what_cannot_be_built_again(
    tmp_path: Path, index_folder: IndexFolder, open_chatbot: OpenChatbot
) -> None:
    docs, data = tmp_path / "docs", tmp_path / "data"
    docs.mkdir()
    (docs / "ferry.txt").write_text("Ferry\n\nThe first ferry leaves Mui Wo at 5:55 am.\n")
    index_folder(docs, data)
    answer = open_chatbot(data).ask("When does the first ferry leave Mui Wo?")
    records = AnswerRecords(Settings(data_dir=data).catalogue_url())
    records.rate(answer, "", "down", reason="incomplete", comment="And on Sundays?")
    records.close()
    (data / "suites").mkdir()
    (data / "suites" / "own.yaml").write_text("- id: own\n")
    (tmp_path / "own.toml").write_text("top_k = 5\n")

    def run(*arguments: object, expect: int = 0) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [str(FOOTNOTE), *map(str, arguments)],
            capture_output=True,
            text=True,
            check=False,
            timeout=240,
            env={**os.environ, "FOOTNOTE_ANSWERER": "extractive"},
        )
        assert done.returncode == expect, done.stderr
        assert "Traceback" not in done.stderr
        return done

    copy, elsewhere = tmp_path / "copy.tar.gz", tmp_path / "elsewhere"
    done = run("backup", copy, "--data-dir", data, "--config", tmp_path / "own.toml")
    assert "Saved 1 documents in 1 chunks, and 1 other files," in done.stdout
    assert copy.stat().st_mode & 0o777 == 0o600
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []
    with tarfile.open(copy) as archive:
        assert archive.getnames()[0] == MANIFEST
        assert sorted(archive.getnames()[1:]) == ["data/suites/own.yaml", DATABASE, "settings.toml"]

    done = run("restore", copy, "--data-dir", elsewhere)
    assert "Restored 1 documents" in done.stdout
    assert "--config" in done.stderr
    assert (elsewhere / "suites" / "own.yaml").read_text() == "- id: own\n"
    assert (elsewhere / "footnote.toml").read_text() == "top_k = 5\n"
    assert said(open_chatbot(elsewhere).ask("When does the first ferry leave Mui Wo?")) == said(answer)
    records = AnswerRecords(Settings(data_dir=elsewhere).catalogue_url())
    assert [one.rating_comment for one in records.latest()] == ["And on Sundays?"]
    records.close()
    assert index_folder(docs, elsewhere).unchanged == ["ferry.txt"]  # nothing is embedded again

    refused = run("restore", copy, "--data-dir", elsewhere, expect=1)
    assert len(refused.stderr.splitlines()) == 1
    assert "is not empty" in refused.stderr


def test_a_backup_that_would_be_of_no_use_is_refused(saved: Path, seed_data: Path, tmp_path: Path) -> None:
    settings = Settings(data_dir=seed_data)
    for target, words in (
        (saved, "already: name another"),
        (seed_data / "copy.tar.gz", "another place"),
        (tmp_path / "nowhere" / "copy.tar.gz", "No such file or directory"),
    ):
        with pytest.raises(BackupError, match=words):
            back_up(settings, None, target)
    with pytest.raises(IndexingError, match=r"no database.*--data-dir"):
        back_up(Settings(data_dir=tmp_path / "new"), None, tmp_path / "copy.tar.gz")
    with pytest.raises(BackupError, match="no backup at"):
        restore(Settings(data_dir=tmp_path / "new"), tmp_path / "copy.tar.gz")
    (tmp_path / "file").write_text("x")
    with pytest.raises(BackupError, match="choose another with --data-dir"):
        restore(Settings(data_dir=tmp_path / "file"), saved)


def test_an_index_without_documents_can_be_saved_too(tmp_path: Path) -> None:
    from index.store.catalogue import Catalogue

    settings = Settings(data_dir=tmp_path / "data")
    Catalogue(settings.catalogue_url()).close()
    assert back_up(settings, None, tmp_path / "copy.tar.gz").index.documents == 0
    assert restore(Settings(data_dir=tmp_path / "new"), tmp_path / "copy.tar.gz").index.fingerprint == ""


def rewrite(saved: Path, target: Path, change: Callable[[Members], None]) -> None:
    """Write a backup again with its members changed by hand."""
    with tarfile.open(saved) as archive:
        files = {entry.name: (entry, archive.extractfile(entry)) for entry in archive}
        members = {name: (entry, content.read() if content else b"") for name, (entry, content) in files.items()}
    change(members)
    with tarfile.open(target, "w:gz", compresslevel=1) as archive:
        for entry, content in members.values():
            if entry.isreg():
                entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content) if entry.isreg() else None)


def with_manifest(members: Members, change: Callable[[dict[str, Any]], object]) -> None:
    entry, content = members[MANIFEST]
    manifest = json.loads(content)
    change(manifest)
    members[MANIFEST] = (entry, json.dumps(manifest).encode())


def named(name: str, kind: bytes = tarfile.REGTYPE, link: str = "") -> tarfile.TarInfo:
    entry = tarfile.TarInfo(name)
    entry.type, entry.linkname = kind, link
    return entry


SMALL = {"size": 1, "sha256": "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881"}  # of b"x"

OUTSIDE = Path(tempfile.gettempdir()) / "footnote-outside"


def with_member(entry: tarfile.TarInfo, promised: dict[str, object]) -> Callable[[Members], object]:
    """Return what adds a member that the manifest knows of."""

    def change(members: Members) -> None:
        with_manifest(members, lambda one: one["members"].update({entry.name: promised}))
        members[entry.name] = (entry, b"x")

    return change


def with_content(alter: Callable[[bytes], bytes]) -> Callable[[Members], object]:
    return lambda members: members.update({DATABASE: (members[DATABASE][0], alter(members[DATABASE][1]))})


ALTERATIONS: dict[str, tuple[Callable[[Members], object], str]] = {
    "another byte": (with_content(lambda content: content[:-1] + b"!"), "another SHA-256"),
    "longer": (with_content(lambda content: content + b"!" * 10_000), "not what the manifest says"),
    "missing": (lambda members: members.pop(DATABASE), "is missing"),
    "not in the manifest": (lambda members: members.update({"x": (named("x"), b"x")}), "not what the manifest says"),
    "above the folder": (with_member(named("../x"), SMALL), "outside the destination"),
    "anywhere": (with_member(named(str(OUTSIDE)), SMALL), "not what the manifest says"),
    "a link": (with_member(named("x", tarfile.SYMTYPE, "/etc/passwd"), SMALL), "absolute"),
    "a link within": (with_member(named("x", tarfile.SYMTYPE, DATABASE), SMALL), "not what the manifest says"),
    "a hard link": (with_member(named("x", tarfile.LNKTYPE, DATABASE), SMALL), "not what the manifest says"),
    "a pipe": (with_member(named("x", tarfile.FIFOTYPE), SMALL), "special file"),
    "more than the disk holds": (with_member(named("x"), {**SMALL, "size": 10**15}), "1000000.0 GB"),
    "a newer format": (lambda members: with_manifest(members, lambda one: one.update(format=2)), "newer Footnote"),
    "half a manifest": (lambda members: with_manifest(members, lambda one: one.pop("index")), "no index"),
    "no manifest": (lambda members: members.pop(MANIFEST), "does not begin with a manifest"),
    "another database": (
        lambda members: with_manifest(members, lambda one: one["index"].update(backend="postgresql")),
        "database_url",
    ),
}


@pytest.mark.parametrize("name", ALTERATIONS)
def test_what_is_no_whole_backup_is_refused(saved: Path, tmp_path: Path, name: str) -> None:
    change, words = ALTERATIONS[name]
    altered, elsewhere = tmp_path / "altered.tar.gz", tmp_path / "elsewhere"
    rewrite(saved, altered, change)
    with pytest.raises(BackupError, match=words):
        restore(Settings(data_dir=elsewhere), altered)
    assert list(elsewhere.iterdir()) == []
    assert not (tmp_path / "x").exists()
    assert not OUTSIDE.exists()


@pytest.mark.parametrize("damage", ["cut", "noise inside", "no archive", "empty"])
def test_a_damaged_file_is_refused(saved: Path, tmp_path: Path, damage: str) -> None:
    content = saved.read_bytes()
    middle = len(content) // 2
    damaged = {
        "cut": content[:middle],
        "noise inside": content[:middle] + bytes(range(256)) * 8 + content[middle + 2_048 :],
        "no archive": b"this is no archive" * 100,
        "empty": b"",
    }[damage]
    (tmp_path / "damaged.tar.gz").write_bytes(damaged)
    with pytest.raises(BackupError, match="no whole backup"):
        restore(Settings(data_dir=tmp_path / "elsewhere"), tmp_path / "damaged.tar.gz")
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_a_database_that_is_none_is_not_saved(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "footnote.db").write_bytes(b"this is no database" * 100)
    with pytest.raises(IndexingError, match=r"cannot be copied.*footnote doctor"):
        back_up(Settings(data_dir=tmp_path / "data"), None, tmp_path / "copy.tar.gz")
    assert [path.name for path in tmp_path.iterdir()] == ["data"]
