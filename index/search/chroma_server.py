"""Vectors on a Chroma server, over its HTTP API (version 2, as the Rust server of `chroma run` speaks it).

Chroma's own client waits without a limit for a server that is frozen, and makes the embedding function that a
collection's stored configuration names (CVE-2026-45829 and its kin). Here nothing of that configuration is read.

A collection is written under a passing name and gets its own when it is whole; it is never changed after that.

Vector search by a Chroma server, which may be away: then the files of this machine answer, or the database.
"""

from __future__ import annotations

import logging
import threading
import time
import uuid
from base64 import b64encode
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx
from pydantic import SecretStr

from index.document import Chunk
from index.embedding.embedder import Vectors
from index.errors import ChromaUnavailableError, IndexingError
from index.search.vectors import VectorSearch
from index.settings import IndexSettings
from index.store.catalogue import Catalogue

logger = logging.getLogger(__name__)

_BATCH = 1_000
# As in the local collections: wide beams, for what exact search would find.
_GRAPH = {"space": "cosine", "ef_construction": 200, "ef_search": 200, "max_neighbors": 32}
_ASKED = httpx.Timeout(5, connect=2)
_WRITTEN = httpx.Timeout(120, connect=2)
_LISTED = 100
_DATABASE = "/api/v2/tenants/default_tenant/databases/default_database"


class CollectionError(IndexingError):
    """The server answers, but a collection is missing or damaged: it can be built again."""


@dataclass(frozen=True, slots=True)
class Collection:
    """A collection on the server: its id there and how many chunks it holds."""

    key: str
    chunks: int


class ChromaServer:
    """The collections of one index on a Chroma server. Safe for many threads.

    Every method raises `ChromaUnavailableError` when the server is gone, frozen, or refuses.

    Args:
        url: Where it listens, such as `http://chroma:8000`.
        token: Sent as a bearer token, for a proxy before the server; nothing is sent when it is empty.
        index_id: Keeps the collections of several indexes on one server apart.
    """

    def __init__(self, url: str, token: SecretStr, index_id: str) -> None:
        self._prefix = f"footnote-{index_id}-"
        secret = token.get_secret_value()
        headers = {"Authorization": f"Bearer {secret}"} if secret else {}
        self._client = httpx.Client(base_url=url.rstrip("/") + _DATABASE, headers=headers, timeout=_ASKED)

    def find(self, generation: str) -> Collection:
        """Return the collection of a generation.

        Raises:
            CollectionError: There is none.
        """
        key = self._ask("GET", f"/collections/{self._prefix}{generation}")["id"]
        return Collection(key, int(self._ask("GET", f"/collections/{key}/count")))

    def query(self, collection: Collection, vector: Vectors, limit: int) -> list[tuple[str, float]]:
        """Return up to `limit` (chunk id, cosine similarity) pairs, best first.

        Raises:
            CollectionError: It is gone or damaged.
        """
        if not collection.chunks:
            return []
        asked = {"query_embeddings": [vector.tolist()], "n_results": min(limit, collection.chunks)}
        found = self._ask("POST", f"/collections/{collection.key}/query", {**asked, "include": ["distances"]})
        pairs = [(one, 1.0 - distance) for one, distance in zip(found["ids"][0], found["distances"][0], strict=True)]
        return sorted(pairs, key=lambda pair: (-pair[1], pair[0]))

    def build(self, generation: str, pages: Iterable[Sequence[tuple[Chunk, Vectors]]], chunks: int) -> None:
        """Write the collection of a generation, in place of one that is damaged.

        Args:
            generation: Its name.
            pages: Chunks and their vectors.
            chunks: How many there must be in all.

        Raises:
            CollectionError: What was written is not that many.
        """
        name = f"{self._prefix}{generation}"
        passing = f"{name}-{uuid.uuid4().hex[:8]}"
        configuration = {"hnsw": _GRAPH}
        key = self._ask("POST", "/collections", {"name": passing, "configuration": configuration})["id"]
        try:
            self._add(key, pages)
            if int(self._ask("GET", f"/collections/{key}/count")) != chunks:
                raise CollectionError(f"The Chroma server did not keep all of the {chunks} vectors it was given.")
            self._remove(name)
            self._ask("PUT", f"/collections/{key}", {"new_name": name})
        except IndexingError:
            self._remove(passing)
            raise

    def sweep(self, *, keep: str) -> None:
        """Delete the collections of every generation but the one named."""
        names: list[str] = []
        while some := self._ask("GET", f"/collections?limit={_LISTED}&offset={len(names)}"):
            names += [one["name"] for one in some]
        kept = f"{self._prefix}{keep}"
        for name in names:
            if name.startswith(self._prefix) and name != kept:
                self._remove(name)

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def _add(self, key: str, pages: Iterable[Sequence[tuple[Chunk, Vectors]]]) -> None:
        for page in pages:
            for start in range(0, len(page), _BATCH):
                some = page[start : start + _BATCH]
                vectors = [b64encode(vector.astype("<f4").tobytes()).decode() for _, vector in some]
                rows = {"ids": [chunk.chunk_id for chunk, _ in some], "embeddings": vectors}
                self._ask("POST", f"/collections/{key}/add", rows, _WRITTEN)

    def _remove(self, name: str) -> None:
        try:
            self._ask("DELETE", f"/collections/{name}")
        except CollectionError:
            return  # it was not there: another process was quicker

    def _ask(self, method: str, path: str, body: object = None, timeout: httpx.Timeout = _ASKED) -> Any:
        try:
            answer = self._client.request(method, path, json=body, timeout=timeout)
            if answer.status_code == httpx.codes.NOT_FOUND or answer.is_server_error:
                raise CollectionError(f"The Chroma server has no sound collection ({_reason(answer)}).")
            answer.raise_for_status()
            return answer.json()
        except (httpx.HTTPError, ValueError) as error:
            reason = str(error) or type(error).__name__
            raise ChromaUnavailableError(
                f"The Chroma server at {self._client.base_url.host!r} does not answer ({reason}): "
                "check the server that chroma_url names; search goes on without it."
            ) from error


