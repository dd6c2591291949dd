"""Vector search by a Chroma server over its HTTP API, version 2; local files or the database answer when it does not.

Chroma's own client waits without a limit for a frozen server, and instantiates the embedding function that a
collection's stored configuration names (CVE-2026-45829). This module does not read that configuration.

A collection is written under a temporary name, renamed when it is complete, and never changed afterwards.
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
from index.search.exact import VectorSearch
from index.settings import IndexSettings
from index.store.catalogue import Catalogue

logger = logging.getLogger(__name__)

_BATCH = 1_000
# As in `index.search.vectors`, which takes a second to import.
_GRAPH = {"space": "cosine", "ef_construction": 200, "ef_search": 200, "max_neighbors": 32}
_READING = httpx.Timeout(5, connect=2)
_WRITING = httpx.Timeout(120, connect=2)
_PAGE = 100  # collections
_RETRY_SECONDS = 5.0  # after a failure the server gets no request for this long, so that few questions wait for it
_DATABASE = "/api/v2/tenants/default_tenant/databases/default_database"


class CollectionError(IndexingError):
    """The server answers, but a collection is missing or damaged. It can be built again."""


@dataclass(frozen=True, slots=True)
class ServerCollection:
    """A collection on the server: its id there and its number of chunks."""

    key: str
    chunks: int


class ChromaServer:
    """The collections of one index on a Chroma server. Safe for many threads.

    Every method raises `ChromaUnavailableError` when the server is gone, frozen, or refuses the request.

    Args:
        url: Its address, such as `http://chroma:8000`.
        token: Bearer token for a proxy before the server; none is sent when it is empty.
        index_id: Part of the names of collections, so that several indexes can share a server.
    """

    def __init__(self, url: str, token: SecretStr, index_id: str) -> None:
        self._prefix = f"footnote-{index_id}-"
        secret = token.get_secret_value()
        headers = {"Authorization": f"Bearer {secret}"} if secret else {}
        self._client = httpx.Client(base_url=url.rstrip("/") + _DATABASE, headers=headers, timeout=_READING)

    def find(self, generation: str) -> ServerCollection:
        """Return the collection of a generation.

        Raises:
            CollectionError: There is none.
        """
        key = self._request("GET", f"/collections/{self._prefix}{generation}")["id"]
        return ServerCollection(key, int(self._request("GET", f"/collections/{key}/count")))

    def query(self, collection: ServerCollection, vector: Vectors, limit: int) -> list[tuple[str, float]]:
        """Return up to `limit` (chunk id, cosine similarity) pairs, best first.

        Raises:
            CollectionError: It is gone or damaged.
        """
        if not collection.chunks:
            return []
        body = {
            "query_embeddings": [vector.tolist()],
            "n_results": min(limit, collection.chunks),
            "include": ["distances"],
        }
        found = self._request("POST", f"/collections/{collection.key}/query", body)
        pairs = [(one, 1.0 - distance) for one, distance in zip(found["ids"][0], found["distances"][0], strict=True)]
        return sorted(pairs, key=lambda pair: (-pair[1], pair[0]))

    def build(self, generation: str, pages: Iterable[Sequence[tuple[Chunk, Vectors]]], chunks: int) -> None:
        """Write the collection of a generation, replacing one that is damaged.

        Args:
            generation: Its name.
            pages: Chunks and their vectors.
            chunks: The number of chunks in all pages.

        Raises:
            CollectionError: The server stored another number of them.
        """
        name = f"{self._prefix}{generation}"
        temporary = f"{name}-{uuid.uuid4().hex[:8]}"
        configuration = {"hnsw": _GRAPH}
        key = self._request("POST", "/collections", {"name": temporary, "configuration": configuration})["id"]
        try:
            self._add(key, pages)
            if int(self._request("GET", f"/collections/{key}/count")) != chunks:
                raise CollectionError(f"The Chroma server did not keep all of the {chunks} vectors it was given.")
            self._remove(name)
            self._request("PUT", f"/collections/{key}", {"new_name": name})
        except IndexingError:
            self._remove(temporary)
            raise

    def sweep(self, *, keep: str) -> None:
        """Delete the collections of every generation but the one named."""
        names: list[str] = []
        while some := self._request("GET", f"/collections?limit={_PAGE}&offset={len(names)}"):
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
                self._request("POST", f"/collections/{key}/add", rows, _WRITING)

    def _remove(self, name: str) -> None:
        try:
            self._request("DELETE", f"/collections/{name}")
        except CollectionError:
            return  # another process has deleted it

    def _request(self, method: str, path: str, body: object = None, timeout: httpx.Timeout = _READING) -> Any:
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
def failures_logged() -> Iterator[None]:
    """Log a failure of the server and go on."""
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


class ServerVectors:
    """Searches the server's collection of one generation; builds it again if it is missing or incomplete.

    Args:
        server: The server.
        generation: Name of the generation.
        chunks: Its number of chunks.
        pages: Yields them with their vectors; raises `IndexingError` when the generation is no longer the live one.
        fallback: Searches while the server does not answer.
    """

    def __init__(
        self,
        server: ChromaServer,
        generation: str,
        chunks: int,
        pages: Callable[[], Iterable[Sequence[tuple[Chunk, Vectors]]]],
        fallback: VectorSearch,
    ) -> None:
        self._server = server
        self._generation = generation
        self._chunks = chunks
        self._pages = pages
        self._fallback = fallback
        self._lock = threading.Lock()
        self._collection: ServerCollection | None = None
        self._retry_at = 0.0
        self._building = False

    def search(self, vector: Vectors, limit: int) -> list[tuple[str, float]]:
        """Return up to `limit` (chunk id, cosine similarity) pairs, best first."""
        if not self._building and time.monotonic() >= self._retry_at:
            try:
                return self._server.query(self._complete_collection(), vector, limit)
            except ChromaUnavailableError as error:
                self._pause(str(error))
            except CollectionError as error:
                self._build_again(str(error))
        return self._fallback.search(vector, limit)

    def _complete_collection(self) -> ServerCollection:
        collection = self._collection
        if collection is None:
            collection = self._server.find(self._generation)
            if collection.chunks != self._chunks:
                raise CollectionError(f"The Chroma server holds {collection.chunks} of {self._chunks} vectors.")
            self._collection = collection
        return collection

    def _pause(self, reason: str) -> None:
        logger.warning("%s", reason)
        self._collection = None  # checked again when the server is back
        self._retry_at = time.monotonic() + _RETRY_SECONDS

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
            self._pause(str(error))
        finally:
            self._building = False


def server_vectors(
    server: ChromaServer, catalogue: Catalogue, generation: str, fallback: VectorSearch
) -> ServerVectors:
    """Return the search of the live generation by a server, with a fallback while that does not answer."""
    live = catalogue.chunk_sets.live()

    def pages() -> Iterator[Sequence[tuple[Chunk, Vectors]]]:
        yield from live.pages()
        if catalogue.property("generation") != generation:
            raise IndexingError(f"Generation {generation} was replaced while the Chroma server was given it.")

    return ServerVectors(server, generation, catalogue.count_chunks(), pages, fallback)
