"""The generation that questions are asked of: opened when it changes, and mended when its files are damaged."""

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
from index.generation.snapshot import Generation, problem_of
from index.search.chroma_server import ChromaServer, server_vectors
from index.store.catalogue import Catalogue

_LOG = logging.getLogger(__name__)
_NOTHING_INDEXED: Final = "No documents are indexed yet: run `footnote index FOLDER`."
_LOOK_AGAIN: Final = 5.0  # seconds between two looks at damaged files: another process may have mended them


class LiveGeneration:
    """Knows which generation is live, and keeps it open. Safe for many threads.

    Args:
        catalogue: The database.
        data_dir: The data folder.
        embedding_model: The model that questions are embedded with.
        server: Searches the vectors in the place of the files here.
        mend: Build damaged files again, in a process beside this one; else somebody else does.
        server: A Chroma server that searches the vectors while it is there.
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
        self._server = server
        self._mends = mend
        self._server = server
        self._lock = threading.Lock()
        self._open: Generation | None = None
        self._looked = 0.0
        self._mending: subprocess.Popen[bytes] | None = None

    def current(self) -> Generation:
        """Return the generation that the catalogue names, opening it when it changed or was mended.

        Raises:
            EmptyIndexError: Nothing has been indexed yet.
            IndexMismatchError: The index was built with another embedding model.
        """
        name = self._catalogue.property("generation")
        if not name:
            raise EmptyIndexError(_NOTHING_INDEXED)
        with self._lock:
            if self._open is None or self._open.name != name or self._is_mended(self._open):
                # The old one is left to the garbage collector: another thread may still be reading it.
                self._open = self._open_live()
            return self._open

    def distrust(self, generation: Generation) -> None:
        """Have the files of a generation examined again before the next search: one has failed."""
        with self._lock:
            if self._open is generation:
                self._open = None

    def close(self) -> None:
        """Release the generation, and end what mends it."""
        with self._lock:
            if self._open:
                self._open.close()
                self._open = None
            if self._mending:
                self._mending.terminate()
                self._mending.wait()

    def _open_live(self) -> Generation:
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
            try:
                generation = Generation(self._data_dir, name, known["fingerprint"], self._catalogue.chunk_sets.live())
            except IndexingError:
                if self._catalogue.property("generation") == name:
                    raise
                continue  # documents were replaced while their keywords were made
            if not generation.problem or self._catalogue.property("generation") == name:
                break
            generation.close()  # it was replaced, and swept, while we opened it
        if generation.problem:
            _LOG.warning(
                "The index %s is damaged or missing (%s): answering from the database until it is built again.",
                name,
                generation.problem,
            )
            self._looked = time.monotonic()
            self._mend()
        if self._server is not None:
            generation.vectors = server_vectors(self._server, self._catalogue, name, generation.vectors)
        return generation

    def _is_mended(self, generation: Generation) -> bool:
        if not generation.problem or time.monotonic() - self._looked < _LOOK_AGAIN:
            return False
        self._looked = time.monotonic()
        if not problem_of(self._data_dir, generation.name, self._catalogue.property("fingerprint")):
            return True
        self._mend()
        return False

    def _mend(self) -> None:
        """Start to build the files again, unless that is being done."""
        if not self._mends or (self._mending and self._mending.poll() is None):
            return
        command = [sys.executable, "-m", "index.generation.rebuild", str(self._data_dir.absolute())]
        self._mending = subprocess.Popen(command, env={**os.environ, "FOOTNOTE_DATABASE_URL": self._catalogue.url})  # noqa: S603
