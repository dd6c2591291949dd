"""The live generation of a process: reopened when another is published, and rebuilt when its files are damaged."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Final

from index.errors import EmptyIndexError, IndexingError, IndexMismatchError
from index.generation.snapshot import GenerationSnapshot, problem_of
from index.search.chroma_server import ChromaServer, server_vectors
from index.store.catalogue import Catalogue

_LOG = logging.getLogger(__name__)
_NOTHING_INDEXED: Final = "No documents are indexed yet: run `footnote index FOLDER`."
_RECHECK_SECONDS: Final = 5.0  # between two checks of damaged files, which another process may have rebuilt


class GenerationManager:
    """Keeps the live generation open. Safe for many threads.

    Args:
        catalogue: The database.
        data_dir: The data folder.
        embedding_model: Id of the model that questions are embedded with.
        mend: Rebuild damaged files in a background process; else another process has to.
        server: A Chroma server that searches the vectors in place of the files while it answers.
    """

    def __init__(
        self,
        catalogue: Catalogue,
        data_dir: Path,
        embedding_model: str,
        *,
        mend: bool = False,
        server: ChromaServer | None = None,
    ) -> None:
        self._catalogue = catalogue
        self._data_dir = data_dir
        self._model = embedding_model
        self._mends = mend
        self._server = server
        self._lock = threading.Lock()
        self._open: GenerationSnapshot | None = None
        self._checked_at = 0.0
        self._rebuilding: subprocess.Popen[bytes] | None = None

    def current(self) -> GenerationSnapshot:
        """Return the generation that the catalogue names, reopened if it changed or was rebuilt.

        Raises:
            EmptyIndexError: Nothing has been indexed yet.
            IndexMismatchError: The index was built with another embedding model.
        """
        name = self._catalogue.property("generation")
        if not name:
            raise EmptyIndexError(_NOTHING_INDEXED)
        with self._lock:
            if self._open is None or self._open.name != name or self._is_rebuilt(self._open):
                # The old one is left to the garbage collector: another thread may still be reading it.
                self._open = self._open_live()
            return self._open

    def discard(self, generation: GenerationSnapshot) -> None:
        """Open the files of a generation anew for the next search, because reading one of them failed."""
        with self._lock:
            if self._open is generation:
                self._open = None

    def close(self) -> None:
        """Close the generation, and end the process that rebuilds it."""
        with self._lock:
            if self._open:
                self._open.close()
                self._open = None
            if self._rebuilding:
                self._rebuilding.terminate()
                self._rebuilding.wait()

    def _open_live(self) -> GenerationSnapshot:
        while True:
            known = self._catalogue.properties()
            if (model := known.get("embedding_model", "")) != self._model:
                raise IndexMismatchError(
                    f"The index in {str(self._data_dir)!r} was built with the embedding model {model!r}, not "
                    f"{self._model!r}: run `footnote index` again, or set embedding_model back."
                )
            if not self._catalogue.count_chunks():
                raise EmptyIndexError(_NOTHING_INDEXED)
            name = known["generation"]
            live = self._catalogue.chunk_sets.live()
            try:
                generation = GenerationSnapshot(self._data_dir, name, known["fingerprint"], live)
            except IndexingError:
                if self._catalogue.property("generation") == name:
                    raise
                continue  # documents were replaced while their keywords were read from the database
            if not generation.problem or self._catalogue.property("generation") == name:
                break
            generation.close()  # it was replaced and deleted while it was opened
        if generation.problem:
            _LOG.warning(
                "The index %s is damaged or missing (%s): answering from the database until it is built again.",
                name,
                generation.problem,
            )
            self._checked_at = time.monotonic()
            self._rebuild()
        if self._server is not None:
            generation.vectors = server_vectors(self._server, self._catalogue, name, generation.vectors)
        return generation

    def _is_rebuilt(self, generation: GenerationSnapshot) -> bool:
        if not generation.problem or time.monotonic() - self._checked_at < _RECHECK_SECONDS:
            return False
        self._checked_at = time.monotonic()
        if not problem_of(self._data_dir, generation.name, self._catalogue.property("fingerprint")):
            return True
        self._rebuild()
        return False

    def _rebuild(self) -> None:
        """Start a process that rebuilds the files, unless one is running."""
        if not self._mends or (self._rebuilding and self._rebuilding.poll() is None):
            return
        command = [sys.executable, "-m", "index.generation.rebuild", str(self._data_dir.absolute())]
        environment = {**os.environ, "FOOTNOTE_DATABASE_URL": self._catalogue.url}
        self._rebuilding = subprocess.Popen(command, env=environment)  # noqa: S603  # no shell
