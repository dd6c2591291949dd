"""Vectors on a real Chroma server: the same neighbours, and none lost when the server is away, frozen or emptied."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from pydantic import SecretStr

from bot.operations.doctor import check_chroma_server
from bot.settings import Settings
from index.document import Chunk, Span
from index.embedding.embedder import Vectors
from index.errors import ChromaUnavailableError, IndexingError
from index.search.chroma_server import ChromaServer, CollectionError, ServerVectors
from index.store.catalogue import Catalogue
from index.sync import synchronise
from tests.index.word_embedder import WordEmbedder
from tests.support.chroma_process import ChromaProcess

Page = list[tuple[Chunk, Vectors]]


@pytest.fixture(scope="module")
def process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ChromaProcess]:
    running = ChromaProcess(tmp_path_factory.mktemp("chroma"))
    running.start()
    yield running
    running.stop()


@pytest.fixture
def server(process: ChromaProcess, request: pytest.FixtureRequest) -> Iterator[ChromaServer]:
    with closing(ChromaServer(process.url, SecretStr(""), f"{abs(hash(request.node.name)):x}")) as opened:
        yield opened


def pages(count: int, seed: int = 0) -> list[Page]:
    vectors = np.random.default_rng(seed).normal(size=(count, 16)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    chunks = [Chunk(f"{seed:02x}{place:030x}", "d", place, Span(0, 1), "x", "t") for place in range(count)]
    rows = list(zip(chunks, vectors, strict=True))
    return [rows[start : start + 300] for start in range(0, count, 300)]


class Stored:
    """Answers from memory and counts how often."""

    def __init__(self, given: list[Page]) -> None:
        self.rows = [row for page in given for row in page]
        self.asked = 0

    def search(self, vector: Vectors, limit: int) -> list[tuple[str, float]]:
        self.asked += 1
        pairs = [(chunk.chunk_id, float(one @ vector)) for chunk, one in self.rows]
        return sorted(pairs, key=lambda pair: (-pair[1], pair[0]))[:limit]


def assert_alike(found: list[tuple[str, float]], exact: list[tuple[str, float]]) -> None:
    assert [one for one, _ in found] == [one for one, _ in exact]
    assert np.allclose([score for _, score in found], [score for _, score in exact], atol=1e-5)


def finish_building() -> None:
    for thread in threading.enumerate():
        if thread.name == "footnote-chroma":
            thread.join(60)


def test_the_server_finds_what_exact_search_finds(server: ChromaServer) -> None:
    given = pages(700)
    server.build("000001", given, 700)
    collection = server.find("000001")
    assert collection.chunks == 700
    stored = Stored(given)
    for _, vector in given[0][:20]:
        assert_alike(server.query(collection, vector, 5), stored.search(vector, 5))
    assert len(server.query(collection, given[0][0][1], 5_000)) == 700


def test_only_the_generation_that_is_kept_stays_and_other_indexes_are_left_alone(
    process: ChromaProcess, server: ChromaServer
) -> None:
    with closing(ChromaServer(process.url, SecretStr(""), "another")) as another:
        another.build("000001", pages(10), 10)
        for name in ("000001", "000002"):
            server.build(name, pages(10), 10)
        server.sweep(keep="000002")
        assert server.find("000002").chunks == 10
        assert another.find("000001").chunks == 10
        with pytest.raises(CollectionError):
            server.find("000001")


def test_a_collection_that_is_not_whole_never_gets_its_name(server: ChromaServer) -> None:
    def cut() -> Iterator[Page]:
        yield pages(300)[0]
        raise IndexingError("the generation was replaced")

    with pytest.raises(IndexingError, match="replaced"):
        server.build("000001", cut(), 600)
    with pytest.raises(CollectionError, match="600"):
        server.build("000001", pages(300), 600)
    with pytest.raises(CollectionError):
        server.find("000001")
    server.build("000001", pages(600), 600)
    server.build("000001", pages(600), 600)  # a second process that was slower
    assert server.find("000001").chunks == 600


def test_while_the_server_is_away_the_stored_vectors_answer_and_afterwards_it_does(
    process: ChromaProcess, server: ChromaServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("index.search.chroma_server._RETRY_SECONDS", 0.0)
    given = pages(50)
    server.build("000001", given, 50)
    stored = Stored(given)
    vectors = ServerVectors(server, "000001", 50, lambda: given, stored)
    wanted = stored.search(given[0][3][1], 5)
    stored.asked = 0
    assert_alike(vectors.search(given[0][3][1], 5), wanted)
    assert stored.asked == 0
    with process.frozen():
        assert_alike(vectors.search(given[0][3][1], 5), wanted)
    assert stored.asked == 1
    process.stop()
    assert_alike(vectors.search(given[0][3][1], 5), wanted)
    assert stored.asked == 2
    process.start()
    assert_alike(vectors.search(given[0][3][1], 5), wanted)
    assert stored.asked == 2


def test_a_server_that_is_away_is_left_alone_for_a_while(server: ChromaServer, process: ChromaProcess) -> None:
    given = pages(20)
    stored = Stored(given)
    with closing(ChromaServer("http://127.0.0.1:9", SecretStr(""), "x")) as nobody:
        vectors = ServerVectors(nobody, "000001", 20, lambda: given, stored)
        vectors.search(given[0][0][1], 5)
        nobody.close()  # asked again, it would raise
        vectors.search(given[0][0][1], 5)
        assert stored.asked == 2
        with pytest.raises(ChromaUnavailableError, match=r"'127.0.0.1' does not answer") as raised:
            ChromaServer("http://127.0.0.1:9", SecretStr(""), "x").find("000001")
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("loss", ["missing", "too few", "emptied server"])
def test_a_lost_collection_is_built_again_from_what_is_stored(
    process: ChromaProcess, server: ChromaServer, loss: str
) -> None:
    given = pages(400)
    if loss == "too few":
        server.build("000001", pages(300), 300)
    elif loss == "emptied server":
        server.build("000001", given, 400)
        process.empty()
    stored = Stored(given)
    vectors = ServerVectors(server, "000001", 400, lambda: given, stored)
    wanted = stored.search(given[1][3][1], 5)
    stored.asked = 0
    assert_alike(vectors.search(given[1][3][1], 5), wanted)
    assert stored.asked == 1
    finish_building()
    assert_alike(vectors.search(given[1][3][1], 5), wanted)
    assert stored.asked == 1


def test_a_token_goes_into_the_header_and_into_no_message(process: ChromaProcess) -> None:
    with closing(ChromaServer("http://127.0.0.1:9", SecretStr("hush"), "x")) as server:
        assert server._client.headers["Authorization"] == "Bearer hush"
        with pytest.raises(ChromaUnavailableError) as raised:
            server.find("000001")
    assert "hush" not in str(raised.value)


def test_what_a_collection_is_said_to_embed_with_is_never_loaded(server: ChromaServer, tmp_path: Path) -> None:
    """A stored configuration names a function and its arguments; a client that makes it runs a stranger's choice."""
    server.build("000001", pages(10), 10)
    key = server.find("000001").key
    hostile = {"type": "known", "name": "sentence_transformer", "config": {"model_name": str(tmp_path / "x")}}
    answer = server._client.put(f"/collections/{key}", json={"new_configuration": {"embedding_function": hostile}})
    assert answer.is_success, answer.text
    collection = server.find("000001")
    assert len(server.query(collection, pages(10)[0][0][1], 3)) == 3


def test_doctor_says_whether_the_server_has_the_live_index(tmp_path: Path) -> None:
    (tmp_path / "ferry.txt").write_text("Ferry\n\nThe first ferry leaves at 5:55 am.\n", encoding="utf-8")
    (tmp_path / "chroma").mkdir()
    running = ChromaProcess(tmp_path / "chroma")
    running.start()
    settings = Settings(data_dir=tmp_path / "data", chroma_url=running.url)
    with closing(Catalogue(settings.catalogue_url())) as catalogue:
        synchronise([tmp_path / "ferry.txt"], settings, catalogue, WordEmbedder())
        (found,) = check_chroma_server(settings, catalogue)
        assert (found.state, "has generation 000001" in found.message) == ("ok", True)
        with closing(ChromaServer(running.url, SecretStr(""), catalogue.property("index_id"))) as server:
            server.sweep(keep="none")
        (found,) = check_chroma_server(settings, catalogue)
        assert (found.state, "has 0 of 1 vectors" in found.message) == ("warning", True)
        running.stop()
        (found,) = check_chroma_server(settings, catalogue)
        assert (found.state, "does not answer" in found.message) == ("warning", True)
        assert list(check_chroma_server(Settings(data_dir=tmp_path / "data"), catalogue)) == []
