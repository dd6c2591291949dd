"""Vector search by a Chroma server, which may be away: then the files of this machine answer, or the database."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence

from index.catalogue import Catalogue
from index.chroma_server import ChromaServer, Collection, CollectionError
from index.document import Chunk
from index.embedding.embedder import Vectors
from index.errors import ChromaUnavailableError, IndexingError
from index.vector_search import VectorSearch

logger = logging.getLogger(__name__)

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
