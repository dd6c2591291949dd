"""What `footnote doctor` finds in folders that are damaged in one way each, and what it says to do."""

from __future__ import annotations

import os
import shutil
import socket
import sqlite3
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from bot.chatbot import Chatbot
from bot.language_model.weights import DEFAULT_WEIGHTS
from bot.operations.doctor import Check, check_libraries, examine
from bot.settings import Settings
from index.errors import IndexingError
from index.store.catalogue import Catalogue
from index.sync import SyncReport
from tests.support.model_server import ModelServer, model_server

IndexFolder = Callable[..., SyncReport]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, index_folder: IndexFolder) -> Path:
    """A data folder in good order but for one file that could not be read."""
    folder = tmp_path_factory.mktemp("doctor")
    docs = folder / "docs"
    docs.mkdir()
    (docs / "ferry.txt").write_text("Ferry\n\nThe first ferry leaves Mui Wo at 5:55 am. " + "It is on time. " * 200)
    (docs / "cut.pdf").write_bytes(b"%PDF-1.7 this is no document")
    index_folder(docs, folder / "data")
    return folder / "data"


@pytest.fixture
def data(made: Path, tmp_path: Path) -> Path:
    shutil.copytree(made, tmp_path / "data")
    return tmp_path / "data"


def findings(data: Path, **settings: object) -> dict[str, Check]:
    chosen = Settings(data_dir=data, **{"answerer": "extractive", "port": 0, **settings})
    return {check.name: check for check in examine(chosen, deep=True)}


def test_what_is_in_order_is_ok_and_a_failed_file_is_named(data: Path) -> None:
    found = findings(data)
    assert {name: check.state for name, check in found.items()} == {
        "python": "ok",
        "footnote": "ok",
        "libraries": "ok",
        "embedding model": "ok",
        "language model": "ok",
        "disk": "ok",
        "permissions": "ok",
        "database": "ok",
        "index": "ok",
        "vectors": "ok",
        "files": "warning",
        "port": "ok",
    }
    assert "1 failed, 1 indexed (cut.pdf is damaged" in found["files"].message


def damage_database(data: Path) -> None:
    with closing(sqlite3.connect(data / "footnote.db")) as connection:
        (page,) = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = 'vectors'").fetchone()
        (size,) = connection.execute("PRAGMA page_size").fetchone()
    content = bytearray((data / "footnote.db").read_bytes())
    content[(page - 1) * size : page * size] = os.urandom(size)
    (data / "footnote.db").write_bytes(content)


def lose_generation(data: Path) -> None:
    shutil.rmtree(data / "generations")


def swap_model(data: Path) -> None:
    with closing(Catalogue(f"sqlite:///{data / 'footnote.db'}")) as catalogue:
        catalogue.set_properties({"embedding_model": "another"})


def swap_fingerprint(data: Path) -> None:
    (manifest,) = data.glob("generations/*/manifest.json")
    manifest.write_text(manifest.read_text().replace('"fingerprint": "', '"fingerprint": "0'))


def open_to_all(data: Path) -> None:
    (data / "footnote.db").chmod(0o666)


def delete_chunks(data: Path) -> None:
    with closing(sqlite3.connect(data / "footnote.db")) as connection:
        connection.execute("DELETE FROM chunks")
        connection.commit()


def change_vectors(data: Path, statement: str) -> None:
    with closing(sqlite3.connect(data / "footnote.db")) as connection:
        connection.execute(statement)
        connection.commit()


def lose_vectors(data: Path) -> None:
    change_vectors(data, "DELETE FROM vectors")


def empty_vectors(data: Path) -> None:
    change_vectors(data, "UPDATE vectors SET vector = x''")


def shorten_vectors(data: Path) -> None:
    change_vectors(data, "UPDATE vectors SET vector = substr(vector, 1, 768)")


def shorten_one_vector(data: Path) -> None:
    change_vectors(data, "UPDATE vectors SET vector = substr(vector, 1, 1535) WHERE rowid = 1")


def drop_chunks(data: Path) -> None:
    with closing(sqlite3.connect(data / "footnote.db")) as connection:
        connection.execute("DROP TABLE chunks")