@contextmanager
def tolerated() -> Iterator[None]:
    """Go on after what a server could not do, with a line in the log."""
    try:
        yield
    except (ChromaUnavailableError, CollectionError) as error:
        logger.warning("%s", error)


def chroma_server(settings: IndexSettings, catalogue: Catalogue) -> ChromaServer | None:
    """Return the Chroma server that the settings name, or None."""
    if not settings.chroma_url:
        return None
    return ChromaServer(settings.chroma_url, settings.chroma_token, catalogue.property("index_id"))


def _reason(answer: httpx.Response) -> str:
    return " ".join(answer.text.split())[:200] or str(answer.status_code)


_PAUSE_SECONDS = 5.0  # a server that is away is not asked again for so long: hardly a question waits for it


class ServerVectors:
    """Searches the server's collection of one generation; builds it again where it is missing or not whole.

    Args:
        server: The server.
        generation: The generation's name.
        chunks: How many chunks it holds.
        pages: Yields them with their vectors; `IndexingError` when the generation is no longer the live one.
        otherwise: Answers while the server cannot.
    """

    def __init__(
        self,
        server: ChromaServer,
        generation: str,
        chunks: int,
        pages: Callable[[], Iterable[Sequence[tuple[Chunk, Vectors]]]],
        otherwise: VectorSearch,
    ) -> None:
        self._server = server
        self._generation = generation
        self._chunks = chunks
        self._pages = pages
        self._otherwise = otherwise
        self._lock = threading.Lock()
        self._collection: Collection | None = None
        self._left_alone_until = 0.0
        self._building = False

    def search(self, vector: Vectors, limit: int) -> list[tuple[str, float]]:
        """Return up to `limit` (chunk id, cosine similarity) pairs, best first."""
        if not self._building and time.monotonic() >= self._left_alone_until:
            try:
                return self._server.query(self._whole_collection(), vector, limit)
            except ChromaUnavailableError as error:
                self._leave_alone(str(error))
            except CollectionError as error:
                self._build_again(str(error))
        return self._otherwise.search(vector, limit)

    def _whole_collection(self) -> Collection:
        collection = self._collection
        if collection is None:
            collection = self._server.find(self._generation)
            if collection.chunks != self._chunks:
                raise CollectionError(f"The Chroma server holds {collection.chunks} of {self._chunks} vectors.")
            self._collection = collection
        return collection

    def _leave_alone(self, reason: str) -> None:
        logger.warning("%s", reason)
        self._collection = None  # what the server holds when it is back is looked at again
        self._left_alone_until = time.monotonic() + _PAUSE_SECONDS

    def _build_again(self, reason: str) -> None:
        with self._lock:
            if self._building:
                return
            self._building = True
        self._collection = None
        logger.warning("%s It is built again.", reason)
        threading.Thread(target=self._build, name="footnote-chroma", daemon=True).start()

    def _build(self) -> None:
        try:
            self._server.build(self._generation, self._pages(), self._chunks)
        except IndexingError as error:
            self._leave_alone(str(error))
        finally:
            self._building = False


def server_vectors(
    server: ChromaServer, catalogue: Catalogue, generation: str, otherwise: VectorSearch
) -> ServerVectors:
    """Return the search in the live generation by a server, and by other means while that is away."""
    live = catalogue.chunk_sets.live()

    def pages() -> Iterator[Sequence[tuple[Chunk, Vectors]]]:
        yield from live.pages()
        if catalogue.property("generation") != generation:
            raise IndexingError(f"Generation {generation} was replaced while the Chroma server was given it.")

    return ServerVectors(server, generation, catalogue.count_chunks(), pages, otherwise)