@pytest.mark.parametrize(
    ("damage", "name", "state", "words"),
    [
        (delete_chunks, "index", "failed", "footnote restore"),
        (drop_chunks, "database", "failed", "footnote restore"),
        (lose_vectors, "vectors", "failed", "footnote restore"),
        (empty_vectors, "vectors", "failed", "footnote restore"),
        (shorten_vectors, "vectors", "failed", "footnote restore"),
        (shorten_one_vector, "vectors", "failed", "those of 1 of "),
        (damage_database, "database", "failed", "footnote restore"),
        (lose_generation, "index", "failed", "run `footnote index`"),
        (swap_model, "index", "failed", "set embedding_model back"),
        (swap_fingerprint, "index", "failed", "run `footnote index`"),
        (open_to_all, "permissions", "warning", "chmod o-w"),
    ],
)
def test_each_damage_is_found_with_what_to_do(
    data: Path, damage: Callable[[Path], None], name: str, state: str, words: str
) -> None:
    damage(data)
    check = findings(data)[name]
    assert (check.state, words in check.message) == (state, True), check


@pytest.mark.parametrize("damage", [lose_vectors, empty_vectors, shorten_vectors, shorten_one_vector])
def test_damaged_vectors_are_said_when_serving_begins(
    data: Path,
    damage: Callable[[Path], None],
    open_chatbot: Callable[[Path], Chatbot],
    caplog: pytest.LogCaptureFixture,
) -> None:
    open_chatbot(data).warm_up()
    assert caplog.messages == []
    damage(data)
    open_chatbot(data).warm_up()
    (said,) = caplog.messages
    assert "lost or cut short" in said
    assert "footnote restore" in said


@pytest.mark.parametrize("damage", [lose_vectors, empty_vectors, shorten_vectors, shorten_one_vector])
def test_nothing_is_built_of_damaged_vectors(
    data: Path, damage: Callable[[Path], None], index_folder: IndexFolder, made: Path
) -> None:
    damage(data)
    shutil.copytree(made.parent / "docs", data.parent / "more")
    (data.parent / "more" / "pool.txt").write_text("The swimming pool holds 600 visitors.")
    with pytest.raises(IndexingError, match="footnote restore"):
        index_folder(data.parent / "more", data)


def test_a_file_that_is_no_database_is_one_failure(tmp_path: Path) -> None:
    (tmp_path / "footnote.db").write_bytes(b"this is no database" * 100)
    assert findings(tmp_path)["database"].state == "failed"


def test_models_that_are_missing_or_altered_are_named(data: Path, tmp_path: Path) -> None:
    assert findings(data, embedding_model="nowhere/model")["embedding model"].state == "failed"
    fresh = findings(data, model_cache=tmp_path)["embedding model"]
    assert (fresh.state, "not compiled yet" in fresh.message) == ("warning", True)
    weights = tmp_path / DEFAULT_WEIGHTS.file_name
    with weights.open("wb") as file:
        file.write(b"GGUF")
        os.truncate(file.fileno(), 4_096)
    small = findings(data, answerer="local", model_cache=tmp_path)["language model"]
    assert (small.state, "footnote model fetch" in small.message) == ("warning", True)


def test_a_library_of_another_version_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert check_libraries().state == "ok"
    old = tmp_path / "chromadb-0.1.dist-info"
    old.mkdir()
    (old / "METADATA").write_text("Metadata-Version: 2.1\nName: chromadb\nVersion: 0.1\n")
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    check = check_libraries()
    assert (check.state, check.message) == ("failed", "chromadb is 0.1, not ==1.5.9: run `make setup` again")


def test_a_port_that_is_taken_is_a_warning(data: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        check = findings(data, port=taken.getsockname()[1])["port"]
    assert (check.state, "--port" in check.message) == ("warning", True)


@pytest.fixture
def server() -> Iterator[ModelServer]:
    with model_server() as running:
        yield running


@pytest.mark.parametrize(
    ("behaviour", "state", "words"),
    [
        ("answer", "ok", "with log-probabilities"),
        ("no logprobs", "warning", "gives no log-probabilities"),
        ("refuse logprobs", "warning", "gives no log-probabilities"),
        ("error", "warning", "check the server"),
        ("garbage", "warning", "check the server"),
    ],
)
def test_the_model_server_is_asked_a_word(
    tmp_path: Path, server: ModelServer, behaviour: str, state: str, words: str
) -> None:
    server.behaviour = behaviour
    check = findings(tmp_path, answerer="remote", remote_url=server.url, remote_model="m")["language model"]
    assert (check.state, words in check.message) == (state, True), check
